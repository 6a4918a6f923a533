import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import {
  createEpoch,
  createFreeze,
  createRecovery,
  createRecoveryComplete,
  createRevocation,
} from '../src/account-entries.ts';
import { createCheckpoint } from '../src/checkpoint.ts';
import { createContact, NO_CONTACTS, verifyContact } from '../src/contact.ts';
import { activeDevice, activeDevices } from '../src/device-log.ts';
import { createDeviceStatement } from '../src/enrolment.ts';
import type { CountersignError } from '../src/errors.ts';
import { RIGHTS } from '../src/log-entries.ts';
import { verifyRequest } from '../src/request.ts';
import { verifyResponse } from '../src/response.ts';
import { webCrypto } from '../src/webcrypto.ts';
import {
  answer,
  ask,
  BROKER,
  grown,
  NOW,
  newAccount,
  newDevice,
  newEpoch,
  ownWord,
  reader,
  signing,
  type TestAccount,
  withDevice,
} from './fixtures.ts';
import { checkpointAt, type Kit, newKit, newRecoverable, recovered, UNDO } from './recovery-fixtures.ts';
import { refused } from './refused.ts';

const complete = async (account: TestAccount, by: number, from: string, to: string) =>
  grown(account, await createRecoveryComplete(webCrypto, signing(account, by), from, to));
const revoke = async (account: TestAccount, by: number | Kit['code'], whom: number) => {
  const { signer, log, now } = signing(account, by);
  const { kid } = account.devices[whom]!;
  return grown(account, await createRevocation(webCrypto, log, signer, kid, 'undone', now));
};
const freeze = async (account: TestAccount, by: number | Kit['code'], whom: number) =>
  grown(account, await createFreeze(webCrypto, signing(account, by), account.devices[whom]!.kid));

let account: TestAccount;
let kit: Kit;
let waiting: TestAccount;
before(async () => {
  ({ account, kit } = await newRecoverable(1));
  account = await withDevice(account, { rights: ['answer'] });
  waiting = await recovered(account, kit);
});

describe('a recovery', () => {
  test('lets a device in, which waits', () => {
    const { log, devices } = waiting;
    const device = log.devices.get(devices[2]!.kid)!;
    assert.deepEqual(device.addedAt, { seq: 2, iat: NOW - 500 });
    assert.deepEqual(device.rights, RIGHTS);
    assert.equal(device.probation, true);
    assert.equal(activeDevices(log).length, 2);
    assert.throws(() => activeDevice(log, device.kid), refused('device-on-probation'));
  });

  test('is signed by the recovery key and nobody else', async () => {
    const word = await ownWord(account.log, await newDevice());
    for (const [by, code] of [
      [0, 'log-invalid'],
      [(await newKit()).code, 'device-unknown'],
      [(await newDevice()).signer, 'device-unknown'],
    ] as const) {
      const entry = await createRecovery(webCrypto, signing(account, by), word);
      await assert.rejects(grown(account, entry), refused(code));
    }
    const posing = { ...kit.code, sign: (data: Uint8Array) => kit.broker.sign(data) };
    const entry = await createRecovery(webCrypto, signing(account, posing), word);
    await assert.rejects(grown(account, entry), refused('signature-invalid'));
  });

  test('is not to be had where none was provided for', async () => {
    const without = await newAccount('alice@example.com');
    await assert.rejects(recovered(without, kit), refused('device-unknown'));
  });

  test('is one at a time: another can begin when the first was undone, or is complete', async () => {
    await assert.rejects(recovered(waiting, kit), refused('log-invalid'));
    await recovered(await revoke(waiting, 0, 2), kit);
    const [from, to] = [await checkpointAt(waiting.log, kit, 0), await checkpointAt(waiting.log, kit, UNDO)];
    await recovered(await complete(waiting, 2, from, to), kit);
  });

  test('brings a new key, by the word of who holds it, and not the recovery key', async () => {
    await assert.rejects(recovered(account, kit, RIGHTS, account.devices[1]), refused('log-invalid'));
    const device = await newDevice();
    const word = await ownWord(account.log, device, account.devices[0]!.signer);
    const unproven = await createRecovery(webCrypto, signing(account, kit.code), word);
    await assert.rejects(grown(account, unproven), refused('signature-invalid'));
    const elsewhere = await ownWord((await newAccount('alice@example.com')).log, device);
    const foreign = await createRecovery(webCrypto, signing(account, kit.code), elsewhere);
    await assert.rejects(grown(account, foreign), refused('account-mismatch'));
    const { jws } = await createDeviceStatement(webCrypto, account.log, {
      signer: kit.code,
      enc: device.opener.publicKey,
      name: 'Paper',
      now: NOW,
    });
    const paper = await createRecovery(webCrypto, signing(account, kit.code), jws);
    await assert.rejects(grown(account, paper), refused('log-invalid'));
  });
});

