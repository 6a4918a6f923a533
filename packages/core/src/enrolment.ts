/**
 * Enrolment: a new device makes its keys, proves that it holds them over a fresh challenge, and waits before the
 * account's door. A person carries its code to a device that is inside; the code is bound to the new device's
 * keys and to the account, both ways, so that neither can be swapped on the way.
 * @module
 */
import * as v from 'valibot';
import { AccountName } from './account-name.ts';
import { BASE64URL_16_BYTES, encodeBase64url } from './base64url.ts';
import type { CryptoProvider, PublicSealingJwk, PublicSigningJwk, Signer } from './crypto-provider.ts';
import { activeDevice, checkRight, type DeviceLog } from './device-log.ts';
import { DisplayLine } from './display-line.ts';
import { CountersignError } from './errors.ts';
import { Hash, Seconds } from './keys.ts';
import { DeviceStatement } from './log-entries.ts';
import { Origin } from './origin.ts';
import { PasscodeCommitment } from './passcode.ts';
import { CLOCK_SKEW } from './request.ts';
import { checkCode, commitCode } from './secret-code.ts';
import { parseStatement, signStatement, statementKind, type Verified, verifyStatement } from './statement.ts';

/** How long a device waits before the door, in seconds. */
export const ENROLMENT_LIFE = 600;
/** How old a challenge may be when it is used, in seconds. */
export const CHALLENGE_LIFE = 120;
/** Wrong codes that end an enrolment. */
export const CODE_TRIES = 3;

/** The broker's fresh challenge: what it knows of who asks, signed, so that both sides are shown the same. */
export const ChallengeStatement = statementKind(
  'enrolment-challenge',
  v.strictObject({
    iss: Origin,
    sub: AccountName,
    sub_id: Hash,
    iat: Seconds,
    nonce: v.pipe(v.string(), v.regex(BASE64URL_16_BYTES)),
    /** Where the call came from, as the broker saw it. */
    address: DisplayLine(64),
  }),
);

/** What a new device says of itself. Signed by its new key. */
export const EnrolmentStatement = statementKind(
  'enrolment',
  v.strictObject({
    sub: AccountName,
    sub_id: Hash,
    iat: Seconds,
    /** Its statement of its keys, which goes into the log. */
    device: v.pipe(v.string(), v.maxLength(4096)),
    challenge: v.pipe(v.string(), v.maxLength(4096)),
    model: DisplayLine(64),
    os: DisplayLine(64),
    /** Commitment to the code, or to the PIN, bound to the keys and the account. */
    witness: PasscodeCommitment,
  }),
);
export type EnrolmentPayload = v.InferOutput<typeof EnrolmentStatement.schema>;

const settling = { sub_id: Hash, enrolment: Hash, iat: Seconds };

/** By the device that let it in: its own proof that it knows the code. */
export const EnrolmentAcceptStatement = statementKind(
  'enrolment-accept',
  v.strictObject({ ...settling, witness: PasscodeCommitment }),
);

/** By any device of the account. */
export const EnrolmentRejectStatement = statementKind(
  'enrolment-reject',
  v.strictObject({ ...settling, reason: v.picklist(['rejected', 'code-wrong', 'pin-wrong']) }),
);

/** By the new device, once it has opened what was sealed to it. */
export const EnrolmentCompleteStatement = statementKind('enrolment-complete', v.strictObject(settling));

/** What both sides show, and a person compares. */
export interface EnrolmentFacts {
  /** Hash of the enrolment. */
  readonly hash: string;
  /** Fingerprint of the new device's signing key. */
  readonly kid: string;
  readonly name: string;
  readonly model: string;
  readonly os: string;
  /** By the broker's word: where the call came from, and when, in seconds since 1970. */
  readonly address: string;
  readonly askedAt: number;
  readonly expiresAt: number;
}

export interface VerifiedEnrolment {
  readonly facts: EnrolmentFacts;
  readonly statement: Verified<EnrolmentPayload>;
  /** The device's statement for the log, its hash, and its keys. */
  readonly device: {
    readonly jws: string;
    readonly hash: string;
    readonly sig: PublicSigningJwk;
    readonly enc: PublicSealingJwk;
  };
}

export interface NewDevice {
  readonly signer: Signer;
  readonly enc: PublicSealingJwk;
  readonly name: string;
  readonly model: string;
  readonly os: string;
  /** The code that it will show, or the PIN that it was given. */
  readonly code: string;
  readonly challenge: string;
  readonly now: number;
}

export async function createChallenge(
  crypto: CryptoProvider,
  signer: Signer,
  broker: string,
  account: Pick<DeviceLog, 'name' | 'identity'>,
  address: string,
  now: number,
): Promise<string> {
  const statement = await signStatement(crypto, ChallengeStatement, signer, {
    iss: broker,
    sub: account.name,
    sub_id: account.identity,
    iat: now,
    nonce: encodeBase64url(crypto.randomBytes(16)),
    address,
  });
  return statement.jws;
}

/** A device's own statement of its keys: what stands in the log. */
export function createDeviceStatement(
  crypto: CryptoProvider,
  { name, identity }: Pick<DeviceLog, 'name' | 'identity'>,
  device: Pick<NewDevice, 'signer' | 'enc' | 'name' | 'now'>,
): Promise<Verified<v.InferOutput<typeof DeviceStatement.schema>>> {
  return signStatement(crypto, DeviceStatement, device.signer, {
    sub: name,
    sub_id: identity,
    iat: device.now,
    sig: device.signer.publicKey,
    enc: device.enc,
    name: device.name,
  });
}

