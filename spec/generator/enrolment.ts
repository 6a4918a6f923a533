/**
 * Vectors of the statements by which a new device comes in.
 * @module
 */
import {
  ChallengeStatement,
  createChallenge,
  createEnrolment,
  createEnrolmentAccept,
  ENROLMENT_LIFE,
  EnrolmentCompleteStatement,
  EnrolmentRejectStatement,
  EnrolmentStatement,
  type ErrorCode,
  encodeBase64url,
  signStatement,
  type VerifiedEnrolment,
  verifyEnrolment,
} from '@countersign/core';
import { importOpener, webCrypto } from '@countersign/core/webcrypto';
import {
  addEntry,
  deviceWord,
  extended,
  newAccount,
  revokeEntry,
  type TestAccount,
  withDevice,
} from './accounts.ts';
import { kindVectors, READ, REQ } from './kinds.ts';
import { ALICE } from './log-vectors.ts';
import type { Memory } from './memory.ts';
import { freezeEntry } from './recoverable.ts';
import {
  flipMembers,
  flipSignature,
  invalid,
  payloadOf,
  type Vector,
  type VectorFile,
  valid,
} from './vector.ts';
import {
  ALGORITHMS,
  BROKER,
  NOW,
  publicOf,
  sealingJwk,
  seeded,
  signLoose,
  type TestDevice,
  testDevice,
} from './world.ts';

const CODE = 'ABCD-EFGH';
const ADDRESS = '192.0.2.7';

export async function enrolmentChallenge(memory: Memory): Promise<VectorFile> {
  const { identity } = (await newAccount(memory, ALICE)).log;
  const payload = {
    iss: BROKER,
    sub: ALICE,
    sub_id: identity,
    iat: NOW,
    nonce: encodeBase64url(new Uint8Array(16).fill(3)),
    address: ADDRESS,
  };
  const bad = [
    { name: 'nonce-short', comment: 'a nonce of 15 bytes', payload: { ...payload, nonce: 'A'.repeat(20) } },
    {
      name: 'address-bidi',
      comment: 'an address that may not be shown',
      payload: { ...payload, address: '192.0.2.7\u202e' },
    },
  ];
  return {
    description: `The broker’s challenge for a new device. ${READ}`,
    spec: 'enrolment.md#challenge',
    vectors: await kindVectors(memory, ChallengeStatement, payload, bad, { iss: 'https://other.example' }),
  };
}

export async function enrolmentReject(memory: Memory): Promise<VectorFile> {
  const payload = { sub_id: REQ, enrolment: REQ, iat: NOW, reason: 'rejected' };
  const bad = [
    {
      name: 'reason-unknown',
      comment: 'a reason that there is not',
      payload: { ...payload, reason: 'bored' },
    },
  ];
  return {
    description: `A device’s word that it turns a new one away. ${READ}`,
    spec: 'enrolment.md#reject',
    vectors: await kindVectors(memory, EnrolmentRejectStatement, payload, bad, { reason: 'code-wrong' }),
  };
}

export async function enrolmentComplete(memory: Memory): Promise<VectorFile> {
  return {
    description: `A new device’s word that it is in. ${READ}`,
    spec: 'enrolment.md#complete',
    vectors: await kindVectors(memory, EnrolmentCompleteStatement, {
      sub_id: REQ,
      enrolment: REQ,
      iat: NOW,
    }),
  };
}

interface Knock {
  readonly challenge?: string;
  readonly code?: string;
  readonly now?: number;
}

/** A new device's enrolment. */
async function knock(account: TestAccount, device: TestDevice, broker: TestDevice, changed: Knock = {}) {
  const { code = CODE, now = NOW + 2 } = changed;
  return createEnrolment(seeded(`enrolment of ${device.label}`), account.log, {
    signer: device.signer,
    enc: device.opener.publicKey,
    name: 'tablet',
    model: 'Model T',
    os: 'System 9',
    code,
    challenge: changed.challenge ?? (await challengeFor(account, broker)),
    now,
  });
}

function challengeFor({ log }: Pick<TestAccount, 'log'>, by: TestDevice, at = NOW, origin = BROKER) {
  return createChallenge(seeded('challenge'), by.signer, origin, log, ADDRESS, at);
}

