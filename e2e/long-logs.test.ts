import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  beginRecovery,
  completeRecovery,
  Device,
  freezeByCode,
  MemoryKeyStore,
  MemoryStateStore,
  newEpoch,
} from '@countersign/client';
import {
  activeDevices,
  createDeviceAdd,
  createDeviceStatement,
  createEpoch,
  type DeviceLog,
  DeviceRotateEntry,
  EpochEntry,
  extendLog,
  type Right,
  type Signer,
  signStatement,
} from '@countersign/core';
import { generateOpener, generateSigner, webCrypto } from '@countersign/core/webcrypto';
import { addDevice, type Party, refused } from './parties.ts';
import { createWorld } from './world.ts';

const DAY = 86_400;
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
    clock.offset += DAY;
    const from = log.entries.length;
    for (let i = 0; i < 50; i++) {
      const { jws } = await createEpoch(webCrypto, log, keys.signer, await newEpoch(), clock.now());
      log = await extendLog(webCrypto, log, [jws]);
    }
    await api.appendLog(alice.name, log.entries.slice(from));
  }
  clock.offset -= 5 * DAY;
  const page = await fetch(`${world.home.origin}/v1/accounts/${encodeURIComponent(alice.name)}/log`);
  const { entries, more } = (await page.json()) as { entries: string[]; more?: true };
  assert.deepEqual([entries.length, more], [200, true]);
  const bob = await party('bob');
  assert.equal((await bob.enquirer.session.book.find(alice.name, 60)).log.head.hash, log.head.hash);
});

/** A device's own word of its keys, under which it stands in the log from its next entry on. */
async function ownWord(log: DeviceLog, signer: Signer): Promise<string> {
  const { publicKey } = await generateOpener();
  const device = { signer, enc: publicKey, name: 'stolen', now: clock.now() };
  return (await createDeviceStatement(webCrypto, log, device)).jws;
}

/** Gives a device new keys, or the same again, and in the place of the epoch's key whatever fills the log. */
async function rotate(log: DeviceLog, signer: Signer, device: string, characters = 512): Promise<DeviceLog> {
  const { jws } = await signStatement(webCrypto, DeviceRotateEntry, signer, {
    sub: log.name,
    iat: clock.now(),
    seq: log.head.seq + 1,
    prev: log.head.hash,
    device,
    sealed: 'A'.repeat(characters),
  });
  return extendLog(webCrypto, log, [jws]);
}

