import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { createDeviceAdd, createFreeze } from '../src/account-entries.ts';
import type { Signer } from '../src/crypto-provider.ts';
import {
  checkEnrolmentCode,
  createChallenge,
  createEnrolment,
  createEnrolmentAccept,
  ENROLMENT_LIFE,
  EnrolmentAcceptStatement,
  EnrolmentCompleteStatement,
  EnrolmentRejectStatement,
  EnrolmentStatement,
  type NewDevice,
  type VerifiedEnrolment,
  verifyEnrolment,
  verifyEnrolmentAccept,
} from '../src/enrolment.ts';
import { CLOCK_SKEW } from '../src/request.ts';
import { signStatement } from '../src/statement.ts';
import { generateOpener, generateSigner, type WebSigner, webCrypto } from '../src/webcrypto.ts';
import {
  ALGORITHMS,
  BROKER,
  grown,
  NOW,
  newAccount,
  newDevice,
  ownWord,
  signing,
  type TestAccount,
  type TestDevice,
  withDevice,
  withoutDevice,
} from './fixtures.ts';
import { refused } from './refused.ts';
import { type Loose, payloadOf, tamper } from './tamper.ts';

const CODE = 'ABCD-EFGH';
const ADDRESS = '192.0.2.7';

let alice: TestAccount;
let namesake: TestAccount;
let broker: WebSigner;
let device: TestDevice;
before(async () => {
  alice = await newAccount('alice@example.com', { devices: 2 });
  namesake = await newAccount('alice@example.com');
  broker = await generateSigner('EdDSA');
  device = await newDevice();
});

const challenge = (account = alice, { by = broker as Signer, origin = BROKER, at = NOW } = {}) =>
  createChallenge(webCrypto, by, origin, account.log, ADDRESS, at);

async function knock(changed: Partial<NewDevice> = {}, account = alice, keys = device) {
  return createEnrolment(webCrypto, account.log, {
    signer: keys.signer,
    enc: keys.opener.publicKey,
    name: 'Tablet',
    model: 'Model T',
    os: 'System 9',
    code: CODE,
    challenge: changed.challenge ?? (await challenge(account)),
    now: NOW + 2,
    ...changed,
  });
}

const verify = (jws: string, { account = alice, origin = BROKER, now = NOW + 10 } = {}) =>
  verifyEnrolment(webCrypto, jws, account.log, { broker: origin, key: broker.publicKey, now });

describe('a device before the door', () => {
  for (const algorithm of ALGORITHMS) {
    test(`with an ${algorithm} key shows who it is, and where it calls from by the broker’s word`, async () => {
      const own = await newDevice(algorithm);
      const { jws, hash } = await knock({}, alice, own);
      const { facts, device: keys } = await verify(jws);
      assert.deepEqual(facts, {
        hash,
        kid: own.kid,
        name: 'Tablet',
        model: 'Model T',
        os: 'System 9',
        address: ADDRESS,
        askedAt: NOW,
        expiresAt: NOW + ENROLMENT_LIFE,
      });
      assert.deepEqual(keys.sig, own.signer.publicKey);
      assert.deepEqual(keys.enc, own.opener.publicKey);
    });
  }

  test('is what it said: any member changed is noticed', async () => {
    const { jws } = await knock();
    const changes: Record<string, (payload: Loose) => void> = {
      iat: (p) => p.iat++,
      model: (p) => (p.model = 'Model S'),
      os: (p) => (p.os = 'System 10'),
      witness: (p) => (p.witness.t = 3),
      challenge: (p) => (p.challenge += 'x'),
    };
    await verify(tamper(jws, () => {}));
    for (const [member, change] of Object.entries(changes)) {
      await assert.rejects(
        verify(tamper(jws, change)),
        refused('signature-invalid', 'challenge-invalid'),
        member,
      );
    }
  });

  test('holds the key that it names', async () => {
    const other = await newDevice();
    const { payload } = await knock();
    const borrowed = { ...payload, device: await ownWord(alice.log, other) };
    const { jws } = await signStatement(webCrypto, EnrolmentStatement, device.signer, borrowed);
    await assert.rejects(verify(jws), refused('signature-invalid'));
    const unproven = { ...payload, device: await ownWord(alice.log, device, other.signer) };
    const again = await signStatement(webCrypto, EnrolmentStatement, device.signer, unproven);
    await assert.rejects(verify(again.jws), refused('signature-invalid'));
  });

  test('stands before this account and no other, be it of the same name', async () => {
    const { jws } = await knock();
    await assert.rejects(verify(jws, { account: namesake }), refused('account-mismatch'));
    const bob = await newAccount('bob@example.com');
    await assert.rejects(verify(jws, { account: bob }), refused('account-mismatch'));
    const { payload } = await knock();
    const torn = { ...payload, device: await ownWord(namesake.log, device) };
    const mixed = await signStatement(webCrypto, EnrolmentStatement, device.signer, torn);
    await assert.rejects(verify(mixed.jws), refused('account-mismatch'));
  });

  test('has a challenge of this broker, for this account', async () => {
    for (const foreign of [
      await challenge(alice, { by: device.signer }),
      await challenge(alice, { origin: 'https://other.example' }),
      await challenge(namesake),
      await challenge(await newAccount('bob@example.com')),
      alice.log.entries[0]!,
      'x',
    ]) {
      await assert.rejects(verify((await knock({ challenge: foreign })).jws), refused('challenge-invalid'));
    }
    await assert.rejects(
      verify((await knock()).jws, { origin: 'https://other.example' }),
      refused('challenge-invalid'),
    );
  });

  test('waits ten minutes from the challenge on, by the broker’s time', async () => {
    const { jws } = await knock({ now: NOW + 10_000 });
    await verify(jws, { now: NOW + ENROLMENT_LIFE - 1 });
    await assert.rejects(verify(jws, { now: NOW + ENROLMENT_LIFE }), refused('enrolment-expired'));
  });

  test('has no challenge from the future, beyond what clocks differ', async () => {
    const { jws } = await knock();
    await verify(jws, { now: NOW - CLOCK_SKEW });
    await assert.rejects(verify(jws, { now: NOW - CLOCK_SKEW - 1 }), refused('challenge-invalid'));
  });

  test('shows only what may be shown', async () => {
    for (const changed of [
      { name: 'a\u202eb' },
      { model: '' },
      { os: 'www.evil.example' },
      { name: 'x'.repeat(65) },
    ]) {
      await assert.rejects(knock(changed), refused('statement-malformed'));
    }
  });
});

