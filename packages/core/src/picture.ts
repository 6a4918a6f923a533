/**
 * An organisation's picture: a small PNG, of which its card holds the hash. Whoever shows it checks both.
 * @module
 */
import { encodeBase64url } from './base64url.ts';
import type { CryptoProvider } from './crypto-provider.ts';
import { CountersignError } from './errors.ts';

/** In bytes: whatever is drawn on 96 by 96 pixels is shorter. */
export const MAX_PICTURE_BYTES = 40_960;
export const PICTURE_PIXELS = { least: 16, usual: 96, most: 256 } as const;

/** What a PNG begins with, up to its width (W3C PNG sections 5.2 and 11.2.1). */
const BEGIN = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0, 0, 0, 13, 0x49, 0x48, 0x44, 0x52] as const;
/** `IEND`, empty, and its CRC. */
const END = [0, 0, 0, 0, 0x49, 0x45, 0x4e, 0x44, 0xae, 0x42, 0x60, 0x82] as const;

/**
 * Checks that bytes are a PNG of a size that may be shown; what is between begin and end is the decoder's to judge.
 * @returns their SHA-256, as the card holds it
 * @throws `picture-invalid`
 */
export async function hashPicture(
  crypto: Pick<CryptoProvider, 'sha256'>,
  bytes: Uint8Array,
): Promise<string> {
  if (bytes.length > MAX_PICTURE_BYTES) throw invalid(`more than ${MAX_PICTURE_BYTES} bytes`);
  const whole =
    bytes.length >= BEGIN.length + 8 + END.length &&
    BEGIN.every((byte, i) => bytes[i] === byte) &&
    END.every((byte, i) => bytes[bytes.length - END.length + i] === byte);
  if (!whole) throw invalid('not a whole PNG');
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const { least, most } = PICTURE_PIXELS;
  for (const pixels of [view.getUint32(16), view.getUint32(20)]) {
    if (pixels < least || pixels > most) throw invalid(`${least} to ${most} pixels each way, not ${pixels}`);
  }
  return encodeBase64url(await crypto.sha256(bytes));
}

function invalid(what: string): CountersignError {
  return new CountersignError('picture-invalid', `not a picture for a card: ${what}`, {
    hint: 'a PNG of 96 by 96 pixels; the console makes one of whatever you choose',
  });
}
