import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { createFreeze, createGenesis, createRevocation } from '../src/account-entries.ts';
import { activeDevice, activeDevices } from '../src/device-log.ts';
import { GenesisEntry } from '../src/log-entries.ts';
import { extendLog, replayLog } from '../src/replay.ts';
import { signStatement } from '../src/statement.ts';
import { webCrypto } from '../src/webcrypto.ts';
import {
  ALGORITHMS,
  addEntry,
  grown,
  NOW,
  newAccount,
  newDevice,
  newEpoch,
  ownWord,
  signing,
  type TestAccount,
  withDevice,
  withoutDevice,
} from './fixtures.ts';
import { refused } from './refused.ts';

const extend = (account: TestAccount, ...entries: string[]) => extendLog(webCrypto, account.log, entries);

for (const algorithm of ALGORITHMS) {
  describe(`a device log of ${algorithm} keys`, () => {
    test('begins with one device, which may do all, and the first epoch', async () => {
      const { log, devices } = await newAccount('alice@example.com', { algorithm });
      assert.deepEqual(log.head, { seq: 0, hash: log.identity });
      assert.equal(log.epoch.n, 0);
      assert.deepEqual([...log.devices.keys()], [devices[0]!.kid]);
      assert.deepEqual(activeDevice(log, devices[0]!.kid).rights, [
        'ask',
        'answer',
        'pay',
        'admit',
        'recover',
      ]);
    });

    test('lets devices in, shows them out, and says when', async () => {
      const full = await newAccount('alice@example.com', { devices: 3, algorithm });
      const { kid } = full.devices[1]!;
      const { log } = await withoutDevice(full, kid);
      assert.equal(log.head.seq, 4);
      assert.deepEqual(log.devices.get(kid)!.addedAt, { seq: 1, iat: NOW - 900 });
      assert.deepEqual(log.devices.get(kid)!.revokedAt, { seq: 3, iat: NOW - 100, reason: 'lost' });
      assert.deepEqual(
        activeDevices(log).map((device) => device.kid),
        [full.devices[0]!.kid, full.devices[2]!.kid],
      );
      assert.deepEqual(await replayLog(webCrypto, log.entries), log);
    });

    test('any letter changed in any entry is noticed', async () => {
      const account = await newAccount('alice@example.com', { devices: 2, algorithm });
      const { log } = await withoutDevice(account, account.devices[1]!.kid);
      for (const [i, entry] of log.entries.entries()) {
        for (let place = 0; place < entry.length; place += 37) {
          const letter = entry[place] === 'A' ? 'B' : 'A';
          const changed = entry.slice(0, place) + letter + entry.slice(place + 1);
          await assert.rejects(replayLog(webCrypto, log.entries.with(i, changed)), refused());
        }
      }
    });
  });
}

describe('a device that is out', () => {
  let full: TestAccount;
  before(async () => {
    full = await newAccount('alice@example.com', { devices: 3 });
  });
  const out = async (account: TestAccount, reason: 'retired' | 'lost' | 'undone', by = 0) =>
    grown(
      account,
      await createRevocation(
        webCrypto,
        account.log,
        account.devices[by]!.signer,
        full.devices[1]!.kid,
        reason,
        NOW - 200,
      ),
    );

  test('because it retired is shown out as lost all the same, and has been out since it was', async () => {
    // Its thief says that it retired, so that nobody may say that it was lost.
    const retired = await out(full, 'retired', 1);
    const { log } = await out(retired, 'lost');
    assert.deepEqual(log.devices.get(full.devices[1]!.kid)!.revokedAt, {
      seq: 3,
      iat: NOW - 200,
      reason: 'lost',
    });
    assert.deepEqual(await replayLog(webCrypto, log.entries), log);
  });

  test('as lost or undone stays so, and no other reason takes the place of one', async () => {
    for (const reason of ['lost', 'undone'] as const) {
      const gone = await out(full, reason);
      for (const other of ['lost', 'retired', 'undone'] as const)
        await assert.rejects(out(gone, other), refused('device-revoked'));
    }
    const retired = await out(full, 'retired');
    for (const other of ['retired', 'undone'] as const)
      await assert.rejects(out(retired, other), refused('device-revoked'));
  });

  test('is shown out as lost by a device that counts and may admit, and by no other', async () => {
    const weak = await withDevice(full, { rights: ['answer'] });
    const retired = await out(weak, 'retired');
    await assert.rejects(out(retired, 'lost', 1), refused('device-revoked'));
    await assert.rejects(out(retired, 'lost', 3), refused('device-not-entitled'));
    const { kid } = full.devices[2]!;
    const frozen = await grown(retired, await createFreeze(webCrypto, signing(retired, 0), kid));
    await assert.rejects(out(frozen, 'lost', 2), refused('device-frozen'));
  });
});

