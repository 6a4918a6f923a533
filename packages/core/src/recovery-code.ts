/**
 * The printed recovery code: 128 random bits and a check of 12, in 28 letters of Base32. The recovery key is
 * made from it and from nothing else; neither is ever stored.
 * @module
 */
import { decodeBase32, encodeBase32, groupBase32, ungroupBase32 } from './base32.ts';
import type { CryptoProvider } from './crypto-provider.ts';
import { CountersignError } from './errors.ts';

const SECRET_BYTES = 16;
const LETTERS = 28;
/** What the recovery key is derived for: Ed25519, its seed by HKDF-SHA-256 of the secret, without salt. */
export const RECOVERY_KEY = 'countersign recovery key 1';
const CHECK_LABEL = 'countersign recovery check 1';

export async function drawRecoveryCode(crypto: CryptoProvider): Promise<string> {
  return recoveryCodeOf(crypto, crypto.randomBytes(SECRET_BYTES));
}

/**
 * The secret in a code that a person typed.
 * @throws `recovery-invalid` where it is mistyped
 */
export async function readRecoveryCode(
  crypto: CryptoProvider,
  typed: string,
): Promise<Uint8Array<ArrayBuffer>> {
  const letters = ungroupBase32(typed);
  const secret = letters.length === LETTERS ? decodeBase32(letters)?.slice(0, SECRET_BYTES) : undefined;
  if (secret === undefined || ungroupBase32(await recoveryCodeOf(crypto, secret)) !== letters) {
    throw new CountersignError('recovery-invalid', 'not a recovery code, or mistyped', {
      hint: 'it has 28 letters in seven groups of four; look for a letter taken for another',
    });
  }
  return secret;
}

/** The code of a secret, as it is printed. */
export async function recoveryCodeOf(crypto: CryptoProvider, secret: Uint8Array): Promise<string> {
  const label = new TextEncoder().encode(CHECK_LABEL);
  const data = new Uint8Array(label.length + secret.length);
  data.set(label);
  data.set(secret, label.length);
  const check = await crypto.sha256(data);
  const bytes = new Uint8Array(SECRET_BYTES + 2);
  bytes.set(secret);
  bytes.set(check.subarray(0, 2), SECRET_BYTES);
  return groupBase32(encodeBase32(bytes).slice(0, LETTERS));
}
