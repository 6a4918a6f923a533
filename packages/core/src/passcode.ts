/**
 * Passcodes: short secrets that the person moves from the asker's screen to the device. The request carries a
 * commitment, made slow by Argon2id, so that who holds a device but does not see the asker's screen can't try
 * a million codes while the question stands.
 * @module
 */
import * as v from 'valibot';
import { BASE64URL_16_BYTES, BASE64URL_32_BYTES, decodeBase64url, encodeBase64url } from './base64url.ts';
import { type CryptoProvider, constantTimeEqual } from './crypto-provider.ts';

/** NIST SP 800-63B-4 section 3.1.3.1: at least six decimal digits. */
export const PASSCODE_DIGITS = 6;
/** Wrong tries that end a request. */
export const PASSCODE_TRIES = 3;
/** Consecutive wrong tries from one enquirer, over all its requests, after which a device answers none. */
export const PASSCODE_LOCK = 12;
/** RFC 9106 allows it, OWASP names it as its least: 19 MiB, two passes, one lane. */
const MEMORY_KIB = 19_456;
const PASSES = 2;
const LANES = 1;
/** What an asker may make a device compute: memory, and memory times passes; three such tries take it a second or so. */
const MAX_MEMORY_KIB = 65_536;
const MAX_WORK = 2 * MAX_MEMORY_KIB;
const SALT_BYTES = 16;
const HASH_BYTES = 32;

export const PasscodeCommitment = v.pipe(
  v.strictObject({
    alg: v.literal('argon2id'),
    m: v.pipe(v.number(), v.integer(), v.minValue(8), v.maxValue(MAX_MEMORY_KIB)),
    t: v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(16)),
    p: v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(16)),
    salt: v.pipe(v.string(), v.regex(BASE64URL_16_BYTES)),
    hash: v.pipe(v.string(), v.regex(BASE64URL_32_BYTES)),
  }),
  v.check(({ m, p }) => m >= 8 * p, 'less memory than RFC 9106 section 3.1 asks for: 8 KiB a lane'),
  v.check(({ m, t }) => m * t <= MAX_WORK, `m times t above ${MAX_WORK}`),
);
export type PasscodeCommitment = v.InferOutput<typeof PasscodeCommitment>;

/** Six decimal digits, each as likely as the other. */
export function generatePasscode(crypto: CryptoProvider): string {
  const span = 10 ** PASSCODE_DIGITS;
  const limit = Math.floor(2 ** 32 / span) * span;
  for (;;) {
    const drawn = new DataView(crypto.randomBytes(4).buffer).getUint32(0);
    if (drawn < limit) return String(drawn % span).padStart(PASSCODE_DIGITS, '0');
  }
}

export async function commitPasscode(crypto: CryptoProvider, passcode: string): Promise<PasscodeCommitment> {
  const salt = crypto.randomBytes(SALT_BYTES);
  const hash = await derive(crypto, passcode, salt, MEMORY_KIB, PASSES, LANES);
  return {
    alg: 'argon2id',
    m: MEMORY_KIB,
    t: PASSES,
    p: LANES,
    salt: encodeBase64url(salt),
    hash: encodeBase64url(hash),
  };
}

/** Whether a passcode is the one committed to. White space and dashes that people type are ignored. */
export async function checkPasscode(
  crypto: CryptoProvider,
  commitment: PasscodeCommitment,
  typed: string,
): Promise<boolean> {
  const { salt, hash, m, t, p } = commitment;
  const passcode = normalizePasscode(typed);
  // the Argon2id of browsers takes no empty secret
  if (passcode === '') return false;
  const derived = await derive(crypto, passcode, decodeBase64url(salt), m, t, p);
  return constantTimeEqual(derived, decodeBase64url(hash));
}

export function normalizePasscode(typed: string): string {
  return typed.replace(/[\s-]/g, '');
}

function derive(
  crypto: CryptoProvider,
  passcode: string,
  salt: Uint8Array,
  memory: number,
  passes: number,
  lanes: number,
): Promise<Uint8Array> {
  const secret = new TextEncoder().encode(passcode);
  return crypto.argon2id(secret, { memory, passes, lanes, salt, length: HASH_BYTES });
}
