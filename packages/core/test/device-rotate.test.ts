import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { createFreeze, createRevocation, createRotation, openEpoch } from '../src/account-entries.ts';
import { activeDevice, checkWordsStand, wordsStand } from '../src/device-log.ts';
import { createDeviceStatement } from '../src/enrolment.ts';
import { DeviceRotateEntry, type Right } from '../src/log-entries.ts';
import { signStatement } from '../src/statement.ts';
import { generateOpener, webCrypto } from '../src/webcrypto.ts';
import {
  ALGORITHMS,
  addEntry,
  grown,
  NOW,
  newDevice,
  ownWord,
  signing,
  type TestAccount,
  type TestDevice,
  withDevice,
  withoutDevice,
} from './fixtures.ts';
import { type Kit, newRecoverable, recovered } from './recovery-fixtures.ts';
import { refused } from './refused.ts';

async function rotation(account: TestAccount, by: number, to: TestDevice, word?: string) {
  const { log, epochPrivate } = account;
  const epoch = { key: log.epoch.key, privateKey: epochPrivate };
  const jws = word ?? (await ownWord(log, to));
  const device = { jws, kid: to.kid, enc: to.opener.publicKey };
  return createRotation(webCrypto, signing(account, by), device, epoch);
}

describe('new keys for a device', () => {
  const rights: Right[] = ['answer', 'pay'];
  let account: TestAccount;
  let kit: Kit;
  before(async () => {
    ({ account, kit } = await newRecoverable(1));
    account = await withDevice(account, { rights });
  });

  test('of sealing alone leave its kid and its place, and it reads by the new key only', async () => {
    const old = account.devices[1]!;
    const renewed = { ...old, opener: await generateOpener() };
    const { log } = await grown(account, await rotation(account, 1, renewed));
    const device = activeDevice(log, old.kid);
    assert.deepEqual(device.enc, renewed.opener.publicKey);
    assert.deepEqual(device.sig, old.signer.publicKey);
    assert.equal(device.addedAt.seq, 1);
    assert.deepEqual(device.rights, rights);
    const open = ({ opener }: TestDevice) => openEpoch(log.name, log.epoch, old.kid, opener);
    assert.equal(await open(renewed), account.epochPrivate);
    await assert.rejects(open(old), refused('seal-broken'));
  });

  for (const algorithm of ALGORITHMS) {
    test(`both of them, to ${algorithm}: the old one is out, the new one has its rights and its box`, async () => {
      const old = account.devices[1]!;
      const renewed = await newDevice(algorithm);
      const { log } = await grown(account, await rotation(account, 1, renewed));
      assert.deepEqual(log.devices.get(old.kid)!.revokedAt, { seq: 2, iat: NOW - 500, reason: 'rotated' });
      assert.throws(() => activeDevice(log, old.kid), refused('device-revoked'));
      const device = activeDevice(log, renewed.kid);
      assert.deepEqual(device.addedAt, { seq: 2, iat: NOW - 500 });
      assert.deepEqual(device.rights, rights);
      assert.deepEqual(Object.keys(log.epoch.sealed).sort(), [account.devices[0]!.kid, renewed.kid].sort());
      assert.equal(log.epochs.at(-1), log.epoch);
      assert.equal(await openEpoch(log.name, log.epoch, renewed.kid, renewed.opener), account.epochPrivate);
    });
  }

  test('take no right to admit, and are made by nobody else', async () => {
    const renewed = await newDevice();
    const { epochPrivate, log } = account;
    const device = {
      jws: await ownWord(log, renewed),
      kid: renewed.kid,
      enc: renewed.opener.publicKey,
    };
    const epoch = { key: log.epoch.key, privateKey: epochPrivate };
    for (const [by, code] of [
      [kit.code, 'device-not-entitled'],
      [renewed.signer, 'device-unknown'],
    ] as const) {
      const entry = await createRotation(webCrypto, signing(account, by), device, epoch);
      await assert.rejects(grown(account, entry), refused(code));
    }
  });

  test('come with the proof that the device holds them, for this account', async () => {
    const renewed = await newDevice();
    const other = await newRecoverable(1);
    for (const [word, code] of [
      [await ownWord(account.log, renewed, (await newDevice()).signer), 'signature-invalid'],
      [await ownWord(other.account.log, renewed), 'account-mismatch'],
      [account.log.entries[0]!, 'statement-type'],
    ] as const) {
      await assert.rejects(grown(account, await rotation(account, 1, renewed, word)), refused(code));
    }
  });

  test('are new: not another device’s, nor one’s own of an earlier time, nor the recovery key', async () => {
    const others = await rotation(account, 1, account.devices[0]!);
    await assert.rejects(grown(account, others), refused('log-invalid'));
    const renewed = await newDevice();
    const after = await grown(account, await rotation(account, 1, renewed));
    const two = { ...after, devices: after.devices.with(1, renewed) };
    const back = await rotation(two, 1, account.devices[1]!);
    await assert.rejects(grown(two, back), refused('log-invalid'));
    const code = { ...renewed, signer: kit.code };
    const word = await createDeviceStatement(webCrypto, account.log, {
      signer: kit.code,
      enc: renewed.opener.publicKey,
      name: 'Paper',
      now: NOW,
    });
    await assert.rejects(grown(account, await rotation(account, 1, code, word.jws)), refused('log-invalid'));
  });

  test('are not for a device that does not count', async () => {
    const renewed = await newDevice();
    const { kid } = account.devices[1]!;
    const frozen = await grown(account, await createFreeze(webCrypto, signing(account, 0), kid));
    await assert.rejects(grown(frozen, await rotation(frozen, 1, renewed)), refused('device-frozen'));
    const gone = await withoutDevice(account, kid);
    await assert.rejects(grown(gone, await rotation(gone, 1, renewed)), refused('device-revoked'));
    const waiting = await recovered(account, kit);
    await assert.rejects(grown(waiting, await rotation(waiting, 2, renewed)), refused('device-on-probation'));
  });

  test('serve: what the new key signs counts, and the old key’s does not', async () => {
    const full = await withDevice(account);
    const renewed = await newDevice();
    const { log, ...rest } = await grown(full, await rotation(full, 2, renewed));
    const after = { ...rest, log, devices: [...full.devices, renewed] };
    await grown(after, { jws: await addEntry(after, renewed, await newDevice()) });
    await assert.rejects(
      grown(after, { jws: await addEntry(after, full.devices[2]!, await newDevice()) }),
      refused('device-revoked'),
    );
  });

  test('take the words of the old ones with them: what becomes of the device becomes of all that it said', async () => {
    const old = account.devices[1]!.kid;
    const [renewed, again] = [await newDevice(), await newDevice()];
    const once = await grown(account, await rotation(account, 1, renewed));
    const two = { ...once, devices: once.devices.with(1, renewed) };
    const after = await grown(two, await rotation(two, 1, again));
    const revoked = async (kid: string, reason: 'retired' | 'lost') =>
      grown(after, await createRevocation(webCrypto, after.log, after.devices[0]!.signer, kid, reason, NOW));
    const frozen = await grown(after, await createFreeze(webCrypto, signing(after, 0), again.kid));
    const stand = ({ log }: TestAccount) =>
      [old, renewed.kid, again.kid].map((kid) => wordsStand(log, log.devices.get(kid)!));
    assert.deepEqual(stand(after), [true, true, true]);
    assert.deepEqual(stand(await revoked(again.kid, 'retired')), [true, true, true]);
    assert.deepEqual(stand(await revoked(again.kid, 'lost')), [false, false, false]);
    assert.deepEqual(stand(frozen), [false, false, false]);
    // A key that was copied before it was rotated away: the device is in good hands, and has another by now.
    assert.deepEqual(stand(await revoked(renewed.kid, 'lost')), [false, false, true]);
    const { log } = await revoked(old, 'lost');
    assert.equal(log.devices.get(old)!.revokedAt!.seq, 2);
    assert.deepEqual(stand({ ...after, log }), [false, true, true]);
    assert.throws(() => checkWordsStand(frozen.log, frozen.log.devices.get(old)!), refused('device-frozen'));
  });

  test('are signed over with the box: another one is another entry', async () => {
    const renewed = await newDevice();
    const { payload } = await rotation(account, 1, renewed);
    const { device, ...without } = payload;
    for (const wrong of [without, { ...payload, sealed: '' }, { ...payload, rights: ['admit'] }]) {
      const made = signStatement(webCrypto, DeviceRotateEntry, account.devices[1]!.signer, wrong as never);
      await assert.rejects(made, refused('statement-malformed'));
    }
  });
});
