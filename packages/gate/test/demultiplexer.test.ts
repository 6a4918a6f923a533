import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { createConnection, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { connect as connectTls } from 'node:tls';
import { encodeFrame } from '@countersign/core/m-auth';
import fc from 'fast-check';
import WebSocket from 'ws';
import {
  DEFAULT_LIMITS,
  Demultiplexer,
  type DemultiplexerEvent,
  type DemultiplexerLimits,
} from '../src/demultiplexer/demultiplexer.ts';
import { type DemultiplexerSockets, listen } from '../src/demultiplexer/listen.ts';
import { parseOpening } from '../src/demultiplexer/opening.ts';

const OPENING = 300;
const folder = mkdtempSync(join(tmpdir(), 'countersign-gated-'));
after(() => rmSync(folder, { recursive: true, force: true }));
let made = 0;

async function start(limits: Partial<DemultiplexerLimits> = {}, sockets: Partial<DemultiplexerSockets> = {}) {
  const events: DemultiplexerEvent[] = [];
  const demultiplexer = new Demultiplexer({
    limits: { ...DEFAULT_LIMITS, opening: OPENING, ...limits },
    monotonic: () => performance.now(),
    log: (event) => events.push(event),
  });
  const path = join(folder, `interfaces-${++made}.sock`);
  const listening = await listen(demultiplexer, {
    validators: { host: '127.0.0.1', port: 0 },
    interfaces: { path },
    peerOf: () => 'uid 0',
    ...sockets,
  });
  const open: Socket[] = [];
  return {
    demultiplexer,
    events,
    path,
    port: listening.port,
    remotePort: listening.remotePort,
    async validator() {
      const socket = createConnection(listening.port, '127.0.0.1');
      socket.on('error', () => {});
      open.push(socket);
      await once(socket, 'connect');
      return socket;
    },
    async interface() {
      const socket = createConnection(path);
      socket.on('error', () => {});
      open.push(socket);
      await once(socket, 'connect');
      return socket;
    },
    /** An interface that waits for a tag. */
    async waiting(tag: Uint8Array, lifetime = 20_000, bucket = tag) {
      const socket = await this.interface();
      socket.write(request(tag, lifetime, bucket));
      const before = events.length;
      await until(() => events.slice(before).some(({ event }) => event.startsWith('queue')));
      return socket;
    },
    async [Symbol.asyncDispose]() {
      for (const socket of open) socket.destroy();
      await listening.close();
      await demultiplexer.drain(0);
    },
  };
}

const tagOf = (n: number) => new Uint8Array(16).fill(n);
const request = (tag: Uint8Array, lifetime = 20_000, bucket = tag) =>
  encodeFrame({ kind: 'request', purpose: 'sign-on', lifetime, bucket, tags: [tag] });
const validate = (tag: Uint8Array, purpose: 'sign-on' | 'pair' = 'sign-on') =>
  encodeFrame({ kind: 'validate', purpose, tag, proof: tagOf(0xee) });

async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setTimeout(resolve, 2));
}

/** All that comes, until so many bytes are there or the other side is gone. */
async function read(stream: NodeJS.ReadableStream, bytes = Number.POSITIVE_INFINITY): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let length = 0;
  const done = Promise.withResolvers<void>();
  const onData = (chunk: Buffer) => {
    chunks.push(chunk);
    length += chunk.length;
    if (length >= bytes) done.resolve();
  };
  stream.on('data', onData).once('close', done.resolve);
  stream.resume();
  if ((stream as Socket).closed) done.resolve();
  await done.promise;
  stream.off('data', onData);
  return Buffer.concat(chunks);
}

