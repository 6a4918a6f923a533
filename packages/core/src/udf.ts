/**
 * Uniform Data Fingerprints of the Mathematical Mesh (draft-hallambaker-mesh-udf): Base32 text whose first
 * letter tells the type, printed in groups of four. A shorter one is a prefix of a longer one.
 * @module
 */
import { encodeBase32, groupBase32, ungroupBase32 } from './base32.ts';
import type { CryptoProvider } from './crypto-provider.ts';
import { CountersignError } from './errors.ts';

/** Type byte of a SHA-2-512 content digest; it makes the first letter an M. */
const SHA2_512 = 96;
/** Bits that people are shown. */
export const SHOWN_BITS = 140;

/**
 * The fingerprint of some data under its content type.
 * @param bits precision, a multiple of 20 from 100 to 440
 */
export async function fingerprint(
  crypto: CryptoProvider,
  contentType: string,
  data: Uint8Array,
  bits = SHOWN_BITS,
): Promise<string> {
  if (bits % 20 !== 0 || bits < 100 || bits > 440) {
    throw new RangeError(`wrong precision ${bits}: expected a multiple of 20 from 100 to 440`);
  }
  const prefix = new TextEncoder().encode(`${contentType}:`);
  const content = await crypto.sha512(data);
  const bound = await crypto.sha512(concat(prefix, content));
  return groupBase32(encodeBase32(concat(Uint8Array.of(SHA2_512), bound)).slice(0, bits / 5));
}

/**
 * What a person typed, in the printed form: any case, groups of any length or none, a trailing slash ignored.
 * It may be a prefix.
 * @throws `fingerprint-invalid`
 */
export function parseFingerprint(text: string): string {
  const letters = ungroupBase32(text.trim().replace(/\/$/, ''));
  if (!/^[A-Z2-7]{1,88}$/.test(letters)) {
    throw new CountersignError(
      'fingerprint-invalid',
      'not a fingerprint: expected letters A to Z and digits 2 to 7',
    );
  }
  return groupBase32(letters);
}

/** Whether a printed fingerprint begins with what a person typed. */
export function matchesFingerprint(whole: string, typed: string): boolean {
  return whole.replaceAll('-', '').startsWith(typed.replaceAll('-', ''));
}

function concat(a: Uint8Array, b: Uint8Array): Uint8Array {
  const joined = new Uint8Array(a.length + b.length);
  joined.set(a);
  joined.set(b, a.length);
  return joined;
}
