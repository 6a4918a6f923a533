/**
 * The passcode of a sign-on, as it is drawn, shown and moved: spec/m-auth.md#passcode-and-gate. It names no
 * interface: the person picks that from their own list.
 * @module
 */

import type { NoiseCrypto } from './noise.ts';
import { normalizePasscode, PASSCODE_DIGITS } from './passcode.ts';

const SCHEME = 'CSGATE:';

/**
 * Six digits, each as likely as the other, that are not taken.
 * @param taken of the account’s open attempts, and of those since its last success where they are remembered
 */
export function drawSignOnPasscode(
  crypto: Pick<NoiseCrypto, 'randomBytes'>,
  taken: ReadonlySet<string> = new Set(),
): string {
  const span = 10 ** PASSCODE_DIGITS;
  if (taken.size > span / 2) throw new TypeError('too many passcodes are taken');
  const limit = Math.floor(2 ** 32 / span) * span;
  for (;;) {
    const drawn = new DataView(crypto.randomBytes(4).buffer).getUint32(0);
    const passcode = String(drawn % span).padStart(PASSCODE_DIGITS, '0');
    if (drawn < limit && !taken.has(passcode)) return passcode;
  }
}

/** What the QR code on the screen says. */
export function formatPasscodeCode(passcode: string): string {
  return `${SCHEME}${passcode}`;
}

/** The digits in what was typed or scanned; undefined where it is no passcode. */
export function readPasscode(text: string): string | undefined {
  const trimmed = text.trim();
  const shown = trimmed.toUpperCase().startsWith(SCHEME) ? trimmed.slice(SCHEME.length) : trimmed;
  const digits = normalizePasscode(shown);
  return isPasscode(digits) ? digits : undefined;
}

/** Whether these are the digits of a passcode. */
export function isPasscode(digits: string): boolean {
  return /^\d{6}$/.test(digits);
}