describe('pairs', () => {
  test('a validator that is a moment ahead of its request is joined when that comes, with all that it has said', async () => {
    await using gated = await start();
    const validator = await gated.validator();
    validator.write(validate(tagOf(1)));
    await until(() => gated.demultiplexer.counts.strangers === 1);
    await new Promise((resolve) => setTimeout(resolve, 20));
    validator.write('handshake');
    await new Promise((resolve) => setTimeout(resolve, 20));
    const side = await gated.interface();
    side.write(request(tagOf(1)));
    const all = Buffer.concat([validate(tagOf(1)), Buffer.from('handshake')]);
    assert.deepEqual(await read(side, all.length), all);
    assert.deepEqual(gated.demultiplexer.counts, { waiting: 0, pairs: 1, strangers: 0 });
    side.write('context');
    assert.equal(String(await read(validator, 7)), 'context');
  });

  test('one that says too much before its request is there, or is gone by then, is not joined', async () => {
    await using gated = await start();
    const loud = await gated.validator();
    loud.write(Buffer.concat([validate(tagOf(1)), Buffer.alloc(100)]));
    await new Promise((resolve) => setTimeout(resolve, 20));
    loud.write(Buffer.alloc(500));
    const gone = await gated.validator();
    gone.write(validate(tagOf(2)));
    await new Promise((resolve) => setTimeout(resolve, 20));
    gone.destroy();
    await new Promise((resolve) => setTimeout(resolve, 20));
    await gated.waiting(tagOf(1));
    await gated.waiting(tagOf(2));
    assert.deepEqual([gated.demultiplexer.counts.waiting, gated.demultiplexer.counts.pairs], [2, 0]);
  });

  test('a validator with a queued tag is joined to its interface, which sees its first frame and the rest', async () => {
    await using gated = await start();
    const side = await gated.waiting(tagOf(1));
    const validator = await gated.validator();
    const opening = Buffer.concat([validate(tagOf(1)), Buffer.from('first words')]);
    validator.write(opening);
    assert.deepEqual(await read(side, opening.length), opening);
    side.write('and back');
    assert.equal(String(await read(validator, 8)), 'and back');
  });

  test('an opening may come byte by byte', async () => {
    await using gated = await start();
    const side = await gated.waiting(tagOf(1));
    const validator = await gated.validator();
    validator.setNoDelay(true);
    for (const byte of validate(tagOf(1))) {
      validator.write(Uint8Array.of(byte));
      await new Promise((resolve) => setImmediate(resolve));
    }
    assert.deepEqual(await read(side, 36), Buffer.from(validate(tagOf(1))));
  });

  test('a tag is good once', async () => {
    await using gated = await start();
    const side = await gated.waiting(tagOf(1));
    const [first, second] = [await gated.validator(), await gated.validator()];
    first.write(validate(tagOf(1)));
    await read(side, 36);
    second.write(validate(tagOf(1)));
    assert.equal((await read(second)).length, 0);
    assert.equal(gated.demultiplexer.counts.pairs, 1);
  });

  test('two that wait are not mixed up', async () => {
    await using gated = await start();
    const sides = await Promise.all([gated.waiting(tagOf(1)), gated.waiting(tagOf(2))]);
    const validators = await Promise.all([gated.validator(), gated.validator()]);
    validators[0].write(validate(tagOf(2)));
    validators[1].write(validate(tagOf(1)));
    assert.deepEqual(await read(sides[0], 36), Buffer.from(validate(tagOf(1))));
    assert.deepEqual(await read(sides[1], 36), Buffer.from(validate(tagOf(2))));
    sides[0].write('one');
    assert.equal(String(await read(validators[1], 3)), 'one');
  });

  test('when one closes, the other is closed after what was sent has arrived', async () => {
    await using gated = await start();
    for (const closer of ['interface', 'validator'] as const) {
      const side = await gated.waiting(tagOf(1));
      const validator = await gated.validator();
      validator.write(validate(tagOf(1)));
      await read(side, 36);
      const [from, to] = closer === 'interface' ? [side, validator] : [validator, side];
      const words = Buffer.alloc(300_000, 7);
      from.end(words);
      assert.ok(words.equals(await read(to)));
      await until(() => gated.demultiplexer.counts.pairs === 0);
    }
  });

  test('a reader that stops holds its writer back, instead of filling memory', async () => {
    await using gated = await start();
    const side = await gated.waiting(tagOf(1));
    const validator = await gated.validator();
    validator.write(validate(tagOf(1)));
    await read(side, 36);
    side.pause();
    const piece = Buffer.alloc(64 * 1024, 1);
    let sent = 0;
    while (sent < 64 * 1024 * 1024 && (validator.write(piece) || (await drained(validator)))) {
      sent += piece.length;
    }
    assert.ok(sent < 32 * 1024 * 1024, `${sent} bytes went into a pair that nobody reads`);
    const before = sent + piece.length;
    validator.end();
    assert.equal((await read(side)).length, before);
  });

  test('a pair that moves nothing is ended, on both sides', async () => {
    await using gated = await start({ stalled: 200 });
    const side = await gated.waiting(tagOf(1));
    const validator = await gated.validator();
    validator.write(validate(tagOf(1)));
    await read(side, 36);
    side.write('a word');
    await Promise.all([read(side), read(validator)]);
    assert.deepEqual(gated.events.at(-1), { event: 'pair-ended', owner: 'uid 0', why: 'stalled' });
  });

  test('a pair that talks on and on is ended too', async () => {
    await using gated = await start({ longest: 300 });
    const side = await gated.waiting(tagOf(1));
    const validator = await gated.validator();
    validator.write(validate(tagOf(1)));
    const talk = setInterval(() => side.write('.'), 20);
    await read(validator);
    clearInterval(talk);
    assert.deepEqual(gated.events.at(-1), { event: 'pair-ended', owner: 'uid 0', why: 'too-old' });
  });
});