export async function enrolment(memory: Memory): Promise<VectorFile> {
  const vectors: Vector[] = [];
  const alice = await newAccount(memory, ALICE);
  const broker = await testDevice(memory, 'broker key');
  const key = publicOf(broker);
  const inputOf = (jws: string, { log } = alice, now = NOW + 10) => ({
    enrolment: jws,
    account: { name: log.name, identity: log.identity },
    broker: BROKER,
    key,
    code: CODE,
    now,
  });
  const expect = ({ hash }: { hash: string }, { kid }: TestDevice) => ({
    hash,
    kid,
    name: 'tablet',
    model: 'Model T',
    os: 'System 9',
    address: ADDRESS,
    asked_at: NOW,
    expires_at: NOW + ENROLMENT_LIFE,
  });
  for (const algorithm of ALGORITHMS) {
    const device = await testDevice(memory, 'tablet', algorithm);
    const made = await knock(alice, device, broker);
    vectors.push(
      valid(`${algorithm}-good`, 'a new device', inputOf(made.jws), expect(made, device)),
      invalid(
        `${algorithm}-signature-flipped`,
        'one bit of the signature turned',
        'signature-invalid',
        inputOf(flipSignature(made.jws)),
      ),
      ...flipMembers(made.jws, {
        'witness.alg': null,
        device: await deviceWord(alice.log, device, 'phone'),
      }).map(({ path, jws }) =>
        invalid(
          `${algorithm}-${path}-flipped`,
          `${path} changed under the old signature`,
          'signature-invalid',
          inputOf(jws),
        ),
      ),
    );
  }
  const device = await testDevice(memory, 'tablet');
  const good = await knock(alice, device, broker);
  const last = NOW + ENROLMENT_LIFE - 1;
  vectors.push(
    valid(
      'last-second',
      'one second before the wait is over',
      inputOf(good.jws, alice, last),
      expect(good, device),
    ),
    valid(
      'clock-behind',
      'the broker’s clock is a minute ahead',
      inputOf(good.jws, alice, NOW - 60),
      expect(good, device),
    ),
    invalid('expired', 'the wait is over', 'enrolment-expired', inputOf(good.jws, alice, last + 1)),
    invalid(
      'early',
      'the challenge comes from the future',
      'challenge-invalid',
      inputOf(good.jws, alice, NOW - 61),
    ),
    invalid('other-code', 'another code was typed', 'code-wrong', {
      ...inputOf(good.jws),
      code: 'ABCD-EFGG',
    }),
  );
  await foreignChallenges(vectors, memory, alice, device, broker, inputOf);
  await swapped(vectors, memory, alice, device, broker, inputOf);
  const bad = async (name: string, comment: string, code: ErrorCode, changed: object) =>
    vectors.push(
      invalid(
        name,
        comment,
        code,
        inputOf(await signLoose(device, 'enrolment', { ...good.payload, ...changed })),
      ),
    );
  const other = await testDevice(memory, 'another');
  await bad('device-of-another', 'the keys of another device', 'signature-invalid', {
    device: await deviceWord(alice.log, other, 'tablet'),
  });
  await bad('device-unproven', 'its own word is not signed by its key', 'signature-invalid', {
    device: await deviceWord(alice.log, device, 'tablet', other.signer),
  });
  await bad('device-for-other-account', 'its own word is for another account', 'account-mismatch', {
    device: await deviceWord({ name: ALICE, identity: REQ }, device, 'tablet'),
  });
  await bad('sub-other', 'it is for an account of another name', 'account-mismatch', {
    sub: 'bob@example.com',
  });
  await bad('sub-id-other', 'it is for another account of this name', 'account-mismatch', { sub_id: REQ });
  await bad('device-of-other-kind', 'a statement of another kind', 'statement-type', {
    device: alice.log.entries[0],
  });
  for (const [name, comment, changed] of [
    ['model-empty', 'no model', { model: '' }],
    ['os-link', 'a text that may not be shown', { os: 'www.evil.example' }],
    ['witness-missing', 'no commitment', { witness: undefined }],
    ['witness-weak', 'less memory than its lanes need', { witness: { ...good.payload.witness, m: 8, p: 2 } }],
    ['device-too-long', 'a word of more than 4096 characters', { device: 'A'.repeat(4097) }],
    ['member-more', 'a further member', { code: CODE }],
  ] as const) {
    await bad(name, comment, 'statement-malformed', changed);
  }
  vectors.push(
    invalid(
      'wrong-typ',
      'the same payload as another kind',
      'statement-type',
      inputOf(await signLoose(device, 'enrolment-accept', good.payload)),
    ),
  );
  return {
    description:
      'A new device’s `enrolment`, checked at `now` by a device of `account` against the `key` of the `broker`; then the `code` that a person typed. What a valid one shows is in `expect`.',
    spec: 'enrolment.md#enrolment',
    vectors,
  };
}

