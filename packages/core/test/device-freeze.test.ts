import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import {
  createEpoch,
  createFreeze,
  createRecoveryProof,
  createRevocation,
  createThaw,
} from '../src/account-entries.ts';
import { activeDevice, activeDevices, isFrozen } from '../src/device-log.ts';
import { webCrypto } from '../src/webcrypto.ts';
import {
  addEntry,
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
import { type Kit, newKit, newRecoverable, recovered } from './recovery-fixtures.ts';
import { refused } from './refused.ts';

const freeze = async (account: TestAccount, by: number | Kit['code'], whom: number) =>
  grown(account, await createFreeze(webCrypto, signing(account, by), account.devices[whom]!.kid));
const thaw = async (account: TestAccount, by: number | Kit['code'], whom: number, proof?: string) =>
  grown(account, await createThaw(webCrypto, signing(account, by), account.devices[whom]!.kid, proof));
const prove = ({ log, devices }: TestAccount, { code }: Kit, by: number) =>
  createRecoveryProof(webCrypto, code, log, devices[by]!.kid);

describe('freezing a device', () => {
  let account: TestAccount;
  let kit: Kit;
  before(async () => {
    ({ account, kit } = await newRecoverable(3));
  });

  test('is done by a device that may admit, by the device itself, and by the printed code', async () => {
    const limited = await withDevice(account, { rights: ['answer'] });
    for (const by of [0, 3, kit.code]) {
      const { log, devices } = await freeze(limited, by, 3);
      assert.throws(() => activeDevice(log, devices[3]!.kid), refused('device-frozen'));
      assert.deepEqual(log.devices.get(devices[3]!.kid)!.freezes, [{ seq: 4, iat: NOW - 500 }]);
      assert.equal(activeDevices(log).length, 3);
    }
    await assert.rejects(freeze(limited, 3, 0), refused('device-not-entitled'));
  });

  test('is not done by a frozen device to another, nor by a stranger', async () => {
    const frozen = await freeze(account, 0, 1);
    await assert.rejects(freeze(frozen, 1, 2), refused('device-frozen'));
    await assert.rejects(freeze(account, (await newDevice()).signer, 1), refused('device-unknown'));
    await assert.rejects(freeze(account, (await newKit()).code, 1), refused('device-unknown'));
  });

  test('happens to a device that is there and not frozen yet', async () => {
    const frozen = await freeze(account, 0, 1);
    await assert.rejects(freeze(frozen, 0, 1), refused('log-invalid'));
    const gone = await withoutDevice(account, account.devices[1]!.kid);
    await assert.rejects(freeze(gone, 0, 1), refused('device-revoked'));
    const nobody = createFreeze(webCrypto, signing(account, 0), (await newDevice()).kid);
    await assert.rejects(grown(account, await nobody), refused('device-unknown'));
  });

  test('stops all that the device might do', async () => {
    const frozen = await freeze(account, 0, 1);
    const { log, devices } = frozen;
    const admits = await addEntry(frozen, devices[1]!, await newDevice());
    await assert.rejects(grown(frozen, { jws: admits }), refused('device-frozen'));
    const begins = await createEpoch(webCrypto, log, devices[1]!.signer, await newEpoch(), NOW);
    await assert.rejects(grown(frozen, begins), refused('device-frozen'));
    const shows = createRevocation(webCrypto, log, devices[1]!.signer, devices[2]!.kid, 'lost', NOW);
    await assert.rejects(grown(frozen, await shows), refused('device-frozen'));
    await assert.rejects(thaw(frozen, 1, 1), refused('recovery-invalid'));
  });

  test('leaves it the way out: it may show itself out', async () => {
    const frozen = await freeze(account, 0, 1);
    const { log, devices } = frozen;
    const out = await createRevocation(webCrypto, log, devices[1]!.signer, devices[1]!.kid, 'retired', NOW);
    assert.equal((await grown(frozen, out)).log.devices.get(devices[1]!.kid)!.revokedAt!.seq, 4);
  });

  test('keeps a new epoch from it', async () => {
    const frozen = await freeze(account, 0, 1);
    const { log, devices } = frozen;
    const next = await grown(
      frozen,
      await createEpoch(webCrypto, log, devices[0]!.signer, await newEpoch(), NOW),
    );
    assert.deepEqual(Object.keys(next.log.epoch.sealed).sort(), [devices[0]!.kid, devices[2]!.kid].sort());
  });

  test('of the last device that may admit needs a code that could thaw it', async () => {
    const lone = await withDevice(await newAccount('alice@example.com'), { rights: ['answer'] });
    await assert.rejects(freeze(lone, 0, 0), refused('last-device'));
    await freeze(lone, 0, 1);
    const recoverable = await newRecoverable(1);
    assert.ok(isFrozen([...(await freeze(recoverable.account, 0, 0)).log.devices.values()][0]!));
  });
});

describe('thawing a device', () => {
  let account: TestAccount;
  let frozen: TestAccount;
  let kit: Kit;
  before(async () => {
    ({ account, kit } = await newRecoverable(3));
    frozen = await freeze(account, 0, 1);
  });

  test('is done by another device that may admit, and makes it count again', async () => {
    const { log, devices } = await thaw(frozen, 2, 1);
    assert.equal(activeDevice(log, devices[1]!.kid).name, 'Another device');
    assert.deepEqual(log.devices.get(devices[1]!.kid)!.freezes, [{ seq: 3, iat: NOW - 500, until: 4 }]);
  });

  test('is done by the device itself only with the printed code', async () => {
    await assert.rejects(thaw(frozen, 1, 1), refused('recovery-invalid'));
    const { log, devices } = await thaw(frozen, 1, 1, await prove(frozen, kit, 1));
    assert.equal(activeDevice(log, devices[1]!.kid).kid, devices[1]!.kid);
  });

  test('is not done by the printed code without the device', async () => {
    await assert.rejects(thaw(frozen, kit.code, 1), refused('device-not-entitled'));
  });

  test('is not done by one that may not admit, or is frozen too', async () => {
    const limited = await withDevice(frozen, { rights: ['answer', 'recover'] });
    await assert.rejects(thaw(limited, 3, 1), refused('device-not-entitled'));
    const both = await freeze(frozen, 0, 2);
    await assert.rejects(thaw(both, 2, 1), refused('device-frozen'));
  });

  test('happens to a device that is frozen', async () => {
    await assert.rejects(thaw(account, 0, 1), refused('log-invalid'));
    const gone = await withoutDevice(frozen, frozen.devices[1]!.kid);
    await assert.rejects(thaw(gone, 0, 1), refused('device-revoked'));
  });

  test('with a proof of another code, place, account or device is refused', async () => {
    const other = await newRecoverable(1);
    for (const [proof, code] of [
      [await prove(frozen, await newKit(), 1), 'signature-invalid'],
      [await prove(account, kit, 1), 'recovery-invalid'],
      [
        await createRecoveryProof(webCrypto, kit.code, other.account.log, frozen.devices[1]!.kid),
        'recovery-invalid',
      ],
      // A broker that kept back what another device was to sign has no use for its proof.
      [await prove(frozen, kit, 2), 'recovery-invalid'],
      [frozen.log.entries[0]!, 'statement-type'],
    ] as const) {
      await assert.rejects(thaw(frozen, 1, 1, proof), refused(code));
    }
    const without = await newAccount('alice@example.com', { devices: 2 });
    const stuck = await freeze(without, 0, 1);
    await assert.rejects(thaw(stuck, 1, 1, await prove(stuck, kit, 1)), refused('recovery-invalid'));
  });

  test('can be undone: a device is frozen again, and both times are remembered', async () => {
    const { log, devices } = await freeze(await thaw(frozen, 0, 1), 0, 1);
    assert.ok(isFrozen(log.devices.get(devices[1]!.kid)!));
    assert.deepEqual(
      log.devices.get(devices[1]!.kid)!.freezes!.map(({ seq, until }) => [seq, until]),
      [
        [3, 4],
        [5, undefined],
      ],
    );
  });

  test('is nothing that a device on probation can do to itself: it came in by that very code', async () => {
    const waiting = await freeze(await recovered(account, kit), 0, 3);
    await assert.rejects(thaw(waiting, 3, 3, await prove(waiting, kit, 3)), refused('device-on-probation'));
    await thaw(waiting, 1, 3);
  });
});