describe('what a stranger learns', () => {
  const bad: Record<string, (gated: Awaited<ReturnType<typeof start>>) => Promise<Uint8Array>> = {
    'an unknown tag': async () => validate(tagOf(9)),
    'a tag that ran out': async (gated) => {
      await read(await gated.waiting(tagOf(1), 20));
      return validate(tagOf(1));
    },
    'a tag whose interface is gone': async (gated) => {
      (await gated.waiting(tagOf(1))).destroy();
      await until(() => gated.demultiplexer.counts.waiting === 0);
      return validate(tagOf(1));
    },
    'a tag of a sign-on, for a pairing': async (gated) => {
      await gated.waiting(tagOf(1));
      return validate(tagOf(1), 'pair');
    },
    'a request on the validators’ port': async () => request(tagOf(1)),
    'half an opening': async () => validate(tagOf(1)).slice(0, 20),
    'nothing at all': async () => new Uint8Array(),
    garbage: async () => Buffer.alloc(5000, 0xa5),
    'garbage without end': async () => Buffer.alloc(5_000_000, 0x42),
    'an HTTP request': async () => Buffer.from('GET / HTTP/1.1\r\nhost: a\r\n\r\n'),
    'a WebSocket opening without its key': async () =>
      Buffer.from('GET / HTTP/1.1\r\nhost: a\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n'),
    'an HTTP request without a host': async () => Buffer.from('GET / HTTP/1.1\r\n\r\n'),
    'an HTTP request that waits to go on': async () =>
      Buffer.from('GET / HTTP/1.1\r\nhost: a\r\nexpect: 100-continue\r\ncontent-length: 1\r\n\r\n'),
    'an HTTP request that expects something': async () =>
      Buffer.from('GET / HTTP/1.1\r\nhost: a\r\nexpect: x\r\n\r\n'),
    'broken HTTP': async () => Buffer.from('GET \u0000\r\n\r\n'),
  };
  for (const [what, make] of Object.entries(bad)) {
    test(`${what}: no byte, and an end when one who says nothing has theirs`, async () => {
      await using gated = await start();
      const bytes = await make(gated);
      const began = performance.now();
      const [validator, silent] = [await gated.validator(), await gated.validator()];
      validator.write(bytes);
      const ended = async (socket: Socket) => {
        assert.equal((await read(socket)).length, 0);
        return performance.now() - began;
      };
      // As late as a clock of this process is at that moment, whatever else the machine does.
      const clock = delay(OPENING).then(() => performance.now() - began);
      const [took, silence, due] = await Promise.all([ended(validator), ended(silent), clock]);
      assert.ok(
        took > OPENING - 20 && took < due + 250,
        `after ${Math.round(took)} ms, due at ${Math.round(due)}`,
      );
      assert.ok(Math.abs(took - silence) < 100, `${Math.round(took)} ms, silence ${Math.round(silence)} ms`);
      assert.equal(gated.demultiplexer.counts.strangers, 0);
    });
  }
});

