import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { createGenesis, createRecoverySet, createRevocation } from '../src/account-entries.ts';
import { MAX_UNDO, MIN_UNDO, type RecoveryProvision, RIGHTS } from '../src/log-entries.ts';
import { replayLog } from '../src/replay.ts';
import { generateSigner, webCrypto } from '../src/webcrypto.ts';
import { grown, NOW, newAccount, signing, type TestAccount, withDevice, withoutDevice } from './fixtures.ts';
import { type Kit, newKit, newRecoverable, recovered, UNDO } from './recovery-fixtures.ts';
import { refused } from './refused.ts';

const set = async (account: TestAccount, by: number | Kit['code'], recovery: RecoveryProvision) =>
  grown(account, await createRecoverySet(webCrypto, signing(account, by), recovery));

describe('another printed code', () => {
  let account: TestAccount;
  let kit: Kit;
  let next: Kit;
  before(async () => {
    ({ account, kit } = await newRecoverable(1));
    account = await withDevice(account, { rights: ['admit', 'recover'] });
    account = await withDevice(account, { rights: ['ask', 'answer', 'pay', 'admit'] });
    next = await newKit();
    next = { ...next, broker: kit.broker, provision: { ...next.provision, broker: kit.broker.publicKey } };
  });

  test('takes the place of the one before, which is worth nothing from then on', async () => {
    const after = await set(account, 1, next.provision);
    assert.deepEqual(after.log.recovery, next.provision);
    await assert.rejects(recovered(after, kit), refused('device-unknown'));
    await recovered(after, next);
  });

  test('takes the right to recover, of a device that is in', async () => {
    await assert.rejects(set(account, 2, next.provision), refused('device-not-entitled'));
    await assert.rejects(set(account, kit.code, next.provision), refused('device-not-entitled'));
    await assert.rejects(set(account, next.code, next.provision), refused('device-unknown'));
    const gone = await withoutDevice(account, account.devices[1]!.kid);
    await assert.rejects(set(gone, 1, next.provision), refused('device-revoked'));
  });

  test('leaves the broker and the time, unless a device with every right says otherwise', async () => {
    const { publicKey: broker } = await generateSigner('EdDSA');
    for (const changed of [{ broker }, { undo: UNDO - 1 }, { broker, undo: UNDO + 1 }]) {
      const provision = { ...next.provision, ...changed };
      await assert.rejects(set(account, 1, provision), refused('device-not-entitled'));
      await set(account, 0, provision);
    }
    await set(account, 1, { ...next.provision, undo: UNDO + 1 });
  });

  test('where there was none is set by a device with every right: what it lets in may have any', async () => {
    const without = await newAccount('alice@example.com');
    await set(without, 0, next.provision);
    const limited = await withDevice(without, { rights: RIGHTS.filter((right) => right !== 'pay') });
    await assert.rejects(set(limited, 1, next.provision), refused('device-not-entitled'));
  });

  test('is not set while a recovery is not decided', async () => {
    const waiting = await recovered(account, kit);
    await assert.rejects(set(waiting, 0, next.provision), refused('log-invalid'));
    const { log, devices } = waiting;
    const undone = createRevocation(webCrypto, log, devices[2]!.signer, devices[3]!.kid, 'undone', NOW);
    await set(await grown(waiting, await undone), 1, next.provision);
  });

  test('is no key of a device, be it in or out', async () => {
    const gone = await withoutDevice(account, account.devices[2]!.kid);
    for (const { signer } of gone.devices) {
      const provision = { ...next.provision, key: signer.publicKey };
      await assert.rejects(set(gone, 0, provision), refused('log-invalid'));
    }
  });

  test('gives between an hour and 30 days to undo', async () => {
    for (const undo of [MIN_UNDO, MAX_UNDO]) await set(account, 0, { ...next.provision, undo });
    for (const undo of [0, MIN_UNDO - 1, MAX_UNDO + 1, 7200.5]) {
      const set = createRecoverySet(webCrypto, signing(account, 0), { ...next.provision, undo });
      await assert.rejects(set, refused('statement-malformed'));
    }
  });
});

describe('the printed code of a new account', () => {
  test('stands in its first entry, and replays', async () => {
    const { provision } = await newKit();
    const { log } = await newAccount('alice@example.com', { recovery: provision });
    assert.deepEqual((await replayLog(webCrypto, log.entries)).recovery, provision);
    const without = await newAccount('alice@example.com');
    assert.equal(without.log.recovery, undefined);
  });

  test('is not the first device’s key', async () => {
    const { log, devices } = await newAccount('alice@example.com');
    const { signer, opener } = devices[0]!;
    const { provision } = await newKit();
    const genesis = await createGenesis(webCrypto, {
      name: log.name,
      signer,
      enc: opener.publicKey,
      deviceName: 'Device 1',
      epoch: { key: log.epoch.key, privateKey: '{}' },
      recovery: { ...provision, key: signer.publicKey },
      now: NOW,
    });
    await assert.rejects(replayLog(webCrypto, [genesis.jws]), refused('log-invalid'));
  });
});
