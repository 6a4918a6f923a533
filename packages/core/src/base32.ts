/**
 * Base32 (RFC 4648 section 6) without padding, as people read and type it: in groups of four, in any case.
 * @module
 */

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';
const GROUP = 4;

export function encodeBase32(data: Uint8Array): string {
  let text = '';
  let buffer = 0;
  let bits = 0;
  for (const byte of data) {
    buffer = ((buffer << 8) | byte) & 0xffff;
    bits += 8;
    while (bits >= 5) {
      bits -= 5;
      text += ALPHABET[(buffer >> bits) & 31];
    }
  }
  return bits > 0 ? text + ALPHABET[(buffer << (5 - bits)) & 31] : text;
}

/** The whole bytes in some letters, or nothing where one of them is none of ours. */
export function decodeBase32(letters: string): Uint8Array<ArrayBuffer> | undefined {
  const bytes = new Uint8Array(Math.floor((letters.length * 5) / 8));
  let buffer = 0;
  let bits = 0;
  let length = 0;
  for (const letter of letters) {
    const value = ALPHABET.indexOf(letter);
    if (value < 0) return undefined;
    buffer = ((buffer << 5) | value) & 0xffff;
    bits += 5;
    if (bits < 8) continue;
    bits -= 8;
    bytes[length++] = (buffer >> bits) & 0xff;
  }
  return bytes;
}

export function groupBase32(letters: string): string {
  const groups: string[] = [];
  for (let i = 0; i < letters.length; i += GROUP) groups.push(letters.slice(i, i + GROUP));
  return groups.join('-');
}

/** What a person typed, without groups and in capitals. */
export function ungroupBase32(typed: string): string {
  return typed.replace(/[\s-]/g, '').toUpperCase();
}