describe('a stolen device', () => {
  const stolen = (from: Party, rights: Right[]) => addDevice(from, 'stolen', rights);

  test('adds a hundred entries a day, by whatever keys, and none that is larger than it must be', async () => {
    const alice = await party('alice');
    const thief = await stolen(alice, ['answer']);
    const { api } = thief.device.session;
    let log = await thief.device.session.ownLog(0);
    let { signer } = thief.device.session.keys as { signer: Signer };
    const large = await rotate(log, signer, await ownWord(log, signer), 8000);
    await assert.rejects(api.appendLog(alice.name, large.entries.slice(-1)), refused('input-invalid'));
    for (let i = 0; i < 2; i++) {
      const from = log.entries.length;
      for (let n = 0; n < 50; n++) {
        const to = n % 10 === 0 ? await generateSigner('EdDSA') : signer;
        log = await rotate(log, signer, await ownWord(log, to));
        signer = to;
      }
      await api.appendLog(alice.name, log.entries.slice(from));
    }
    const more = await rotate(log, signer, await ownWord(log, signer));
    await assert.rejects(api.appendLog(alice.name, more.entries.slice(-1)), refused('too-often'));
    // It has used up nothing of what others may do.
    const phone = await addDevice(alice, 'phone');
    const { kid } = [...log.devices.values()].find(
      (device) => device.name === 'stolen' && device.revokedAt === undefined,
    )!;
    await alice.device.devices.revoke(kid, 'lost');
    assert.equal((await phone.device.pending()).requests.length, 0);
  });

  test('that may let others in fills the log in days, and is shown out, and by the code stopped, all the same', async () => {
    const { party: alice, code } = await world.partyWithCode('alice');
    const [thief, tablet, phone] = [
      await stolen(alice, ['admit', 'answer']),
      await addDevice(alice, 'tablet'),
      await addDevice(alice, 'phone', ['admit', 'answer']),
    ];
    const { api, keys } = thief.device.session;
    let log = await thief.device.session.ownLog(0);
    const signing = () => ({ signer: keys.signer, log, now: clock.now() });
    const epoch = await newEpoch();
    const kids: string[] = [];
    while (kids.length < 14) {
      const signer = await generateSigner('EdDSA');
      const { publicKey: enc } = await generateOpener();
      const device = { signer, enc, name: 'of the thief', now: clock.now() };
      const own = await createDeviceStatement(webCrypto, log, device);
      const { jws } = await createDeviceAdd(webCrypto, signing(), { ...own, enc }, ['answer'], epoch);
      log = await extendLog(webCrypto, log, [jws]);
      kids.push(own.kid);
    }
    await api.appendLog(alice.name, log.entries.slice(-kids.length));
    // Epochs whose boxes hold nothing.
    const box = 'A'.repeat(512);
    const sealed = Object.fromEntries(activeDevices(log).map(({ kid }) => [kid, box]));
    let full: unknown;
    try {
      for (let n = 0; full === undefined; n++) {
        if (n % 80 === 0) clock.offset += DAY;
        const payload = {
          sub: log.name,
          iat: clock.now(),
          seq: log.head.seq + 1,
          prev: log.head.hash,
          epoch: { n: log.epoch.n + 1, key: epoch.key, sealed },
        };
        const { jws } = await signStatement(webCrypto, EpochEntry, keys.signer, payload);
        await api.appendLog(alice.name, [jws]).then(
          async () => {
            log = await extendLog(webCrypto, log, [jws]);
          },
          (error: unknown) => {
            full = error;
          },
        );
      }
      assert.ok(refused('log-full')(full));
      clock.offset += DAY;
      await checkClosing();
    } finally {
      clock.offset = 0;
    }

    async function checkClosing(): Promise<void> {
      const thiefKid = await thief.device.session.kid();
      // What may be stopped and started again is no way to fill what is kept.
      const kid = await tablet.device.session.kid();
      const forever = async () => {
        for (;;) {
          await thief.device.devices.freeze(kid);
          await thief.device.devices.thaw(kid);
        }
      };
      await assert.rejects(forever(), refused('log-full'));
      await assert.rejects(stolen(thief, ['answer']), refused('log-full'));
      await thief.device.devices.revoke(kid, 'lost');
      await thief.device.devices.freeze(await phone.device.session.kid());
      await thief.device.devices.revoke(await phone.device.session.kid(), 'lost');

      await alice.device.devices.revoke(kids[0]!, 'lost');
      await thief.device.devices.freeze(await alice.device.session.kid());
      await thief.device.devices.revoke(await alice.device.session.kid(), 'lost');

      // Nothing is left but the code; and the thief undoes each recovery until it is stopped.
      const stores = { state: new MemoryStateStore(), crypto: webCrypto, clock };
      const { name, identity, broker } = alice.device.session.keys;
      const place = { name, identity, broker };
      const recover = async () => {
        const machine = { ...stores, state: new MemoryStateStore(), keyStore: new MemoryKeyStore() };
        const { kid } = await beginRecovery(place, code, { deviceName: 'a new machine' }, machine);
        return { machine, kid };
      };
      for (let i = 0; i < 3; i++) await thief.device.devices.revoke((await recover()).kid, 'undone');
      await freezeByCode(place, code, () => thiefKid, stores);
      const { machine } = await recover();
      clock.offset += 3 * DAY + 61;
      await completeRecovery(machine);
      const device = new Device({ ...machine, keys: (await machine.keyStore.load())! });
      await device.devices.revoke(thiefKid, 'lost');
      assert.deepEqual(
        [...(await device.session.ownLog(0)).devices.values()]
          .filter(({ revokedAt }) => revokedAt === undefined)
          .map((one) => one.name)
          .filter((name) => name !== 'of the thief'),
        ['a new machine'],
      );
    }
  });
});