describe('interfaces', () => {
  test('who the operating system does not vouch for is cut', async () => {
    await using gated = await start({}, { peerOf: () => undefined });
    const side = await gated.interface();
    side.write(request(tagOf(1)));
    await read(side);
    assert.equal(gated.demultiplexer.counts.waiting, 0);
  });

  test('the socket is its owner’s alone', async () => {
    await using gated = await start();
    assert.equal(statSync(gated.path).mode & 0o777, 0o600);
  });

  test('a word before its validator is there ends the request', async () => {
    await using gated = await start();
    const side = await gated.waiting(tagOf(1));
    side.write('hello?');
    await read(side);
    assert.equal(gated.demultiplexer.counts.waiting, 0);
  });

  test('a stale request is dropped, and its interface told by the end', async () => {
    await using gated = await start();
    await read(await gated.waiting(tagOf(1), 30));
    assert.equal(gated.demultiplexer.counts.waiting, 0);
  });

  test('a validator’s frame on the interfaces’ socket is refused', async () => {
    await using gated = await start();
    await gated.waiting(tagOf(1));
    const side = await gated.interface();
    side.write(validate(tagOf(1)));
    await read(side);
    assert.equal(gated.demultiplexer.counts.waiting, 1);
  });

  test('one account has so many requests at a time, and others theirs', async () => {
    const queue = { ...DEFAULT_LIMITS.queue, perBucket: 2 };
    await using gated = await start({ queue });
    for (const n of [1, 2]) await gated.waiting(tagOf(n), 20_000, tagOf(7));
    assert.equal((await read(await gated.waiting(tagOf(3), 20_000, tagOf(7)))).length, 0);
    const other = await gated.waiting(tagOf(4), 20_000, tagOf(8));
    assert.ok(!other.closed);
    assert.equal(gated.demultiplexer.counts.waiting, 3);
  });

  test('of another host come by mutual TLS: one without a certificate of the authority does not', async () => {
    const pki = makePki();
    await using gated = await start(
      {},
      {
        remote: {
          at: { host: '127.0.0.1', port: 0 },
          certificate: pki.server,
          authority: pki.authority,
        },
      },
    );
    const open = (certificate: object) =>
      connectTls({
        port: gated.remotePort!,
        host: '127.0.0.1',
        servername: 'gate.example',
        ca: pki.authority,
        ...certificate,
      });
    const side = open(pki.host);
    side.write(request(tagOf(1)));
    await until(() => gated.demultiplexer.counts.waiting === 1);
    assert.deepEqual(gated.events.at(-1), { event: 'queued', owner: 'host host7.example' });
    const validator = await gated.validator();
    validator.write(validate(tagOf(1)));
    assert.deepEqual(await read(side, 36), Buffer.from(validate(tagOf(1))));
    side.destroy();

    for (const certificate of [{}, pki.stranger]) {
      const stranger = open(certificate);
      stranger.on('error', () => {});
      stranger.write(request(tagOf(2)));
      await read(stranger);
      assert.equal(gated.demultiplexer.counts.waiting, 0);
    }
  });

  test('of another host are not kept out by who holds connections to its port and shows no certificate', async () => {
    const pki = makePki();
    const at = { host: '127.0.0.1', port: 0 };
    await using gated = await start(
      {},
      { remote: { at, certificate: pki.server, authority: pki.authority } },
    );
    const silent: Socket[] = [];
    for (let i = 0; i < 300; i++) {
      const socket = createConnection(gated.remotePort!, '127.0.0.1');
      socket.on('error', () => {});
      await once(socket, 'connect');
      silent.push(socket);
    }
    const side = connectTls({
      port: gated.remotePort!,
      host: '127.0.0.1',
      servername: 'gate.example',
      ca: pki.authority,
      ...pki.host,
    });
    side.write(request(tagOf(1)));
    await until(() => gated.demultiplexer.counts.waiting === 1);
    // the oldest have made room; in a few seconds all are gone, and the host is not
    await until(() => silent.filter(({ destroyed }) => destroyed).length >= 300 - 256);
    await until(() => silent.every(({ destroyed }) => destroyed));
    assert.equal(gated.demultiplexer.counts.waiting, 1);
    side.destroy();
  });
});