describe('the code that a person carries', () => {
  let enrolment: VerifiedEnrolment;
  before(async () => {
    enrolment = await verify((await knock()).jws);
  });

  test('is the one that the new device shows', async () => {
    assert.ok(await checkEnrolmentCode(webCrypto, enrolment, 'abcd efgh'));
    assert.equal(await checkEnrolmentCode(webCrypto, enrolment, 'ABCD-EFGG'), false);
  });

  test('does not fit a swapped key: a broker that puts its own device before the door is found out', async () => {
    const { witness } = (await knock()).payload;
    for (const swapped of [await newDevice(), { ...device, opener: await generateOpener() }]) {
      const { payload } = await knock({}, alice, swapped);
      const posing = await signStatement(webCrypto, EnrolmentStatement, swapped.signer, {
        ...payload,
        witness,
      });
      assert.equal(await checkEnrolmentCode(webCrypto, await verify(posing.jws), CODE), false);
    }
  });

  test('does not fit another account: the new device meant one, the broker shows another', async () => {
    const { witness } = (await knock()).payload;
    const { payload } = await knock({}, namesake);
    const moved = await signStatement(webCrypto, EnrolmentStatement, device.signer, { ...payload, witness });
    const seen = await verify(moved.jws, { account: namesake });
    assert.equal(await checkEnrolmentCode(webCrypto, seen, CODE), false);
  });
});