export async function createEnrolment(
  crypto: CryptoProvider,
  account: Pick<DeviceLog, 'name' | 'identity'>,
  device: NewDevice,
): Promise<Verified<EnrolmentPayload>> {
  const { code, challenge, model, os, now, signer } = device;
  const own = await createDeviceStatement(crypto, account, device);
  return signStatement(crypto, EnrolmentStatement, signer, {
    sub: account.name,
    sub_id: account.identity,
    iat: now,
    device: own.jws,
    challenge,
    model,
    os,
    witness: await commitCode(crypto, code, bindingOf('enrol', account, own.hash)),
  });
}

/**
 * Checks all of an enrolment but its code: both signatures by the new key, the account, and the broker's fresh
 * challenge.
 * @param now seconds since 1970
 * @throws `account-mismatch`, `signature-invalid`, `challenge-invalid`, `enrolment-expired`
 */
export async function verifyEnrolment(
  crypto: CryptoProvider,
  jws: string,
  account: Pick<DeviceLog, 'name' | 'identity'>,
  { broker, key, now }: { broker: string; key: PublicSigningJwk; now: number },
): Promise<VerifiedEnrolment> {
  const parsed = await parseStatement(crypto, EnrolmentStatement, jws);
  const own = await parseStatement(crypto, DeviceStatement, parsed.payload.device);
  const { sig, enc, name } = own.payload;
  const statement = await verifyStatement(crypto, parsed, sig);
  await verifyStatement(crypto, own, sig);
  for (const { sub, sub_id } of [statement.payload, own.payload]) {
    if (sub !== account.name || sub_id !== account.identity) throw otherAccount();
  }
  const { address, iat } = await verifyChallenge(crypto, statement.payload.challenge, account, broker, key);
  const expiresAt = iat + ENROLMENT_LIFE;
  if (iat > now + CLOCK_SKEW) throw stale('the challenge comes from the future');
  if (now >= expiresAt) {
    throw new CountersignError('enrolment-expired', 'the device has waited too long', {
      hint: 'begin again on the new device',
    });
  }
  const { model, os } = statement.payload;
  const facts = { hash: statement.hash, kid: own.kid, name, model, os, address, askedAt: iat, expiresAt };
  return { facts, statement, device: { jws: own.jws, hash: own.hash, sig, enc } };
}

/** Whether a code is the one that the new device committed to. */
export function checkEnrolmentCode(
  crypto: CryptoProvider,
  { statement: { payload }, device }: VerifiedEnrolment,
  code: string,
): Promise<boolean> {
  const account = { name: payload.sub, identity: payload.sub_id };
  return checkCode(crypto, payload.witness, code, bindingOf('enrol', account, device.hash));
}

/** The accepting device's proof that it knows the code too, and is of the account that the new device means. */
export async function createEnrolmentAccept(
  crypto: CryptoProvider,
  signer: Signer,
  { statement: { payload, hash }, device }: VerifiedEnrolment,
  code: string,
  now: number,
): Promise<string> {
  const account = { name: payload.sub, identity: payload.sub_id };
  const accept = await signStatement(crypto, EnrolmentAcceptStatement, signer, {
    sub_id: payload.sub_id,
    enrolment: hash,
    iat: now,
    witness: await commitCode(crypto, code, bindingOf('accept', account, device.hash)),
  });
  return accept.jws;
}

/**
 * What the new device checks before it believes that it is in: the log has its key, and whoever let it in counts,
 * may admit and knows the code.
 * @throws `enrolment-mismatch`, `device-not-entitled`, `signature-invalid`, and what `activeDevice` throws
 */
export async function verifyEnrolmentAccept(
  crypto: CryptoProvider,
  jws: string,
  log: DeviceLog,
  own: {
    readonly kid: string;
    readonly enrolment: string;
    readonly deviceHash: string;
    readonly code: string;
  },
): Promise<void> {
  const statement = await parseStatement(crypto, EnrolmentAcceptStatement, jws);
  const { sub_id, enrolment, witness } = statement.payload;
  const by = activeDevice(log, statement.kid);
  checkRight(by, 'admit');
  await verifyStatement(crypto, statement, by.sig);
  activeDevice(log, own.kid);
  if (
    sub_id !== log.identity ||
    enrolment !== own.enrolment ||
    !(await checkCode(crypto, witness, own.code, bindingOf('accept', log, own.deviceHash)))
  ) {
    throw new CountersignError('enrolment-mismatch', 'whoever let this device in does not know its code', {
      hint: 'the broker may have swapped the account: do not use this device, and tell the broker’s operator',
    });
  }
}

async function verifyChallenge(
  crypto: CryptoProvider,
  jws: string,
  account: Pick<DeviceLog, 'name' | 'identity'>,
  broker: string,
  key: PublicSigningJwk,
) {
  try {
    const statement = await parseStatement(crypto, ChallengeStatement, jws);
    const { payload } = await verifyStatement(crypto, statement, key);
    if (payload.sub === account.name && payload.sub_id === account.identity && payload.iss === broker) {
      return payload;
    }
  } catch (cause) {
    if (!(cause instanceof CountersignError)) throw cause;
    throw new CountersignError('challenge-invalid', 'the challenge is not by this broker', { cause });
  }
  throw stale('the challenge is for another account or broker');
}

function stale(what: string): CountersignError {
  return new CountersignError('challenge-invalid', what, { hint: 'ask for a fresh one' });
}

function bindingOf(
  purpose: string,
  account: Pick<DeviceLog, 'name' | 'identity'>,
  deviceHash: string,
): string[] {
  return [purpose, account.name, account.identity, deviceHash];
}

function otherAccount(): CountersignError {
  return new CountersignError('account-mismatch', 'the device asks to belong to another account');
}