type InputOf = (jws: string, account?: TestAccount, now?: number) => object;

/** Challenges that this broker did not make for this account. */
async function foreignChallenges(
  vectors: Vector[],
  memory: Memory,
  alice: TestAccount,
  device: TestDevice,
  broker: TestDevice,
  inputOf: InputOf,
): Promise<void> {
  const { log } = alice;
  const good = await challengeFor(alice, broker);
  for (const [name, comment, challenge] of [
    ['by-another', 'by another broker', await challengeFor(alice, await testDevice(memory, 'other broker'))],
    ['by-itself', 'by the new device', await challengeFor(alice, device)],
    [
      'other-origin',
      'in the name of another broker',
      await challengeFor(alice, broker, NOW, 'https://other.example'),
    ],
    [
      'other-name',
      'for an account of another name',
      await challengeFor({ log: { ...log, name: 'bob@example.com' } }, broker),
    ],
    [
      'other-identity',
      'for another account of this name',
      await challengeFor({ log: { ...log, identity: REQ } }, broker),
    ],
    ['flipped', 'one bit of its signature turned', flipSignature(good)],
    ['other-kind', 'a statement of another kind', log.entries[0]!],
    ['none', 'no statement', 'x'],
  ] as const) {
    const { jws } = await knock(alice, device, broker, { challenge });
    vectors.push(invalid(`challenge-${name}`, comment, 'challenge-invalid', inputOf(jws)));
  }
}

/** What a broker in between could put in the place of what the new device sent. */
async function swapped(
  vectors: Vector[],
  memory: Memory,
  alice: TestAccount,
  device: TestDevice,
  broker: TestDevice,
  inputOf: InputOf,
): Promise<void> {
  const { witness } = (await knock(alice, device, broker)).payload;
  const sealing = await importOpener(sealingJwk('broker') as JsonWebKey);
  const anew = await newAccount(memory, ALICE, 'ES256');
  for (const [name, comment, by, account] of [
    ['signing-key', 'another device under its code', await testDevice(memory, 'broker'), alice],
    ['sealing-key', 'another sealing key under its code', { ...device, opener: sealing }, alice],
    ['account', 'another account of this name', device, anew],
  ] as const) {
    const { payload } = await knock(account, by, broker);
    const { jws } = await signStatement(webCrypto, EnrolmentStatement, by.signer, { ...payload, witness });
    vectors.push(invalid(`swapped-${name}`, comment, 'code-wrong', inputOf(jws, account)));
  }
}

