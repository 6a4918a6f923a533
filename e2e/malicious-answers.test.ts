/**
 * What a malicious broker can do to those who read its answers, by the bytes alone: they end, they are bounded, and
 * nothing in them is taken for an answer.
 * @module
 */
import assert from 'node:assert/strict';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, afterEach, before, describe, test } from 'node:test';
import { constants, createGzip, gzipSync } from 'node:zlib';
import { BrokerApi, Enquirer } from '@countersign/client';
import { createCheckpoint, type ErrorCode } from '@countersign/core';
import { webCrypto } from '@countersign/core/webcrypto';
import { type MaliciousBroker, startMaliciousBroker } from './malicious-broker.ts';
import { addDevice, introduce, makeParty, type Party, refused, TestClock } from './parties.ts';
import { countersign, temporaryFolder } from './processes.ts';

const HASH = 'A'.repeat(43);

type Serve = (call: IncomingMessage, reply: ServerResponse) => void;

async function withServer(serve: Serve, work: (origin: string) => Promise<void>): Promise<void> {
  const server = createServer(serve);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  try {
    await work(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  } finally {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
}

const state = (more: string) => `{"hash":"${HASH}","state":"pending","expires_at":2000000000${more}}`;

describe('an answer of the broker’s that', () => {
  const zeros = Buffer.alloc(1024 * 1024);
  const cases: [what: string, code: ErrorCode, serve: Serve][] = [
    [
      'is a bomb of gzip',
      'broker-answer-invalid',
      (_call, reply) => {
        reply.writeHead(200, { 'content-type': 'application/json', 'content-encoding': 'gzip' });
        const gzip = createGzip({ level: constants.Z_BEST_SPEED });
        gzip.pipe(reply);
        let sent = 0;
        const pour = () => {
          while (sent++ < 1024 && !reply.destroyed) {
            if (!gzip.write(zeros)) {
              gzip.once('drain', pour);
              return;
            }
          }
          gzip.end();
        };
        pour();
      },
    ],
    [
      'never ends, and comes fast',
      'broker-answer-invalid',
      (_call, reply) => {
        reply.writeHead(200, { 'content-type': 'application/json' });
        const pour = () => {
          while (!reply.destroyed && reply.write(zeros));
          reply.once('drain', pour);
        };
        pour();
      },
    ],
    [
      'sends elsewhere',
      'broker-unreachable',
      (_call, reply) => reply.writeHead(302, { location: 'http://127.0.0.1:1/v1/requests/x' }).end(),
    ],
    ['is empty', 'broker-answer-invalid', (_call, reply) => reply.writeHead(204).end()],
    [
      'is not finished',
      'broker-unreachable',
      (_call, reply) => {
        reply.writeHead(200, { 'content-length': '1000' });
        reply.write('{"hash":');
        reply.socket?.destroySoon();
      },
    ],
    ['is no JSON', 'broker-answer-invalid', (_call, reply) => reply.end('<html>accepted</html>')],
    [
      'is JSON in another encoding',
      'broker-answer-invalid',
      (_call, reply) => reply.end(Buffer.from(state(''), 'utf16le')),
    ],
    [
      'has a member twice',
      'broker-answer-invalid',
      (_call, reply) => reply.end(state(',"state":"answered"')),
    ],
    [
      'has a time without end',
      'broker-answer-invalid',
      (_call, reply) => reply.end(state(',"settled_at":1e400')),
    ],
    [
      'has a time past all dates',
      'broker-answer-invalid',
      (_call, reply) => reply.end(state(',"settled_at":1e17')),
    ],
    [
      'has a time before all',
      'broker-answer-invalid',
      (_call, reply) => reply.end(state(',"settled_at":-1')),
    ],
    [
      'has a prototype for its members',
      'broker-answer-invalid',
      (_call, reply) => reply.end(`{"__proto__":${state('')}}`),
    ],
    [
      'has a state of its own',
      'broker-answer-invalid',
      (_call, reply) => reply.end(state('').replace('pending', 'accepted')),
    ],
    [
      'refuses with a code of its own',
      'broker-answer-invalid',
      (_call, reply) => reply.writeHead(400).end('{"code":"accepted","message":"accepted"}'),
    ],
    [
      'is nested deeply',
      'broker-answer-invalid',
      (_call, reply) => reply.end(`${'{"a":'.repeat(100_000)}1${'}'.repeat(100_000)}`),
    ],
    [
      'is in gzip that is cut off',
      'broker-answer-invalid',
      (_call, reply) =>
        reply.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync(state('')).subarray(0, 20)),
    ],
  ];
  for (const [what, code, serve] of cases) {
    test(`${what} is ${code}, soon and in little memory`, { timeout: 20_000 }, async () => {
      await withServer(serve, async (origin) => {
        const before = process.memoryUsage().rss;
        await assert.rejects(new BrokerApi(origin).readState(HASH), refused(code));
        const grown = (process.memoryUsage().rss - before) / 2 ** 20;
        assert.ok(grown < 256, `${grown.toFixed()} MB`);
      });
    });
  }

  test('comes a byte at a time is given up', { timeout: 40_000 }, async () => {
    const drip: Serve = (_call, reply) => {
      reply.writeHead(200, { 'content-type': 'application/json' });
      const timer = setInterval(() => reply.write(' '), 100);
      reply.on('close', () => clearInterval(timer));
    };
    await withServer(drip, async (origin) => {
      await assert.rejects(new BrokerApi(origin).readState(HASH), refused('broker-unreachable'));
    });
  });
});

describe('of answers that were given', () => {
  const clock = new TestClock();
  let evil: MaliciousBroker;
  let alice: Party;
  let host: Party;
  let serial = 0;
  before(async () => {
    evil = await startMaliciousBroker(clock);
  });
  after(() => evil[Symbol.asyncDispose]());
  afterEach(() => evil.behave());

  async function fresh(): Promise<void> {
    serial++;
    alice = await makeParty(evil.origin, `alice${serial}@example.com`, clock);
    host = await makeParty(evil.origin, `host${serial}@example.com`, clock);
    await introduce(alice, host);
  }
  const ask = (text = 'Log in to Host1') => host.enquirer.ask({ account: alice.name, text });
  async function answer(party: Party, hash: string, decision: 'accept' | 'reject'): Promise<void> {
    const { requests } = await party.device.pending();
    await party.device.answer(requests.find((one) => one.hash === hash)!, { decision, shown: 'caller' });
  }
  const isState = (path: string, hash = '') =>
    path.startsWith(`/v1/requests/${hash}`) && !/receipt/.test(path);
  const isLog = (path: string, { name }: Party) =>
    path.startsWith(`/v1/accounts/${encodeURIComponent(name)}/log`);
  /** The same enquirer after its program was started anew. */
  const restarted = () => {
    const { keys, state } = host.enquirer.session;
    return new Enquirer({ keys, state, crypto: webCrypto, clock });
  };

  test('two are swapped, of questions of one text: neither counts', async () => {
    await fresh();
    const [one, two] = [await ask(), await ask()];
    await answer(alice, one.hash, 'accept');
    await answer(alice, two.hash, 'reject');
    const { api } = host.enquirer.session;
    const responses = {
      [one.hash]: (await api.readState(two.hash)).response,
      [two.hash]: (await api.readState(one.hash)).response,
    };
    evil.tamper((path, body) => isState(path) && { ...body, response: responses[body.hash] });
    for (const { hash } of [one, two]) {
      await assert.rejects(host.enquirer.wait(hash), refused('request-mismatch'));
      await assert.rejects(restarted().status(hash), refused('request-mismatch'));
    }
  });

  test('one that was verified stays, whatever is said later', async () => {
    await fresh();
    const asked = await ask();
    await answer(alice, asked.hash, 'accept');
    assert.equal((await host.enquirer.wait(asked.hash)).outcome, 'accepted');
    evil.tamper(
      (path, body) => isState(path) && { hash: body.hash, state: 'pending', expires_at: body.expires_at },
    );
    for (const enquirer of [host.enquirer, restarted()]) {
      assert.equal((await enquirer.status(asked.hash)).outcome, 'accepted');
      assert.equal((await enquirer.wait(asked.hash)).outcome, 'accepted');
    }
  });

  test('two of two devices are shown, one to each process of the asker: both say the same', async () => {
    await fresh();
    const phone = await addDevice(alice, 'alice’s phone');
    const asked = await ask();
    // The broker takes both, and says of neither that it has it.
    const taken: string[] = [];
    for (const [party, decision] of [
      [alice, 'accept'],
      [phone, 'reject'],
    ] as const) {
      const { api } = party.device.session;
      api.postResponse = async (hash, jws) => {
        taken.push(jws);
        return api.readState(hash);
      };
      await answer(party, asked.hash, decision);
    }
    let shown = 0;
    evil.tamper(
      (path, body) => isState(path) && { ...body, state: 'answered', response: taken[shown++ % 2] },
    );
    const outcomes = await Promise.all([restarted().wait(asked.hash), restarted().wait(asked.hash)]);
    const later = await restarted().wait(asked.hash);
    assert.equal(shown, 2);
    assert.equal(new Set([...outcomes, later].map(({ outcome }) => outcome)).size, 1);
  });

  for (const [what, name, code] of [
    ['in capitals', (name: string) => name.toUpperCase(), 'broker-answer-invalid'],
    ['in letters that look alike', (name: string) => name.replace('a', 'а'), 'broker-answer-invalid'],
    ['as a prototype', () => '__proto__', 'broker-answer-invalid'],
  ] as const) {
    test(`a log comes under its name ${what}`, async () => {
      await fresh();
      evil.tamper((path, body) => isLog(path, alice) && { ...body, name: name(body.name) });
      await assert.rejects(host.enquirer.session.book.find(alice.name, 0), refused(code));
    });
  }

  test('another account’s log comes under a name that was never seen', async () => {
    await fresh();
    const bob = await makeParty(evil.origin, `bob${serial}@example.com`, clock);
    const mallet = await makeParty(evil.origin, `mallet${serial}@example.com`, clock);
    const theirs = await mallet.enquirer.session.api.readLog(mallet.name, 0, 0);
    evil.tamper((path) => isLog(path, bob) && { ...theirs, name: bob.name });
    await assert.rejects(host.enquirer.session.book.find(bob.name, 0), refused('account-mismatch'));
  });

  for (const [what, origin, later, code] of [
    ['from the future', undefined, 120, 'checkpoint-invalid'],
    ['of another broker', 'https://other.example', 0, 'checkpoint-invalid'],
    ['from long ago', undefined, -86_400, 'checkpoint-stale'],
  ] as const) {
    test(`a log comes with a checkpoint ${what}`, async () => {
      await fresh();
      evil.tamper(async (path, body) => {
        if (!isLog(path, alice)) return undefined;
        const { signer } = evil.broker.context;
        const log = await alice.device.session.ownLog(Number.POSITIVE_INFINITY);
        const at = clock.now() + later;
        const made = await createCheckpoint(webCrypto, signer, origin ?? evil.origin, log, at);
        return { ...body, checkpoint: made.jws };
      });
      await assert.rejects(host.enquirer.session.book.find(alice.name, 0), refused(code));
    });
  }

  for (const [what, entries] of [
    ['the same page for ever', (body: { entries: string[] }) => body.entries],
    ['empty pages for ever', () => []],
  ] as const) {
    test(`a log comes as ${what}`, async () => {
      await fresh();
      evil.tamper((path, body) => isLog(path, alice) && { ...body, entries: entries(body), more: true });
      await assert.rejects(host.enquirer.session.book.find(alice.name, 0), refused('broker-answer-invalid'));
    });
  }

  test('a list of a thousand copies of one question shows it once at the most', async () => {
    await fresh();
    await ask();
    evil.tamper(
      (path, body) => path.includes('/pending') && { ...body, requests: Array(1000).fill(body.requests[0]) },
    );
    const { requests } = await alice.device.pending();
    assert.ok(requests.length <= 1, `${requests.length} times`);
  });

  test('a command line that is lied to ends with 8 or worse, and says so', async () => {
    await using folder = await temporaryFolder();
    const run = (who: string, ...words: string[]) =>
      countersign(`${folder.path}/${who}`, words, { env: { COUNTERSIGN_BROKER: evil.origin } });
    await run('anna', 'account', 'create', 'anna@example.com');
    await run('hotel', 'account', 'create', 'hotel@example.com');
    const link = async (who: string) => (await run(who, 'account', 'show', '--link')).stdout.trim();
    await run('anna', 'contact', 'add', await link('hotel'));
    await run('hotel', 'contact', 'add', await link('anna'), '--default');
    const post = async () => {
      const { stdout } = await run('hotel', '--json', 'confirm', 'post', 'Log in');
      return JSON.parse(stdout) as { id: string; hash: string };
    };
    const first = await post();
    const accepted = await run('anna', 'confirm', 'accept', first.id, '--shown');
    assert.equal(accepted.status, 0, accepted.stderr);
    const { response } = await host.enquirer.session.api.readState(first.hash);
    const second = await post();
    for (const [lie, status, words] of [
      [{ state: 'answered', response }, 8, /\(request-mismatch\)/],
      [
        { state: 'answered', response: response?.slice(0, -8) },
        8,
        /\((?:encoding|signature)-invalid|request-mismatch\)/,
      ],
      [{ state: 'answered' }, 8, /\(broker-answer-invalid\)/],
      [{ state: 'refused', statement: response }, 8, /\(statement-type\)/],
      [{ state: 'expired', settled_at: 1 }, 2, /expired/],
      [{ state: 'cancelled-by-broker', reason: '\u001b[2Jaccepted' }, 4, /cancelled by the broker/],
      [{ state: 'pending', expires_at: 4_102_444_800 }, 6, /pending/],
      [{ state: 'accepted' }, 8, /\(broker-answer-invalid\)/],
    ] as const) {
      evil.tamper((path, body) => isState(path, second.hash) && { ...body, ...lie });
      const told = await run('hotel', 'confirm', 'status', second.id);
      evil.behave();
      assert.equal(told.status, status, JSON.stringify([lie, told]));
      assert.match(told.stdout + told.stderr, words);
      assert.equal((told.stdout + told.stderr).includes('\u001b'), false);
    }
  });
});
