import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import {
  createEpoch,
  createFreeze,
  createRevocation,
  createThaw,
  openEpoch,
} from '../src/account-entries.ts';
import { sealingEpoch } from '../src/device-log.ts';
import { EpochEntry } from '../src/log-entries.ts';
import { extendLog } from '../src/replay.ts';
import { signStatement } from '../src/statement.ts';
import { webCrypto } from '../src/webcrypto.ts';
import {
  answer,
  ask,
  grown,
  NOW,
  newAccount,
  newDevice,
  newEpoch,
  signing,
  type TestAccount,
  withDevice,
  withoutDevice,
} from './fixtures.ts';
import { newRecoverable, recovered } from './recovery-fixtures.ts';
import { refused } from './refused.ts';

const extend = (account: TestAccount, ...entries: string[]) => extendLog(webCrypto, account.log, entries);

describe('a new epoch', () => {
  let account: TestAccount;
  before(async () => {
    const full = await newAccount('alice@example.com', { devices: 3 });
    account = await withoutDevice(full, full.devices[2]!.kid);
  });

  test('is opened by every device that remains, and not by the one that left', async () => {
    const { log, devices, epochPrivate } = account;
    assert.equal(log.epoch.n, 1);
    for (const { kid, opener } of devices.slice(0, 2)) {
      assert.equal(await openEpoch(log.name, log.epoch, kid, opener), epochPrivate);
    }
    const { kid, opener } = devices[2]!;
    await assert.rejects(openEpoch(log.name, log.epoch, kid, opener), refused('epoch-unknown'));
    for (const box of Object.keys(log.epoch.sealed)) {
      await assert.rejects(openEpoch(log.name, log.epoch, box, opener), refused('seal-broken'));
    }
  });

  test('opens under no other account, number or device than it was sealed for', async () => {
    const { log, devices } = account;
    const [one, two] = devices;
    const open = (name: string, epoch = log.epoch) => openEpoch(name, epoch, one!.kid, one!.opener);
    await open(log.name);
    await assert.rejects(open('bob@example.com'), refused('seal-broken'));
    await assert.rejects(open(log.name, { ...log.epoch, n: 2 }), refused('seal-broken'));
    const swapped = { ...log.epoch, sealed: { [one!.kid]: log.epoch.sealed[two!.kid]! } };
    await assert.rejects(open(log.name, swapped), refused('seal-broken'));
  });

  test('takes the right to admit', async () => {
    const limited = await withDevice(await newAccount('alice@example.com'), { rights: ['answer'] });
    const entry = await createEpoch(
      webCrypto,
      limited.log,
      limited.devices[1]!.signer,
      await newEpoch(),
      NOW,
    );
    await assert.rejects(extend(limited, entry.jws), refused('device-not-entitled'));
  });

  test('has the next number', async () => {
    const { signer } = account.devices[0]!;
    for (const n of [0, 1, 3]) {
      const log = { ...account.log, epoch: { ...account.log.epoch, n: n - 1 } };
      const entry = createEpoch(webCrypto, log, signer, await newEpoch(), NOW);
      await assert.rejects(extend(account, (await entry).jws), refused('log-invalid'));
    }
  });

  test('is sealed to exactly the devices that are there', async () => {
    const { log, devices } = account;
    const { jws } = await createEpoch(webCrypto, log, devices[0]!.signer, await newEpoch(), NOW);
    const { epoch } = await extend(account, jws);
    const box = Object.values(epoch.sealed)[0]!;
    const [one, two, gone] = devices.map(({ kid }) => kid) as [string, string, string];
    for (const sealed of [
      {},
      { [one]: box },
      { [one]: box, [gone]: box },
      { [one]: box, [two]: box, [gone]: box },
      { [one]: box, [two]: box, [(await newDevice()).kid]: box },
    ]) {
      const entry = await signStatement(webCrypto, EpochEntry, devices[0]!.signer, {
        sub: log.name,
        iat: NOW,
        seq: log.head.seq + 1,
        prev: log.head.hash,
        epoch: { ...epoch, sealed },
      });
      await assert.rejects(extend(account, entry.jws), refused('log-invalid'));
    }
  });
});

describe('what is sealed to an account', () => {
  const stale = refused('epoch-stale');
  let account: TestAccount;
  before(async () => {
    account = await newAccount('alice@example.com', { devices: 3 });
  });
  const renewed = async (old: TestAccount) =>
    grown(old, await createEpoch(webCrypto, old.log, old.devices[0]!.signer, await newEpoch(), NOW));

  test('goes to its newest epoch, whose key every device holds, the latest too', async () => {
    assert.equal(sealingEpoch(account.log), account.log.epoch);
    const after = await renewed(account);
    assert.equal(sealingEpoch(after.log).n, 1);
    assert.equal(sealingEpoch((await withDevice(after)).log).n, 1);
  });

  test('waits for a new epoch when a device that holds the key was shown out', async () => {
    const { signer, kid } = { ...account.devices[0]!, kid: account.devices[2]!.kid };
    const gone = await grown(
      account,
      await createRevocation(webCrypto, account.log, signer, kid, 'lost', NOW),
    );
    assert.throws(() => sealingEpoch(gone.log), stale);
    assert.equal(sealingEpoch((await renewed(gone)).log).n, 1);
    const bob = await newAccount('bob@example.com');
    await assert.rejects(ask(bob, gone), stale);
    await assert.rejects(answer(bob, gone, await ask(account, bob)), stale);
  });

  test('waits while one that holds the key is frozen', async () => {
    const { kid } = account.devices[2]!;
    const frozen = await grown(account, await createFreeze(webCrypto, signing(account, 0), kid));
    assert.throws(() => sealingEpoch(frozen.log), stale);
    const thawed = await grown(frozen, await createThaw(webCrypto, signing(frozen, 0), kid));
    assert.equal(sealingEpoch(thawed.log).n, 0);
    const without = await renewed(frozen);
    const back = await grown(without, await createThaw(webCrypto, signing(without, 0), kid));
    assert.deepEqual(
      Object.keys(sealingEpoch(back.log).sealed).sort(),
      account.devices
        .slice(0, 2)
        .map((device) => device.kid)
        .sort(),
    );
  });

  test('does not wait for a device on probation, which never held it', async () => {
    const { account: alice, kit } = await newRecoverable();
    const waiting = await recovered(alice, kit);
    assert.equal(sealingEpoch(waiting.log).n, 0);
    const { log, devices } = waiting;
    const undone = createRevocation(webCrypto, log, devices[0]!.signer, devices[2]!.kid, 'undone', NOW);
    assert.equal(sealingEpoch((await grown(waiting, await undone)).log).n, 0);
  });

  test('is refused where it would be a question', async () => {
    const shop = await newAccount('shop@example.com');
    const frozen = await grown(
      account,
      await createFreeze(webCrypto, signing(account, 0), account.devices[2]!.kid),
    );
    await assert.rejects(ask(shop, frozen), stale);
    await ask(shop, frozen, { sealed: false });
  });
});
