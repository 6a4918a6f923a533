/**
 * Byte strings joined so that no two lists give the same bytes: each behind its length in LEB128. It is
 * `prepend_len` and `lv_cat` of draft-irtf-cfrg-cpace-21 appendix A.1.
 * @module
 */

const utf8 = new TextEncoder();

/** The parts one after another, each behind its length; a text counts as its UTF-8. */
export function lvCat(...parts: readonly (Uint8Array | string)[]): Uint8Array<ArrayBuffer> {
  const all: number[] = [];
  for (const part of parts) {
    const bytes = typeof part === 'string' ? utf8.encode(part) : part;
    let length = bytes.length;
    for (; length > 127; length >>>= 7) all.push((length & 127) | 128);
    all.push(length, ...bytes);
  }
  return Uint8Array.from(all);
}