describe('WebSocket', () => {
  test('a validator may come by WebSocket, on the same port', async () => {
    await using gated = await start();
    const side = await gated.waiting(tagOf(1));
    const socket = new WebSocket(`ws://127.0.0.1:${gated.port}/`, ['countersign.gate.v1']);
    await once(socket, 'open');
    // where a message ends means nothing
    socket.send(validate(tagOf(1)).slice(0, 10));
    socket.send(Buffer.concat([validate(tagOf(1)).slice(10), Buffer.from('more')]));
    assert.deepEqual(await read(side, 40), Buffer.concat([validate(tagOf(1)), Buffer.from('more')]));
    side.write('and back');
    const [message] = await once(socket, 'message');
    assert.equal(String(message), 'and back');
    socket.close();
    await read(side);
    await until(() => gated.demultiplexer.counts.pairs === 0);
  });

  test('inside TLS too, where it has a certificate', async () => {
    const pki = makePki();
    await using gated = await start({}, { validatorsTls: pki.server });
    const side = await gated.waiting(tagOf(1));
    const socket = new WebSocket(`wss://127.0.0.1:${gated.port}/`, [], {
      ca: pki.authority,
      ...{ servername: 'gate.example' },
    });
    await once(socket, 'open');
    socket.send(validate(tagOf(1)));
    assert.deepEqual(await read(side, 36), Buffer.from(validate(tagOf(1))));
    socket.terminate();
    await read(side);

    const again = await gated.waiting(tagOf(2));
    const raw = connectTls({ port: gated.port, ca: pki.authority, servername: 'gate.example' });
    raw.write(validate(tagOf(2)));
    assert.deepEqual(await read(again, 36), Buffer.from(validate(tagOf(2))));
    raw.destroy();
  });

  test('one with an unknown tag is left without a word, and cut', async () => {
    await using gated = await start();
    const socket = new WebSocket(`ws://127.0.0.1:${gated.port}/`);
    await once(socket, 'open');
    socket.on('error', () => {});
    socket.on('message', () => assert.fail('a word'));
    socket.send(validate(tagOf(1)));
    await once(socket, 'close');
    assert.equal(gated.demultiplexer.counts.strangers, 0);
  });
});

test('draining takes nothing new, ends what waits, and lets pairs end by themselves', async () => {
  await using gated = await start();
  const [side, other] = [await gated.waiting(tagOf(1)), await gated.waiting(tagOf(2))];
  const validator = await gated.validator();
  validator.write(validate(tagOf(1)));
  await read(side, 36);
  side.write('context');
  assert.equal(String(await read(validator, 7)), 'context');
  let drained = false;
  const draining = gated.demultiplexer.drain(10_000).then(() => {
    drained = true;
  });
  await read(other);
  const late = await gated.interface();
  late.write(request(tagOf(3)));
  await read(late);
  side.write('still here');
  assert.equal(String(await read(validator, 10)), 'still here');
  assert.ok(!drained);
  side.end();
  await draining;
});

