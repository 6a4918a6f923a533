/** The part of `lzma1` that is used here: it points at its sources for types, which are looser than ours. */
export function compress(data: Uint8Array, mode?: 1 | 2 | 3 | 4 | 5 | 6 | 7 | 8 | 9): Uint8Array<ArrayBuffer>;
export function decompress(data: Uint8Array): Uint8Array<ArrayBuffer>;