describe('a first entry', () => {
  test('is refused where its device may not admit others', async () => {
    await assert.rejects(newAccount('alice@example.com', { rights: ['answer'] }), refused('log-invalid'));
  });

  test('is refused where the epoch is not number 0, or sealed to another set than its device', async () => {
    const account = await newAccount('alice@example.com');
    const { kid, signer } = account.devices[0]!;
    const other = await newDevice();
    const genesis = JSON.parse(
      new TextDecoder().decode(
        Uint8Array.fromBase64(account.log.entries[0]!.split('.')[1]!, { alphabet: 'base64url' }),
      ),
    );
    const box = genesis.epoch.sealed[kid];
    for (const epoch of [
      { ...genesis.epoch, n: 1 },
      { ...genesis.epoch, sealed: {} },
      { ...genesis.epoch, sealed: { [other.kid]: box } },
      { ...genesis.epoch, sealed: { [kid]: box, [other.kid]: box } },
    ]) {
      const { jws } = await signStatement(webCrypto, GenesisEntry, signer, { ...genesis, epoch });
      await assert.rejects(replayLog(webCrypto, [jws]), refused('log-invalid'));
    }
  });

  test('is refused where another key signed it than it brings', async () => {
    const [device, other] = [await newDevice(), await newDevice()];
    const { jws } = await createGenesis(webCrypto, {
      name: 'alice@example.com',
      signer: { ...device.signer, sign: (data) => other.signer.sign(data) },
      enc: device.opener.publicKey,
      deviceName: 'Phone',
      epoch: await newEpoch(),
      now: NOW,
    });
    await assert.rejects(replayLog(webCrypto, [jws]), refused('signature-invalid'));
  });

  test('is refused where its name, or the name of its device, may not be shown', async () => {
    const { signer, opener } = await newDevice();
    const founding = { signer, enc: opener.publicKey, epoch: await newEpoch(), now: NOW };
    for (const names of [
      { name: 'Alice@example.com', deviceName: 'Phone' },
      { name: 'alice@example.com', deviceName: 'Pho\u200Bne' },
      { name: 'alice@example.com', deviceName: 'P'.repeat(65) },
      { name: 'alice@example.com', deviceName: '' },
    ]) {
      const created = createGenesis(webCrypto, { ...founding, ...names });
      await assert.rejects(created, refused('statement-malformed'));
    }
  });

  test('comes once, and first', async () => {
    const { log } = await newAccount('alice@example.com', { devices: 2 });
    await assert.rejects(replayLog(webCrypto, []), refused('log-invalid'));
    await assert.rejects(replayLog(webCrypto, log.entries.slice(1)), refused('statement-type'));
    await assert.rejects(extendLog(webCrypto, log, [log.entries[0]!]), refused('log-invalid'));
  });
});

describe('an entry', () => {
  let account: TestAccount;
  let strange: TestAccount;
  before(async () => {
    account = await newAccount('alice@example.com', { devices: 2 });
    strange = await newAccount('alice@example.com', { devices: 2 });
  });

  test('with another number than the next is refused', async () => {
    const device = await newDevice();
    for (const seq of [1, 3, 1000]) {
      const entry = await addEntry(account, account.devices[0]!, device, { seq });
      await assert.rejects(extend(account, entry), refused('log-invalid'));
    }
  });

  test('that follows another entry than the newest is refused', async () => {
    const device = await newDevice();
    for (const prev of [account.log.identity, strange.log.head.hash]) {
      const entry = await addEntry(account, account.devices[0]!, device, { prev });
      await assert.rejects(extend(account, entry), refused('log-invalid'));
    }
  });

  test('of an account of another name is refused', async () => {
    const entry = await addEntry(account, account.devices[0]!, await newDevice(), { sub: 'bob@example.com' });
    await assert.rejects(extend(account, entry), refused('log-invalid'));
  });

  test('of another account of the same name is refused', async () => {
    await assert.rejects(extend(account, strange.log.entries[1]!), refused('log-invalid'));
    const { seq, hash: prev } = account.log.head;
    const moved = await addEntry(strange, strange.devices[0]!, await newDevice(), { seq: seq + 1, prev });
    await assert.rejects(extend(account, moved), refused('device-unknown'));
  });

  test('twice is refused', async () => {
    await assert.rejects(extend(account, account.log.entries[1]!), refused('log-invalid'));
  });

  test('left out is noticed', async () => {
    const { log } = await newAccount('alice@example.com', { devices: 3 });
    await assert.rejects(replayLog(webCrypto, [log.entries[0]!, log.entries[2]!]), refused('log-invalid'));
    const swapped = [log.entries[0]!, log.entries[2]!, log.entries[1]!];
    await assert.rejects(replayLog(webCrypto, swapped), refused('log-invalid'));
  });

  test('by a device that was revoked is refused', async () => {
    const [first, second] = account.devices;
    const shown = await withoutDevice(account, second!.kid);
    const entry = await addEntry(shown, second!, await newDevice());
    await assert.rejects(extend(shown, entry), refused('device-revoked'));
    const revenge = await createRevocation(webCrypto, shown.log, second!.signer, first!.kid, 'lost', NOW);
    await assert.rejects(extend(shown, revenge.jws), refused('device-revoked'));
  });

  test('under an entitled device’s name but with another key is refused', async () => {
    const thief = await newDevice();
    const posing = {
      ...thief,
      signer: { ...account.devices[0]!.signer, sign: (data: Uint8Array) => thief.signer.sign(data) },
    };
    await assert.rejects(
      extend(account, await addEntry(account, posing, thief)),
      refused('signature-invalid'),
    );
  });

  test('of a kind that logs have not is refused', async () => {
    await assert.rejects(
      extend(account, await ownWord(account.log, await newDevice())),
      refused('statement-type'),
    );
  });
});
