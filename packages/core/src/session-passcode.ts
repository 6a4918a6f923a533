/**
 * The passcode of a mutual session: from a key that both have, and nonces that are committed to first.
 * @module
 */
import { hmac } from '@noble/hashes/hmac.js';
import { sha512 } from '@noble/hashes/sha2.js';
import { decodeBase64url, encodeBase64url } from './base64url.ts';
import { constantTimeEqual } from './crypto-provider.ts';
import { CountersignError } from './errors.ts';
import { lvCat } from './length-value.ts';
import { PASSCODE_DIGITS } from './passcode.ts';

export const NONCE_BYTES = 32;
const COMMITMENT_BYTES = 32;
const COMMITMENT = 'countersign session nonce 1';

/** A commitment to a nonce, for one session: it tells nothing of it, and fits no other. */
export function commitNonce(session: string, nonce: Uint8Array): string {
  return encodeBase64url(
    sha512(lvCat(COMMITMENT, decodeBase64url(session), nonce)).subarray(0, COMMITMENT_BYTES),
  );
}

/**
 * The nonce that was committed to.
 * @throws `session-mismatch` for another one
 */
export function openNonce(session: string, commitment: string, nonce: string): Uint8Array {
  const opened = decodeBase64url(nonce);
  const expected = decodeBase64url(commitment);
  if (!constantTimeEqual(decodeBase64url(commitNonce(session, opened)), expected)) {
    throw new CountersignError('session-mismatch', 'a nonce that was not committed to');
  }
  return opened;
}

/** Six digits: HMAC-SHA-512 over the nonces as a big-endian number, modulo 10^6 (bias below 2^-490). */
export function derivePasscode(key: Uint8Array, ...nonces: readonly Uint8Array[]): string {
  const number = BigInt(`0x${hmac(sha512, key, lvCat(...nonces)).toHex()}`);
  return String(number % 10n ** BigInt(PASSCODE_DIGITS)).padStart(PASSCODE_DIGITS, '0');
}