describe('a device on probation counts nowhere:', () => {
  test('it answers nothing, and its answer stays worthless when it counts', async () => {
    const shop = await newAccount('shop@example.com');
    const request = await ask(shop, waiting, { sealed: false });
    const { jws } = (await answer(waiting, shop, request, undefined, { device: waiting.devices[2]! }))
      .statement;
    const verify = ({ log }: TestAccount) => verifyResponse(webCrypto, request, log, jws, reader(shop));
    await assert.rejects(verify(waiting), refused('device-on-probation'));
    const [from, to] = [await checkpointAt(waiting.log, kit, 0), await checkpointAt(waiting.log, kit, UNDO)];
    await assert.rejects(verify(await complete(waiting, 2, from, to)), refused('log-invalid'));
  });

  test('it asks nothing', async () => {
    const asking = { ...waiting, devices: waiting.devices.toReversed() };
    const { statement } = await ask(asking, account, { sealed: false });
    const verified = verifyRequest(webCrypto, statement, waiting.log, { now: NOW, brokers: [BROKER] });
    await assert.rejects(verified, refused('device-on-probation'));
  });

  test('it changes no contacts', async () => {
    const contact = { name: 'shop@example.com', identity: account.log.identity };
    const { signer } = waiting.devices[2]!;
    const change = await createContact(webCrypto, signer, waiting.log, NO_CONTACTS, contact, 'allow', NOW);
    const read = verifyContact(webCrypto, change, waiting.log, (seq) => waiting.log.hashes[seq]);
    await assert.rejects(read, refused('device-unknown'));
  });

  test('it changes the log in no way but to go', async () => {
    const { log, devices } = waiting;
    const begins = await createEpoch(webCrypto, log, devices[2]!.signer, await newEpoch(), NOW);
    await assert.rejects(grown(waiting, begins), refused('device-on-probation'));
    await assert.rejects(revoke(waiting, 2, 1), refused('device-on-probation'));
    await assert.rejects(freeze(waiting, 2, 1), refused('device-on-probation'));
    await revoke(waiting, 2, 2);
  });

  test('no epoch is sealed to it', async () => {
    const { log, devices } = waiting;
    const next = await createEpoch(webCrypto, log, devices[0]!.signer, await newEpoch(), NOW);
    const { epoch } = (await grown(waiting, next)).log;
    assert.deepEqual(Object.keys(epoch.sealed).sort(), [devices[0]!.kid, devices[1]!.kid].sort());
    const lent = { ...log, devices: new Map(log.devices) };
    lent.devices.set(devices[2]!.kid, { ...log.devices.get(devices[1]!.kid)!, kid: devices[2]!.kid });
    const sealed = await createEpoch(webCrypto, lent, devices[0]!.signer, await newEpoch(), NOW);
    await assert.rejects(grown(waiting, sealed), refused('log-invalid'));
  });
});

describe('undoing a recovery', () => {
  test('is done by any other device, with whatever rights', async () => {
    for (const by of [0, 1]) {
      const { log, devices } = await revoke(waiting, by, 2);
      assert.equal(log.devices.get(devices[2]!.kid)!.revokedAt!.reason, 'undone');
    }
  });

  test('is done by a frozen device too: the thief of the code may have frozen them all', async () => {
    const frozen = await freeze(await freeze(waiting, kit.code, 0), kit.code, 1);
    await revoke(frozen, 1, 2);
  });

  test('is done by the code itself: what it let in may be lost before it counts', async () => {
    await recovered(await revoke(waiting, kit.code, 2), kit);
    await assert.rejects(revoke(waiting, kit.code, 1), refused('device-not-entitled'));
  });

  test('is not done by a device that was shown out, nor once the recovery is complete', async () => {
    await assert.rejects(revoke(await revoke(waiting, 0, 1), 1, 2), refused('device-revoked'));
    const [from, to] = [await checkpointAt(waiting.log, kit, 0), await checkpointAt(waiting.log, kit, UNDO)];
    const whole = await complete(waiting, 2, from, to);
    await assert.rejects(revoke(whole, 1, 2), refused('device-not-entitled'));
    await assert.rejects(revoke(whole, kit.code, 2), refused('device-not-entitled'));
  });

  test('is for good: the key does not come back', async () => {
    const undone = await revoke(waiting, 1, 2);
    await assert.rejects(recovered(undone, kit, RIGHTS, waiting.devices[2]), refused('log-invalid'));
  });
});

