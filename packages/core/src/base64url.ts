/**
 * Base64url without padding (RFC 4648 section 5, as RFC 7515 section 2 wants it), in its one canonical form.
 * @module
 */
import { CountersignError } from './errors.ts';

/**
 * The one text of 16, of 32 and of 64 bytes: the last character has no stray bits. Without this, a key would have
 * four texts, so four fingerprints, and could come back after it was revoked.
 */
export const BASE64URL_16_BYTES = /^[A-Za-z0-9_-]{21}[AQgw]$/;
export const BASE64URL_32_BYTES = /^[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]$/;
export const BASE64URL_64_BYTES = /^[A-Za-z0-9_-]{85}[AQgw]$/;

/** What a text may end with, whose last group holds one byte, or two: the characters with no stray bits. */
const LAST_OF_ONE_BYTE = 'AQgw';
const LAST_OF_TWO_BYTES = 'AEIMQUYcgkosw048';

export function encodeBase64url(bytes: Uint8Array): string {
  if (hasMethods()) return bytes.toBase64({ alphabet: 'base64url', omitPadding: true });
  return encodeBase64(bytes).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');
}

/** Base64 with padding (RFC 4648 section 4), as data addresses have it. */
export function encodeBase64(bytes: Uint8Array): string {
  return hasMethods()
    ? bytes.toBase64()
    : btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(''));
}

/**
 * Bytes of a canonical text. Padding, white space, other alphabets and stray trailing bits are refused, so
 * that no two texts stand for the same bytes.
 * @throws `encoding-invalid`
 */
export function decodeBase64url(text: string): Uint8Array<ArrayBuffer> {
  let bytes: Uint8Array<ArrayBuffer>;
  try {
    bytes = read(text);
  } catch (cause) {
    throw new CountersignError('encoding-invalid', 'not base64url', { cause });
  }
  if (!isCanonical(text, bytes.length)) {
    throw new CountersignError('encoding-invalid', 'not canonical base64url');
  }
  return bytes;
}

/** Browsers from before 2025 have base64 for texts of one byte a character, and not for bytes. */
function hasMethods(): boolean {
  return 'fromBase64' in Uint8Array;
}

function read(text: string): Uint8Array<ArrayBuffer> {
  if (hasMethods()) {
    return Uint8Array.fromBase64(text, { alphabet: 'base64url', lastChunkHandling: 'loose' });
  }
  if (/[^\w-]/.test(text)) throw new SyntaxError('another alphabet');
  return Uint8Array.from(atob(text.replaceAll('-', '+').replaceAll('_', '/')), (byte) => byte.charCodeAt(0));
}

/** Of text that was decoded: nothing in it but the characters of that many bytes, and no stray bits. */
function isCanonical(text: string, bytes: number): boolean {
  if (text.length !== Math.ceil((bytes * 4) / 3)) return false;
  const last = text.charAt(text.length - 1);
  switch (text.length % 4) {
    case 2:
      return LAST_OF_ONE_BYTE.includes(last);
    case 3:
      return LAST_OF_TWO_BYTES.includes(last);
    default:
      return true;
  }
}