test('a pair whose interface does not answer holds no stop, and one that has answered does', async () => {
  await using gated = await start();
  const [silent, reading] = [await gated.waiting(tagOf(1)), await gated.waiting(tagOf(2))];
  for (const [n, side] of [silent, reading].entries()) {
    const validator = await gated.validator();
    validator.write(validate(tagOf(n + 1)));
    await read(side, 36);
    if (side === silent) continue;
    side.write('context');
    await read(validator, 7);
  }
  const over = gated.demultiplexer.drain(600_000).then(() => 'over');
  await read(silent);
  const ends = () => gated.events.filter(({ event }) => event === 'pair-ended');
  assert.deepEqual(ends(), [{ event: 'pair-ended', owner: 'uid 0', why: 'stalled' }]);
  assert.equal(gated.demultiplexer.counts.pairs, 1);
  reading.end();
  assert.equal(await over, 'over');
});

test('whoever is slow to read a pair’s last words has a moment for it before the program goes', async () => {
  await using gated = await start();
  const side = await gated.waiting(tagOf(1));
  const validator = await gated.validator();
  validator.write(validate(tagOf(1)));
  await read(side, 36);
  let ended = 0;
  gated.events.push = (...events) => {
    ended = performance.now();
    return Array.prototype.push.apply(gated.events, events);
  };
  const over = gated.demultiplexer.drain(600_000).then(() => performance.now());
  side.end('last words');
  // It reads nothing, and does not close.
  const drained = await over;
  assert.ok(ended > 0 && drained - ended > 500, `${drained - ended} ms`);
  assert.equal(String(await read(validator)), 'last words');
});

test('any bytes at all open nothing, or what they say', () => {
  const runs = { numRuns: process.env.SLOW ? 20_000 : 500 };
  const head = fc.tuple(fc.integer({ min: 0, max: 2100 }), fc.integer({ min: 0, max: 19 }));
  fc.assert(
    fc.property(head, fc.uint8Array({ maxLength: 2200 }), fc.nat(), ([length, type], body, cut) => {
      const bytes = Buffer.concat([Uint8Array.of(length >> 8, length & 0xff, type), body]);
      const whole = parseOpening(bytes);
      if (typeof whole === 'string') return;
      assert.deepEqual(encodeFrame(whole), Uint8Array.from(bytes.subarray(0, length + 2)));
      // no part of an opening is taken for a whole one
      assert.equal(parseOpening(bytes.subarray(0, cut % (length + 2))), 'incomplete');
    }),
    runs,
  );
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
      parseOpening(bytes);
    }),
    runs,
  );
});

function drained(socket: Socket): Promise<boolean> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => done(false), 300);
    const onDrain = () => done(true);
    function done(value: boolean) {
      clearTimeout(timer);
      socket.off('drain', onDrain);
      resolve(value);
    }
    socket.once('drain', onDrain);
  });
}

/** An authority, a certificate of a server, one of a host, and one of another authority; made by OpenSSL. */
function makePki() {
  const place = mkdtempSync(join(folder, 'pki-'));
  const openssl = (...words: string[]) => execFileSync('openssl', words, { cwd: place, stdio: 'pipe' });
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2'];
  const read = (name: string) => readFileSync(join(place, name), 'utf8');
  for (const ca of ['ca', 'other']) {
    openssl('req', '-x509', ...key, '-subj', `/CN=${ca}`, '-keyout', `${ca}.key`, '-out', `${ca}.pem`);
  }
  const issue = (name: string, by: string) => {
    const san = ['-addext', `subjectAltName=DNS:${name}`];
    openssl(
      'req',
      '-x509',
      '-CA',
      `${by}.pem`,
      '-CAkey',
      `${by}.key`,
      ...key,
      '-subj',
      `/CN=${name}`,
      ...san,
      '-keyout',
      'one.key',
      '-out',
      'one.pem',
    );
    return { key: read('one.key'), cert: read('one.pem') };
  };
  return {
    authority: read('ca.pem'),
    server: issue('gate.example', 'ca'),
    host: issue('host7.example', 'ca'),
    stranger: issue('host7.example', 'other'),
  };
}