describe('the end of a probation', () => {
  let [from, to] = ['', ''];
  before(async () => {
    from = await checkpointAt(waiting.log, kit, 0);
    to = await checkpointAt(waiting.log, kit, UNDO);
  });

  test('makes the device count, from then on', async () => {
    const { log, devices } = await complete(waiting, 2, from, to);
    assert.deepEqual(activeDevice(log, devices[2]!.kid).addedAt, { seq: 3, iat: NOW - 500 });
    assert.equal(activeDevices(log).length, 3);
  });

  test('comes when the undo period is over, to the second, and not before', async () => {
    const late = await checkpointAt(waiting.log, kit, UNDO - 1);
    await assert.rejects(complete(waiting, 2, from, late), (error) => {
      refused('recovery-early')(error);
      assert.equal((error as CountersignError).retryAfter, 1);
      return true;
    });
    for (const [first, second] of [
      [from, from],
      [to, to],
      [to, from],
    ] as const) {
      await assert.rejects(complete(waiting, 2, first, second), refused('recovery-early'));
    }
  });

  test('takes checkpoints over a log that has the recovery', async () => {
    const before = await checkpointAt(account.log, kit, 0);
    await assert.rejects(complete(waiting, 2, before, to), refused('recovery-invalid'));
    const longer = await freeze(waiting, 0, 1);
    const later = await checkpointAt(longer.log, kit, UNDO);
    await complete(longer, 2, from, later);
    await assert.rejects(complete(waiting, 2, from, later), refused('recovery-invalid'));
  });

  test('takes checkpoints of this account and this log', async () => {
    const { log } = waiting;
    const forked = await checkpointAt((await recovered(account, kit)).log, kit, 0);
    const other = await recovered(await newAccount('alice@example.com', { recovery: kit.provision }), kit);
    for (const wrong of [
      forked,
      await checkpointAt(other.log, kit, 0),
      await checkpointAt({ ...log, name: 'bob@example.com' }, kit, 0),
      await checkpointAt({ ...log, identity: other.log.identity }, kit, 0),
    ]) {
      await assert.rejects(complete(waiting, 2, wrong, to), refused('recovery-invalid'));
      await assert.rejects(complete(waiting, 2, from, wrong), refused('recovery-invalid'));
    }
  });

  test('takes checkpoints of the broker that was named', async () => {
    const own = await createCheckpoint(webCrypto, waiting.devices[2]!.signer, BROKER, waiting.log, NOW);
    await assert.rejects(complete(waiting, 2, own.jws, to), refused('signature-invalid'));
    const another = await checkpointAt(waiting.log, await newKit(), UNDO);
    await assert.rejects(complete(waiting, 2, from, another), refused('signature-invalid'));
    await assert.rejects(complete(waiting, 2, waiting.log.entries[0]!, to), refused('statement-type'));
  });

  test('is signed by the device on probation, once', async () => {
    await assert.rejects(complete(waiting, 0, from, to), refused('log-invalid'));
    const whole = await complete(waiting, 2, from, to);
    await assert.rejects(complete(whole, 2, from, to), refused('log-invalid'));
    const byCode = await createRecoveryComplete(webCrypto, signing(waiting, kit.code), from, to);
    await assert.rejects(grown(waiting, byCode), refused('log-invalid'));
  });

  test('does not come to one that is frozen, or was undone', async () => {
    await assert.rejects(complete(await freeze(waiting, 0, 2), 2, from, to), refused('device-frozen'));
    await assert.rejects(complete(await revoke(waiting, 1, 2), 2, from, to), refused('device-revoked'));
  });
});
