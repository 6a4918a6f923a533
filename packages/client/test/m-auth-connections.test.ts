/**
 * Both sides at work over each kind of connection that there is.
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { type WebSocket, WebSocketServer } from 'ws';
import { attemptAt, type Host, newPair } from '../../core/test/m-auth-world.ts';
import { refused } from '../../core/test/refused.ts';
import { systemClock } from '../src/clock.ts';
import {
  type ByteDuplex,
  type ContextAnswer,
  connectWebSocket,
  Inbox,
  type RecordUpdates,
  runAttempt,
  signOn,
} from '../src/m-auth/index.ts';
import { connectSocket, nodeNoise, socketDuplex } from '../src/node/index.ts';

interface Place extends AsyncDisposable {
  connect(): Promise<ByteDuplex>;
  /** The other end of each connection. */
  readonly accepted: Promise<ByteDuplex>;
}

function overSocket(listen: { port: number; host: string } | { path: string }) {
  return async (): Promise<Place> => {
    const { promise, resolve } = Promise.withResolvers<ByteDuplex>();
    const sockets: Socket[] = [];
    const server = createServer((socket) => {
      sockets.push(socket);
      resolve(socketDuplex(socket));
    }).listen(listen);
    await once(server, 'listening');
    const to = 'path' in listen ? listen : { ...listen, port: (server.address() as AddressInfo).port };
    return {
      connect: () => connectSocket(to, 5_000),
      accepted: promise,
      async [Symbol.asyncDispose]() {
        for (const socket of sockets) socket.destroy();
        server.close();
        await once(server, 'close');
      },
    };
  };
}

async function overWebSocket(): Promise<Place> {
  const { promise, resolve } = Promise.withResolvers<ByteDuplex>();
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
  await once(server, 'listening');
  server.on('connection', (socket) => resolve(webSocketDuplex(socket)));
  return {
    connect: () => connectWebSocket(`ws://127.0.0.1:${(server.address() as AddressInfo).port}`),
    accepted: promise,
    async [Symbol.asyncDispose]() {
      for (const client of server.clients) client.terminate();
      await new Promise((done) => server.close(done));
    },
  };
}

/** A server's end, which cuts what it sends where it likes. */
function webSocketDuplex(socket: WebSocket): ByteDuplex {
  const inbox = new Inbox();
  socket.on('message', (data: Buffer) => inbox.push(data));
  socket.on('close', () => inbox.end());
  return {
    incoming: inbox,
    write(bytes) {
      socket.send(bytes.subarray(0, 3));
      socket.send(bytes.subarray(3));
    },
    close: () => socket.close(),
  };
}

async function sign(place: Place, answer: () => Promise<ContextAnswer>, change: { broken?: true } = {}) {
  const { host, device } = await newPair(nodeNoise);
  const records = <R>(holder: { record: R }): RecordUpdates<R> => ({
    async update(_, apply) {
      const next = apply(holder.record);
      if (next === undefined) return false;
      holder.record = next;
      return true;
    },
  });
  const broken: RecordUpdates<Host['record']> = {
    update: () => Promise.reject(new Error('the disk is full')),
  };
  const attempt = attemptAt([host], '123456', { crypto: nodeNoise, opened: systemClock.monotonic() });
  const events: string[] = [];
  const interfaceRun = place.accepted.then(
    (duplex) =>
      runAttempt(attempt, duplex, change.broken ? broken : records(host), systemClock, ({ kind }) =>
        events.push(kind),
      ).finished,
  );
  const [result, ended] = await Promise.allSettled([
    signOn(
      {
        crypto: nodeNoise,
        clock: systemClock,
        records: records(device),
        record: device.record,
        key: device.key,
        passcode: '123456',
        duplex: await place.connect(),
      },
      { answer },
    ),
    interfaceRun,
  ]);
  return { result, ended, events, host, device };
}

const accept = async (): Promise<ContextAnswer> => ({ answer: 'accept', by: 'person' });
const folder = await mkdtemp(join(tmpdir(), 'countersign-m-auth-'));

describe('a sign-on at work', () => {
  for (const [name, open] of Object.entries({
    TCP: overSocket({ port: 0, host: '127.0.0.1' }),
    'a Unix socket': overSocket({ path: join(folder, 'gate') }),
    'a WebSocket': overWebSocket,
  })) {
    test(`over ${name} ends with both sides at the new step`, async () => {
      await using place = await open();
      const { result, events, host, device } = await sign(place, accept);
      assert.ok(result.status === 'fulfilled');
      assert.deepEqual(result.value, { end: { outcome: 'granted' }, alarm: false });
      assert.deepEqual(events, ['shown', 'granted', 'confirmed']);
      assert.equal(host.record.ratchet, device.record.ratchet);
      assert.equal(host.record.before, undefined);
    });
  }

  test('lets nobody in where the record can’t be kept', async () => {
    await using place = await overSocket({ port: 0, host: '127.0.0.1' })();
    const { result, ended, events } = await sign(place, accept, { broken: true });
    assert.equal(ended.status, 'rejected');
    assert.ok(!events.includes('granted'));
    assert.ok(result.status === 'fulfilled');
    assert.equal(result.value.end.outcome, 'unknown');
  });

  test('that the person gives up accepts nothing', async () => {
    await using place = await overSocket({ port: 0, host: '127.0.0.1' })();
    const { result, events } = await sign(place, () => Promise.reject(new Error('Ctrl-C')));
    assert.ok(result.status === 'rejected');
    assert.match(String(result.reason), /Ctrl-C/);
    assert.deepEqual(events, ['shown', 'denied']);
  });

  test('whose other side sends what is no frame ends at once', async () => {
    await using place = await overWebSocket();
    const { device } = await newPair(nodeNoise);
    const other = place.accepted.then((duplex) => duplex.write(Uint8Array.from([0, 0, 0, 0])));
    const { end } = await signOn(
      {
        crypto: nodeNoise,
        clock: systemClock,
        records: { update: async () => false },
        record: device.record,
        key: device.key,
        passcode: '123456',
        duplex: await place.connect(),
      },
      { answer: accept },
    );
    await other;
    assert.equal(end.outcome, 'not-recognised');
    await rm(folder, { recursive: true });
  });

  test('that nobody comes to ends with its gate, by itself', async () => {
    await using place = await overSocket({ port: 0, host: '127.0.0.1' })();
    const { host } = await newPair(nodeNoise);
    const opened = systemClock.monotonic();
    const attempt = attemptAt([host], '123456', { crypto: nodeNoise, opened, gateMs: 5_000 });
    const client = await place.connect();
    const why: string[] = [];
    const records = { update: async () => true };
    await runAttempt(attempt, await place.accepted, records, systemClock, (event) => {
      if (event.kind === 'denied') why.push(event.why);
    }).finished;
    client.close();
    assert.deepEqual(why, ['unanswered']);
    assert.ok(systemClock.monotonic() >= opened + 5_000);
  });

  test('where nobody listens is said so', async () => {
    await assert.rejects(connectSocket({ port: 1, host: '127.0.0.1' }, 2_000), refused('host-unreachable'));
    await assert.rejects(connectWebSocket('ws://127.0.0.1:1'), refused('host-unreachable'));
  });
});
