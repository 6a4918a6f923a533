import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import {
  createFreeze,
  createRecoveryProof,
  createRevocation,
  createRightsChange,
} from '../src/account-entries.ts';
import { activeDevices } from '../src/device-log.ts';
import { webCrypto } from '../src/webcrypto.ts';
import { grown, NOW, newAccount, signing, type TestAccount, withDevice } from './fixtures.ts';
import { type Kit, newKit, newRecoverable, recovered } from './recovery-fixtures.ts';
import { refused } from './refused.ts';

const prove = ({ log, devices }: TestAccount, { code }: Kit, by: number) =>
  createRecoveryProof(webCrypto, code, log, devices[by]!.kid);
const revocation = ({ log, devices }: TestAccount, by: number, whom: number, proof?: string) =>
  createRevocation(webCrypto, log, devices[by]!.signer, devices[whom]!.kid, 'lost', NOW, proof);
const freeze = async (account: TestAccount, by: number, whom: number) =>
  grown(account, await createFreeze(webCrypto, signing(account, by), account.devices[whom]!.kid));

describe('the last device that may admit, with the printed code at hand,', () => {
  let account: TestAccount;
  let kit: Kit;
  before(async () => {
    ({ account, kit } = await newRecoverable(1));
    account = await withDevice(account, { rights: ['answer', 'admit', 'pay'] });
  });

  test('gives up its right', async () => {
    const alone = await grown(account, await revocation(account, 0, 1));
    const { kid } = alone.devices[0]!;
    const proof = await prove(alone, kit, 0);
    const entry = await createRightsChange(webCrypto, signing(alone, 0), kid, ['answer'], proof);
    assert.deepEqual((await grown(alone, entry)).log.devices.get(kid)!.rights, ['answer']);
  });

  test('goes', async () => {
    const alone = await grown(account, await revocation(account, 0, 1));
    await assert.rejects(grown(alone, await revocation(alone, 0, 0)), refused('last-device'));
    const out = await revocation(alone, 0, 0, await prove(alone, kit, 0));
    assert.deepEqual(activeDevices((await grown(alone, out)).log), []);
  });

  test('proves it for this very entry', async () => {
    const alone = await grown(account, await revocation(account, 0, 1));
    for (const [proof, code] of [
      [await prove(account, kit, 0), 'recovery-invalid'],
      [await prove(alone, kit, 1), 'recovery-invalid'],
      [await prove(alone, await newKit(), 0), 'signature-invalid'],
    ] as const) {
      await assert.rejects(grown(alone, await revocation(alone, 0, 0, proof)), refused(code));
    }
  });

  test('is not another’s to remove: the device that takes the last right to recover proves it itself', async () => {
    await assert.rejects(grown(account, await revocation(account, 1, 0)), refused('last-device'));
    await grown(account, await revocation(account, 1, 0, await prove(account, kit, 1)));
  });

  test('proves nothing where nothing was provided', async () => {
    const without = await newAccount('alice@example.com');
    const out = await revocation(without, 0, 0, await prove(without, kit, 0));
    await assert.rejects(grown(without, out), refused('recovery-invalid'));
  });
});

describe('a proof is asked for', () => {
  test('where the device that stands in is frozen', async () => {
    const { account, kit } = await newRecoverable(2);
    const frozen = await freeze(account, 0, 1);
    await assert.rejects(grown(frozen, await revocation(frozen, 0, 0)), refused('last-device'));
    await grown(frozen, await revocation(frozen, 0, 0, await prove(frozen, kit, 0)));
  });

  test('where the last one froze itself first', async () => {
    const { account, kit } = await newRecoverable(1);
    const frozen = await freeze(account, 0, 0);
    await assert.rejects(grown(frozen, await revocation(frozen, 0, 0)), refused('last-device'));
    await grown(frozen, await revocation(frozen, 0, 0, await prove(frozen, kit, 0)));
  });

  test('where the device that stands in is on probation', async () => {
    const { account, kit } = await newRecoverable(1);
    const waiting = await recovered(account, kit);
    await assert.rejects(grown(waiting, await revocation(waiting, 0, 0)), refused('last-device'));
  });

  test('and not to remove a stolen device that was frozen, by one that may admit', async () => {
    const { account } = await newRecoverable(1);
    const two = await withDevice(account, { rights: ['admit', 'answer'] });
    const frozen = await freeze(two, 1, 0);
    await grown(frozen, await revocation(frozen, 1, 0));
  });
});