export async function enrolmentAccept(memory: Memory): Promise<VectorFile> {
  const vectors: Vector[] = [];
  const broker = await testDevice(memory, 'broker key');
  const scene = async (algorithm: 'EdDSA' | 'ES256', account?: TestAccount) => {
    const alice =
      account ??
      (await withDevice(await newAccount(memory, ALICE, algorithm), 'phone', { rights: ['answer'] }));
    const device = await testDevice(memory, 'tablet', algorithm);
    const { jws } = await knock(alice, device, broker);
    const by = { broker: BROKER, key: publicOf(broker), now: NOW + 10 };
    const enrolment = await verifyEnrolment(webCrypto, jws, alice.log, by);
    const entry = await addEntry(alice, device, 'tablet', { changed: { device: enrolment.device.jws } });
    return { alice, device, enrolment, inside: await extended(alice, entry) };
  };
  const accept = (by: TestDevice, enrolment: VerifiedEnrolment, code = CODE) =>
    createEnrolmentAccept(seeded('accept'), by.signer, enrolment, code, NOW + 20);
  const inputOf = (
    jws: string,
    { log }: Pick<TestAccount, 'log'>,
    { facts, device }: VerifiedEnrolment,
    code = CODE,
  ) => ({
    accept: jws,
    entries: log.entries,
    own: { kid: facts.kid, enrolment: facts.hash, device_hash: device.hash, code },
  });
  for (const algorithm of ALGORITHMS) {
    const { inside, enrolment } = await scene(algorithm);
    const jws = await accept(inside.devices[0]!, enrolment);
    vectors.push(
      valid(`${algorithm}-good`, 'the new device is in', inputOf(jws, inside, enrolment)),
      invalid(
        `${algorithm}-signature-flipped`,
        'one bit of the signature turned',
        'signature-invalid',
        inputOf(flipSignature(jws), inside, enrolment),
      ),
      ...flipMembers(jws, { 'witness.alg': null }).map(({ path, jws: altered }) =>
        invalid(
          `${algorithm}-${path}-flipped`,
          `${path} changed under the old signature`,
          'signature-invalid',
          inputOf(altered, inside, enrolment),
        ),
      ),
    );
  }
  const { alice, device, enrolment, inside } = await scene('EdDSA');
  const [laptop, phone] = alice.devices as [TestDevice, TestDevice];
  const good = await accept(laptop, enrolment);
  const bad = (name: string, comment: string, code: ErrorCode, jws: string, log = inside, own = enrolment) =>
    vectors.push(invalid(name, comment, code, inputOf(jws, log, own)));
  bad(
    'other-code',
    'by a device that knows another code',
    'enrolment-mismatch',
    await accept(laptop, enrolment, 'ABCD-EFGG'),
  );
  const { payload } = enrolment.statement;
  const settled = { sub_id: payload.sub_id, enrolment: enrolment.statement.hash, iat: NOW + 20 };
  const signed = (changed: object) =>
    signLoose(laptop, 'enrolment-accept', { ...payloadOf(good), ...changed });
  bad(
    'echo',
    'the new device’s own commitment, sent back',
    'enrolment-mismatch',
    await signed({ witness: payload.witness }),
  );
  bad('other-enrolment', 'about another enrolment', 'enrolment-mismatch', await signed({ enrolment: REQ }));
  bad('other-account', 'about another account', 'enrolment-mismatch', await signed({ sub_id: REQ }));
  const others = await scene(
    'EdDSA',
    await withDevice(await newAccount(memory, ALICE, 'EdDSA', ['answer', 'pay', 'admit']), 'phone', {
      rights: ['answer'],
    }),
  );
  bad(
    'swapped-account',
    'the broker shows another account of this name, whose device it has',
    'enrolment-mismatch',
    await signLoose(others.alice.devices[0]!, 'enrolment-accept', {
      ...payloadOf(await accept(laptop, enrolment)),
      sub_id: others.alice.log.identity,
    }),
    others.inside,
  );
  bad(
    'admit-missing',
    'by a device without the right to admit',
    'device-not-entitled',
    await accept(phone, enrolment),
  );
  bad('by-itself', 'by the new device', 'device-not-entitled', await accept(device, enrolment));
  bad(
    'stranger',
    'by a device that is not in the account',
    'device-unknown',
    await accept(await testDevice(memory, 'broker'), enrolment),
  );
  const helped = await withDevice(inside, 'watch', { rights: ['admit'] });
  const watch = helped.devices.at(-1)!;
  const word = await accept(watch, enrolment);
  vectors.push(valid('by-another', 'by another device that may admit', inputOf(word, helped, enrolment)));
  bad(
    'by-frozen',
    'by one that was frozen since',
    'device-frozen',
    word,
    await extended(helped, await freezeEntry(helped, laptop, watch.kid)),
  );
  bad(
    'by-revoked',
    'by one that was revoked since',
    'device-revoked',
    word,
    await extended(helped, await revokeEntry(helped, watch.kid)),
  );
  bad('not-in', 'the log has not the new device', 'device-unknown', good, alice);
  bad(
    'gone',
    'the new device was revoked',
    'device-revoked',
    good,
    await extended(inside, await revokeEntry(inside, device.kid)),
  );
  for (const [name, comment, changed] of [
    ['witness-missing', 'no commitment', { witness: undefined }],
    ['iat-missing', 'no time', { iat: undefined }],
    ['member-more', 'a further member', { code: CODE }],
  ] as const) {
    bad(name, comment, 'statement-malformed', await signed(changed));
  }
  bad(
    'wrong-typ',
    'a statement of another kind',
    'statement-type',
    await signLoose(laptop, 'enrolment-complete', settled),
  );
  return {
    description:
      'What a new device checks before it is in: `accept`, by the account’s log, `entries`, and by what it keeps of its own enrolment.',
    spec: 'enrolment.md#accept',
    vectors,
  };
}
