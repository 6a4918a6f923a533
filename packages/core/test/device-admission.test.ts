import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { createRevocation, openEpoch } from '../src/account-entries.ts';
import { encodeBase64url } from '../src/base64url.ts';
import { activeDevice } from '../src/device-log.ts';
import type { Right } from '../src/log-entries.ts';
import { MAX_DEVICES } from '../src/new-device.ts';
import { extendLog } from '../src/replay.ts';
import { webCrypto } from '../src/webcrypto.ts';
import {
  addEntry,
  NOW,
  newAccount,
  newDevice,
  ownWord,
  type TestAccount,
  withDevice,
  withoutDevice,
} from './fixtures.ts';
import { refused } from './refused.ts';

const extend = (account: TestAccount, ...entries: string[]) => extendLog(webCrypto, account.log, entries);
const revocation = (account: TestAccount, by: number, kid: string) =>
  createRevocation(webCrypto, account.log, account.devices[by]!.signer, kid, 'lost', NOW);

describe('letting a device in', () => {
  let account: TestAccount;
  before(async () => {
    account = await newAccount('alice@example.com');
  });

  test('gives it the epoch’s key', async () => {
    const { log, devices, epochPrivate } = await withDevice(account);
    for (const { kid, opener } of devices) {
      assert.equal(await openEpoch(log.name, log.epochs[0]!, kid, opener), epochPrivate);
    }
  });

  test('takes the right to admit', async () => {
    const limited = await withDevice(account, { rights: ['ask', 'answer', 'pay', 'recover'] });
    const entry = await addEntry(limited, limited.devices[1]!, await newDevice());
    await assert.rejects(extend(limited, entry), refused('device-not-entitled'));
  });

  test('gives no right that the admitting device lacks', async () => {
    const admitter = await withDevice(account, { rights: ['admit', 'answer'] });
    for (const right of ['ask', 'pay', 'recover'] satisfies Right[]) {
      const entry = await addEntry(admitter, admitter.devices[1]!, await newDevice(), {
        rights: ['answer', right],
      });
      await assert.rejects(extend(admitter, entry), refused('device-not-entitled'));
    }
    const same = await addEntry(admitter, admitter.devices[1]!, await newDevice(), { rights: ['admit'] });
    await extend(admitter, same);
  });

  test('gives at least one right, each once, and none that is unknown', async () => {
    for (const rights of [[], ['answer', 'answer'], ['root'], ['toString']] as Right[][]) {
      const entry = addEntry(account, account.devices[0]!, await newDevice(), { rights });
      await assert.rejects(entry, refused('statement-malformed'));
    }
  });

  test('takes the new device’s own proof that it holds the key', async () => {
    const [device, other] = [await newDevice(), await newDevice()];
    const posing = { ...device.signer, sign: (data: Uint8Array) => other.signer.sign(data) };
    for (const [word, code] of [
      [await ownWord(account.log, device, other.signer), 'signature-invalid'],
      [await ownWord(account.log, device, posing), 'signature-invalid'],
      ['', 'statement-malformed'],
      [account.log.entries[0]!, 'statement-type'],
    ] as const) {
      const entry = await addEntry(account, account.devices[0]!, device, { device: word });
      await assert.rejects(extend(account, entry), refused(code));
    }
  });

  test('takes a proof that was made for this account', async () => {
    const device = await newDevice();
    const { name, identity } = account.log;
    for (const meant of [
      { name: 'bob@example.com', identity },
      { name, identity: encodeBase64url(new Uint8Array(32)) },
    ]) {
      const entry = await addEntry(account, account.devices[0]!, device, {
        device: await ownWord(meant, device),
      });
      await assert.rejects(extend(account, entry), refused('account-mismatch'));
    }
  });

  test('happens once to a key: not while it is in, and not after it was revoked', async () => {
    const both = await withDevice(account);
    const again = await addEntry(both, both.devices[0]!, both.devices[1]!);
    await assert.rejects(extend(both, again), refused('log-invalid'));
    const gone = await withoutDevice(both, both.devices[1]!.kid);
    const back = await addEntry(gone, gone.devices[0]!, both.devices[1]!);
    await assert.rejects(extend(gone, back), refused('log-invalid'));
  });

  test('a revoked key does not come back under another spelling of itself', async () => {
    const both = await withDevice(account);
    const gone = await withoutDevice(both, both.devices[1]!.kid);
    const { signer } = both.devices[1]!;
    const { x } = signer.publicKey;
    // the last of 43 letters has two bits that no byte needs
    const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
    const respelt = x.slice(0, -1) + letters[letters.indexOf(x.at(-1)!) + 1];
    const publicKey = { ...signer.publicKey, x: respelt };
    const device = { ...both.devices[1]!, signer: { ...signer, publicKey } };
    await assert.rejects(ownWord(gone.log, device), refused('statement-malformed'));
  });

  test(`ends at ${MAX_DEVICES} devices`, async () => {
    const full = await newAccount('alice@example.com', { devices: MAX_DEVICES });
    const more = await addEntry(full, full.devices[0]!, await newDevice());
    await assert.rejects(extend(full, more), refused('log-invalid'));
    const fewer = await withoutDevice(full, full.devices[5]!.kid);
    await extend(fewer, await addEntry(fewer, fewer.devices[0]!, await newDevice()));
  });
});

describe('showing a device out', () => {
  test('takes the right to admit, but for the device itself', async () => {
    const account = await withDevice(await newAccount('alice@example.com'), { rights: ['answer'] });
    const [first, second] = account.devices;
    const other = await revocation(account, 1, first!.kid);
    await assert.rejects(extend(account, other.jws), refused('device-not-entitled'));
    const own = await extend(account, (await revocation(account, 1, second!.kid)).jws);
    assert.throws(() => activeDevice(own, second!.kid), refused('device-revoked'));
  });

  test('happens once, and only to a device that is there', async () => {
    const account = await newAccount('alice@example.com', { devices: 2 });
    const gone = await withoutDevice(account, account.devices[1]!.kid);
    const again = await revocation(gone, 0, account.devices[1]!.kid);
    await assert.rejects(extend(gone, again.jws), refused('device-revoked'));
    const nobody = await revocation(gone, 0, (await newDevice()).kid);
    await assert.rejects(extend(gone, nobody.jws), refused('device-unknown'));
  });
});
