import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { newEpoch } from '@countersign/client';
import { createEpoch, EpochEntry, extendLog, type Signer, signStatement } from '@countersign/core';
import { generateSigner, webCrypto } from '@countersign/core/webcrypto';
import { addDevice, type Party, refused } from './parties.ts';
import { createWorld } from './world.ts';

const world = createWorld();
const { clock, party } = world;

async function rowOf({ name }: Party) {
  return (await world.home.broker.context.store.findAccount(name))!;
}

/** A next entry of a party's log, by whatever key. */
async function epochBy(signer: Signer, of: Party, change: object = {}) {
  const log = await of.device.session.ownLog(0);
  const { payload } = await createEpoch(
    webCrypto,
    log,
    of.device.session.keys.signer,
    await newEpoch(),
    clock.now(),
  );
  return (await signStatement(webCrypto, EpochEntry, signer, { ...payload, ...change })).jws;
}

describe('the broker replays no log for', () => {
  for (const [what, code, make] of [
    [
      'a signature by a key that is not in the account',
      'device-unknown',
      async (alice: Party) => epochBy(await generateSigner('EdDSA'), alice),
    ],
    [
      'a signature that is not good',
      'signature-invalid',
      async (alice: Party) => {
        const jws = await epochBy(alice.device.session.keys.signer, alice);
        return `${jws.slice(0, -6)}AAAAAA`;
      },
    ],
    [
      'an entry that follows another',
      'log-invalid',
      async (alice: Party) => epochBy(alice.device.session.keys.signer, alice, { prev: 'A'.repeat(43) }),
    ],
    [
      'an entry that comes later',
      'log-invalid',
      async (alice: Party) => epochBy(alice.device.session.keys.signer, alice, { seq: 7 }),
    ],
  ] as const) {
    test(what, async () => {
      const alice = await party('alice');
      const junk = await make(alice);
      const { replayed } = world.home.broker.context;
      await assert.rejects(alice.device.session.api.appendLog(alice.name, [junk]), refused(code));
      assert.equal(replayed.has((await rowOf(alice)).id), false);
    });
  }
});

test('the broker replays a log once, and goes on from what it knows', async () => {
  const alice = await party('alice');
  await alice.device.devices.beginEpoch();
  const { store } = world.home.broker.context;
  const { readLog } = store;
  let whole = 0;
  store.readLog = (id, from, max) => {
    if (max === undefined) whole++;
    return readLog(id, from, max);
  };
  try {
    await alice.device.devices.beginEpoch();
    const phone = await addDevice(alice, 'phone');
    await alice.device.devices.revoke(await phone.device.session.kid(), 'lost');
  } finally {
    store.readLog = readLog;
  }
  assert.equal(whole, 0);
});

test('a long log is read page by page', async () => {
  const alice = await party('alice');
  const { keys, api } = alice.device.session;
  let log = await alice.device.session.ownLog(0);
  for (let batch = 0; batch < 5; batch++) {
    const from = log.entries.length;
    for (let i = 0; i < 50; i++) {
      const { jws } = await createEpoch(webCrypto, log, keys.signer, await newEpoch(), clock.now());
      log = await extendLog(webCrypto, log, [jws]);
    }
    await api.appendLog(alice.name, log.entries.slice(from));
  }
  const page = await fetch(`${world.home.origin}/v1/accounts/${encodeURIComponent(alice.name)}/log`);
  const { entries, more } = (await page.json()) as { entries: string[]; more?: true };
  assert.deepEqual([entries.length, more], [200, true]);
  const bob = await party('bob');
  assert.equal((await bob.enquirer.session.book.find(alice.name, 60)).log.head.hash, log.head.hash);
});
