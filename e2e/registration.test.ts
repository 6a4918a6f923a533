import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { newEpoch } from '@countersign/client';
import { createGenesis } from '@countersign/core';
import { generateOpener, generateSigner, webCrypto } from '@countersign/core/webcrypto';
import { startTestBroker, type TestBroker, TestClock } from './parties.ts';

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
