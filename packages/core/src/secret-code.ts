/**
 * Codes that a person carries from one device to another: drawn at random, typed or scanned, and proven by a
 * commitment that is slow to try (Argon2id), bound to what it is about.
 * @module
 */
import { encodeBase32, groupBase32, ungroupBase32 } from './base32.ts';
import { encodeBase64url } from './base64url.ts';
import type { CryptoProvider } from './crypto-provider.ts';
import { CountersignError } from './errors.ts';
import { checkPasscode, commitPasscode, type PasscodeCommitment } from './passcode.ts';

/** Of the code that a new device shows; it goes with the account's name, and holds ten minutes: 40 bits. */
const CODE_BYTES = 5;
/** Of a PIN that a device gives away; it stands alone, and holds a day: 120 bits. */
const PIN_BYTES = 15;
const TICKET = 'countersign ticket 1';

export function drawCode(crypto: CryptoProvider): string {
  return groupBase32(encodeBase32(crypto.randomBytes(CODE_BYTES)));
}

export function drawPin(crypto: CryptoProvider): string {
  return groupBase32(encodeBase32(crypto.randomBytes(PIN_BYTES)));
}

/** @throws `code-wrong` for what is no code at all */
export function parseCode(typed: string): string {
  return parseLetters(
    typed,
    (CODE_BYTES * 8) / 5,
    'code-wrong',
    'the eight letters that the new device shows',
  );
}

/** @throws `pin-wrong` for what is no PIN at all */
export function parsePin(typed: string): string {
  return parseLetters(typed, (PIN_BYTES * 8) / 5, 'pin-wrong', 'the 24 letters that `device pin` printed');
}

/**
 * The code by which a validator and a host are paired: it stands alone, in letters as a PIN does.
 * @throws `code-wrong` for what is no such code at all
 */
export function parsePairCode(typed: string): string {
  return parseLetters(typed, (PIN_BYTES * 8) / 5, 'code-wrong', 'the 24 letters that the host shows');
}

/** What proves a PIN to the broker, which learns neither the PIN nor how to prove it to a device. */
export async function pinTicket(crypto: CryptoProvider, pin: string): Promise<string> {
  return encodeBase64url(await crypto.sha256(new TextEncoder().encode(`${TICKET} ${ungroupBase32(pin)}`)));
}

/** A commitment to a code, good for exactly these texts: names, hashes, what it is for. */
export function commitCode(
  crypto: CryptoProvider,
  code: string,
  binding: readonly string[],
): Promise<PasscodeCommitment> {
  return commitPasscode(crypto, bound(code, binding));
}

export function checkCode(
  crypto: CryptoProvider,
  commitment: PasscodeCommitment,
  code: string,
  binding: readonly string[],
): Promise<boolean> {
  return checkPasscode(crypto, commitment, bound(code, binding));
}

function bound(code: string, binding: readonly string[]): string {
  // hex, since what checks a passcode takes no notice of dashes and spaces
  const text = JSON.stringify([ungroupBase32(code), ...binding]);
  return Array.from(new TextEncoder().encode(text), (byte) => byte.toString(16).padStart(2, '0')).join('');
}

function parseLetters(typed: string, length: number, code: 'code-wrong' | 'pin-wrong', what: string): string {
  const letters = ungroupBase32(typed);
  if (letters.length === length && /^[A-Z2-7]+$/.test(letters)) return groupBase32(letters);
  throw new CountersignError(code, `expected ${what}`, { hint: 'letters A to Z and digits 2 to 7' });
}
