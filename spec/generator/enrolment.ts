/**
 * Vectors of the statements by which a new device comes before the door.
 * @module
 */
import {
  ChallengeStatement,
  createChallenge,
  createEnrolment,
  ENROLMENT_LIFE,
  EnrolmentCompleteStatement,
  EnrolmentRejectStatement,
  EnrolmentStatement,
  type ErrorCode,
  encodeBase64url,
  signStatement,
} from '@countersign/core';
import { importOpener, webCrypto } from '@countersign/core/webcrypto';
import { deviceWord, newAccount, type TestAccount } from './accounts.ts';
import { kindVectors, READ, REQ } from './kinds.ts';
import { ALICE } from './log-vectors.ts';
import type { Memory } from './memory.ts';
import { flipMembers, flipSignature, invalid, type Vector, type VectorFile, valid } from './vector.ts';
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

export const CODE = 'ABCD-EFGH';
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
export async function knock(
  account: TestAccount,
  device: TestDevice,
  broker: TestDevice,
  changed: Knock = {},
) {
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