describe('the word of the device that let another in', () => {
  let enrolment: VerifiedEnrolment;
  let inside: TestAccount;
  let word: string;
  const own = () => ({
    kid: device.kid,
    enrolment: enrolment.statement.hash,
    deviceHash: enrolment.device.hash,
    code: CODE,
  });
  const check = (jws: string, { log } = inside, changed: Partial<ReturnType<typeof own>> = {}) =>
    verifyEnrolmentAccept(webCrypto, jws, log, { ...own(), ...changed });
  const accept = (by: TestDevice, code = CODE, one = enrolment) =>
    createEnrolmentAccept(webCrypto, by.signer, one, code, NOW + 20);
  before(async () => {
    enrolment = await verify((await knock()).jws);
    const { jws, enc } = enrolment.device;
    const epoch = { key: alice.log.epoch.key, privateKey: alice.epochPrivate };
    const entry = createDeviceAdd(
      webCrypto,
      signing(alice, 0),
      { jws, kid: device.kid, enc },
      ['answer'],
      epoch,
    );
    inside = await grown(alice, await entry);
    word = await accept(alice.devices[0]!);
  });

  test('proves to the new one that it knows the code, too', async () => {
    await check(word);
    await check(await accept(alice.devices[1]!));
  });

  test('without the code proves nothing: nobody carried it', async () => {
    await assert.rejects(check(await accept(alice.devices[0]!, 'ABCD-EFGG')), refused('enrolment-mismatch'));
    await assert.rejects(check(word, inside, { code: 'ABCD-EFGG' }), refused('enrolment-mismatch'));
  });

  test('is not the new device’s own commitment, sent back', async () => {
    const { payload } = enrolment.statement;
    const echo = await signStatement(webCrypto, EnrolmentAcceptStatement, alice.devices[0]!.signer, {
      sub_id: payload.sub_id,
      enrolment: enrolment.statement.hash,
      iat: NOW,
      witness: payload.witness,
    });
    await assert.rejects(check(echo.jws), refused('enrolment-mismatch'));
  });

  test('is about this enrolment, these keys and this account', async () => {
    const again = await verify((await knock({ now: NOW + 3 })).jws);
    await assert.rejects(check(await accept(alice.devices[0]!, CODE, again)), refused('enrolment-mismatch'));
    for (const changed of [{ enrolment: again.statement.hash }, { deviceHash: again.statement.hash }]) {
      await assert.rejects(check(word, inside, changed), refused('enrolment-mismatch'));
    }
    // The broker made an account of the same name, with a device of its own, and shows that one.
    const { jws, enc } = enrolment.device;
    const foreign = await verify((await knock({}, namesake)).jws, { account: namesake });
    const epoch = { key: namesake.log.epoch.key, privateKey: namesake.epochPrivate };
    const joined = { jws: foreign.device.jws, kid: device.kid, enc };
    const entry = await createDeviceAdd(webCrypto, signing(namesake, 0), joined, ['answer'], epoch);
    const trap = await grown(namesake, entry);
    assert.notEqual(jws, foreign.device.jws);
    for (const one of [enrolment, foreign]) {
      await assert.rejects(
        check(await accept(namesake.devices[0]!, CODE, one), trap),
        refused('enrolment-mismatch'),
      );
    }
  });

  test('is by a device that counts and may admit', async () => {
    const limited = await withDevice(inside, { rights: ['answer'] });
    await assert.rejects(check(await accept(limited.devices[2]!), limited), refused('device-not-entitled'));
    await assert.rejects(check(await accept(device)), refused('device-not-entitled'));
    await assert.rejects(check(await accept(await newDevice())), refused('device-unknown'));
    const { kid } = alice.devices[1]!;
    const frozen = await grown(inside, await createFreeze(webCrypto, signing(inside, 0), kid));
    await assert.rejects(check(await accept(alice.devices[1]!), frozen), refused('device-frozen'));
    const gone = await withoutDevice(inside, kid);
    await assert.rejects(check(await accept(alice.devices[1]!), gone), refused('device-revoked'));
    const posing = { ...alice.devices[0]!.signer, sign: (data: Uint8Array) => device.signer.sign(data) };
    await assert.rejects(
      check(await accept({ ...alice.devices[0]!, signer: posing })),
      refused('signature-invalid'),
    );
  });

  test('is worth nothing while the log has not the new device', async () => {
    await assert.rejects(check(word, alice), refused('device-unknown'));
    const gone = await withoutDevice(inside, device.kid);
    await assert.rejects(check(word, gone), refused('device-revoked'));
  });
});

describe('what settles an enrolment', () => {
  test('names it, and says why where it is refused', async () => {
    const { hash } = await knock();
    const settled = { sub_id: alice.log.identity, enrolment: hash, iat: NOW };
    const { signer } = alice.devices[0]!;
    for (const reason of ['rejected', 'code-wrong', 'pin-wrong'] as const) {
      const reject = await signStatement(webCrypto, EnrolmentRejectStatement, signer, { ...settled, reason });
      assert.equal(payloadOf(reject.jws).reason, reason);
    }
    for (const wrong of [
      settled,
      { ...settled, reason: 'bored' },
      { ...settled, enrolment: 'x', reason: 'rejected' },
    ]) {
      const made = signStatement(webCrypto, EnrolmentRejectStatement, signer, wrong as never);
      await assert.rejects(made, refused('statement-malformed'));
    }
    const complete = await signStatement(webCrypto, EnrolmentCompleteStatement, device.signer, settled);
    assert.deepEqual(complete.payload, settled);
    const more = signStatement(webCrypto, EnrolmentCompleteStatement, device.signer, {
      ...settled,
      reason: 'x',
    } as never);
    await assert.rejects(more, refused('statement-malformed'));
  });
});
