import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { createAccount, MemoryKeyStore, MemoryStateStore, newEpoch } from '@countersign/client';
import { createGenesis } from '@countersign/core';
import { generateOpener, generateSigner, webCrypto } from '@countersign/core/webcrypto';
import { startMaliciousBroker } from './malicious-broker.ts';
import { refused, startTestBroker, type TestBroker, TestClock } from './parties.ts';

let serial = 0;

/** The first entry of somebody's log. */
async function newLog(): Promise<string[]> {
  const genesis = await createGenesis(webCrypto, {
    name: `somebody${++serial}@example.com`,
    signer: await generateSigner('EdDSA'),
    enc: (await generateOpener()).publicKey,
    deviceName: 'device',
    epoch: await newEpoch(),
    now: Math.floor(Date.now() / 1000),
  });
  return [genesis.jws];
}

/** Registers a log as a proxy passes it on, for the address that it names. */
async function register(home: TestBroker, entries: string[], from?: string) {
  const answer = await fetch(`${home.origin}/v1/accounts`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      ...(from === undefined ? {} : { 'x-forwarded-for': from }),
    },
    body: JSON.stringify({ entries }),
  });
  const { code, retry_after } = (await answer.json()) as { code?: string; retry_after?: number };
  return { status: answer.status, code, retryAfter: retry_after, header: answer.headers.get('retry-after') };
}

describe('one address', () => {
  test('registers so many accounts in an hour, and is then told when it may go on', async () => {
    const clock = new TestClock();
    await using home = await startTestBroker(clock, { registrationsPerHour: 2 });
    const first = await newLog();
    assert.equal((await register(home, first)).status, 201);
    clock.offset += 600;
    assert.equal((await register(home, await newLog())).status, 201);
    const refused = await register(home, await newLog());
    assert.deepEqual([refused.status, refused.code], [429, 'too-often']);
    assert.ok(refused.retryAfter! > 2900 && refused.retryAfter! <= 3000);
    assert.equal(refused.header, String(refused.retryAfter));
    clock.offset += 3001;
    assert.equal((await register(home, await newLog())).status, 201);
  });

  test('that lost the answer may register the same account again', async () => {
    await using home = await startTestBroker(new TestClock(), { registrationsPerHour: 1 });
    const log = await newLog();
    for (let i = 0; i < 3; i++) assert.equal((await register(home, log)).status, 201);
    assert.equal((await register(home, await newLog())).code, 'too-often');
  });

  test('is the proxy’s own, unless the proxy is trusted', async () => {
    await using home = await startTestBroker(new TestClock(), { registrationsPerHour: 1 });
    assert.equal((await register(home, await newLog(), '192.0.2.1')).status, 201);
    assert.equal((await register(home, await newLog(), '192.0.2.2')).code, 'too-often');
  });

  test('is the one that a trusted proxy names; of an IPv6 address its network', async () => {
    const options = { registrationsPerHour: 1, trustProxy: ['127.0.0.1'] };
    await using home = await startTestBroker(new TestClock(), options);
    for (const [from, code] of [
      ['192.0.2.1', undefined],
      ['192.0.2.2', undefined],
      ['192.0.2.1', 'too-often'],
      // what the caller itself wrote before it reached the proxy
      ['192.0.2.3, 192.0.2.2', 'too-often'],
      ['2001:db8:1:2::1', undefined],
      ['2001:db8:1:2:ffff::9', 'too-often'],
      ['2001:db8:1:3::1', undefined],
    ] as const) {
      assert.equal((await register(home, await newLog(), from)).code, code, from);
    }
  });
});

describe('an account whose registration was taken, and the answer lost', () => {
  async function lose() {
    const clock = new TestClock();
    const broker = await startMaliciousBroker(clock);
    const [keyStore, state] = [new MemoryKeyStore(), new MemoryStateStore()];
    const own = { broker: broker.origin, deviceName: 'laptop', keyStore, state, crypto: webCrypto, clock };
    const make = (name: string) => createAccount({ name, ...own });
    broker.tamper((path) => path === '/v1/accounts' && { nothing: 'that helps' });
    await assert.rejects(make('alice@example.com'), refused('broker-answer-invalid'));
    broker.behave();
    return { broker, keyStore, state, make };
  }

  test('keeps its keys, and is made whole by the same call', async () => {
    const { broker, keyStore, state, make } = await lose();
    await using _ = broker;
    const kept = await keyStore.load();
    assert.notEqual(kept, undefined);
    const made = await make('alice@example.com');
    assert.equal(made.identity, kept!.identity);
    assert.equal((await broker.broker.context.store.findAccount(made.name))?.identity, made.identity);
    assert.deepEqual(await state.list('registration'), []);
  });

  test('loses them where the broker then refuses it', async () => {
    const { broker, keyStore, state, make } = await lose();
    await using _ = broker;
    broker.tamper((path) => {
      if (path === '/v1/accounts') throw new Error('a cut line');
    });
    await assert.rejects(make('alice@example.com'), refused('broker-answer-invalid'));
    assert.notEqual(await keyStore.load(), undefined);
    broker.behave();
    await state.update('registration', `${broker.origin} alice@example.com`, (old) => ({
      ...(old as object),
      jws: 'no.statement.x',
    }));
    await assert.rejects(make('alice@example.com'), refused('encoding-invalid'));
    assert.equal(await keyStore.load(), undefined);
  });
});
