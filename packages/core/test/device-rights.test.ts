import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { createRevocation, createRightsChange } from '../src/account-entries.ts';
import { activeDevice, deviceAt } from '../src/device-log.ts';
import { RIGHTS, type Right } from '../src/log-entries.ts';
import { webCrypto } from '../src/webcrypto.ts';
import {
  grown,
  NOW,
  newAccount,
  newDevice,
  signing,
  type TestAccount,
  withDevice,
  withoutDevice,
} from './fixtures.ts';
import { type Kit, newRecoverable, recovered } from './recovery-fixtures.ts';
import { refused } from './refused.ts';

const change = async (account: TestAccount, by: number | Kit['code'], whom: number, rights: Right[]) =>
  grown(
    account,
    await createRightsChange(webCrypto, signing(account, by), account.devices[whom]!.kid, rights),
  );

describe('changing what a device may do', () => {
  let account: TestAccount;
  let kit: Kit;
  before(async () => {
    ({ account, kit } = await newRecoverable(1));
    account = await withDevice(account, { rights: ['answer', 'admit'] });
    account = await withDevice(account, { rights: ['ask', 'pay'] });
  });

  test('replaces all of its rights', async () => {
    const { log, devices } = await change(account, 0, 2, ['recover', 'answer']);
    assert.deepEqual(activeDevice(log, devices[2]!.kid).rights, ['recover', 'answer']);
    assert.deepEqual(log.devices.get(devices[2]!.kid)!.addedAt.seq, 2);
  });

  test('remembers what it might do before, for what it signed then', async () => {
    const once = await change(account, 0, 2, ['answer']);
    const { log, devices } = await change(once, 0, 2, ['pay']);
    const rightsAt = (seq: number) => deviceAt(log, devices[2]!.kid, seq).rights;
    assert.deepEqual([2, 3, 4, 5].map(rightsAt), [['ask', 'pay'], ['answer'], ['pay'], ['pay']]);
  });

  test('takes the right to admit, of oneself too', async () => {
    await assert.rejects(change(account, 2, 2, ['ask']), refused('device-not-entitled'));
    await assert.rejects(change(account, 2, 0, ['ask']), refused('device-not-entitled'));
    await assert.rejects(change(account, kit.code, 2, ['ask']), refused('device-not-entitled'));
    await change(account, 1, 1, ['admit']);
  });

  test('gives no right that the changing device lacks', async () => {
    for (const right of ['recover', 'pay', 'ask'] satisfies Right[]) {
      await assert.rejects(
        change(account, 1, 1, ['answer', 'admit', right]),
        refused('device-not-entitled'),
        right,
      );
    }
    await assert.rejects(change(account, 1, 2, ['ask', 'pay', 'recover']), refused('device-not-entitled'));
  });

  test('leaves and takes rights that the changing device lacks', async () => {
    const { log, devices } = await change(account, 1, 2, ['pay', 'answer']);
    assert.deepEqual(activeDevice(log, devices[2]!.kid).rights, ['pay', 'answer']);
    await change(account, 1, 0, ['admit', 'recover']);
  });

  test('happens to a device that is there', async () => {
    const nobody = createRightsChange(webCrypto, signing(account, 0), (await newDevice()).kid, ['ask']);
    await assert.rejects(grown(account, await nobody), refused('device-unknown'));
    const gone = await withoutDevice(account, account.devices[2]!.kid);
    await assert.rejects(change(gone, 0, 2, ['ask']), refused('device-revoked'));
  });

  test('on probation leaves it on probation', async () => {
    const waiting = await recovered(account, kit);
    const { log, devices } = await change(waiting, 0, 3, ['answer']);
    assert.throws(() => activeDevice(log, devices[3]!.kid), refused('device-on-probation'));
    await assert.rejects(change(waiting, 3, 3, ['answer']), refused('device-on-probation'));
  });

  test('gives at least one right, each once', async () => {
    for (const rights of [[], ['ask', 'ask']] as Right[][]) {
      await assert.rejects(change(account, 0, 2, rights), refused('statement-malformed'));
    }
  });
});

describe('the last device that may admit or recover', () => {
  let account: TestAccount;
  before(async () => {
    account = await withDevice(await newAccount('alice@example.com'), { rights: ['answer', 'pay', 'ask'] });
  });

  test('keeps that right', async () => {
    for (const rights of [['admit'], ['recover'], ['ask']] as Right[][]) {
      await assert.rejects(change(account, 0, 0, rights), refused('last-device'));
    }
    await change(account, 0, 0, ['admit', 'recover']);
  });

  test('is not shown out', async () => {
    const { log, devices } = account;
    const out = createRevocation(webCrypto, log, devices[0]!.signer, devices[0]!.kid, 'retired', NOW);
    await assert.rejects(grown(account, await out), refused('last-device'));
  });

  test('may give it up where another device has it', async () => {
    const both = await withDevice(account, { rights: RIGHTS });
    await change(both, 0, 0, ['ask']);
    await change(both, 2, 0, ['ask']);
  });
});
