/**
 * Byte strings joined so that no two lists give the same bytes: each behind its length in LEB128. It is
 * `prepend_len` and `lv_cat` of draft-irtf-cfrg-cpace-21 appendix A.1.
 * @module
 */

const utf8 = new TextEncoder();

/** The parts one after another, each behind its length; a text counts as its UTF-8. */
export function lvCat(...parts: readonly (Uint8Array | string)[]): Uint8Array<ArrayBuffer> {
  const pieces = parts.map((part) => (typeof part === 'string' ? utf8.encode(part) : part));
  const heads = pieces.map(({ length }) => leb128(length));
  const all = new Uint8Array(pieces.reduce((sum, piece, i) => sum + heads[i]!.length + piece.length, 0));
  let at = 0;
  for (const [i, piece] of pieces.entries()) {
    all.set(heads[i]!, at);
    at += heads[i]!.length;
    all.set(piece, at);
    at += piece.length;
  }
  return all;
}

function leb128(length: number): number[] {
  const bytes: number[] = [];
  let left = length;
  for (; left > 127; left >>>= 7) bytes.push((left & 127) | 128);
  bytes.push(left);
  return bytes;
}
