/**
 * How a tree's parts are addressed and packed over HTTP: C2SP tlog-tiles (c2sp.org/tlog-tiles).
 * @module
 */
import { CountersignError } from './errors.ts';

/** Hashes or leaves in a full tile, and levels of the tree between one row of tiles and the next. */
export const TILE_WIDTH = 256;
export const TILE_HEIGHT = 8;

/** A tile's number in groups of three digits: 1234067 is `x001/x234/067`. */
export function tileIndex(n: number): string {
  const digits = String(n);
  const padded = digits.padStart(Math.ceil(digits.length / 3) * 3, '0');
  return padded.replaceAll(/\d{3}(?=\d)/g, 'x$&/');
}

/** The last part of a tile's path. @param width how many there are in it, 1 to 256 */
export function tilePath(n: number, width: number): string {
  return width === TILE_WIDTH ? tileIndex(n) : `${tileIndex(n)}.p/${width}`;
}

/** Leaves as one bundle: each after its length in two bytes. @param leaves of at most 65535 bytes each */
export function formatBundle(leaves: readonly Uint8Array[]): Uint8Array {
  const bundle = new Uint8Array(leaves.reduce((sum, { length }) => sum + 2 + length, 0));
  const view = new DataView(bundle.buffer);
  let at = 0;
  for (const leaf of leaves) {
    view.setUint16(at, leaf.length);
    bundle.set(leaf, at + 2);
    at += 2 + leaf.length;
  }
  return bundle;
}

/** @throws `tree-invalid` */
export function parseBundle(bundle: Uint8Array): Uint8Array[] {
  const view = new DataView(bundle.buffer, bundle.byteOffset, bundle.byteLength);
  const leaves: Uint8Array[] = [];
  for (let at = 0; at < bundle.length; ) {
    const end = at + 2 + (at + 2 <= bundle.length ? view.getUint16(at) : 0);
    if (end > bundle.length) {
      throw new CountersignError('tree-invalid', 'a bundle of leaves of the broker’s tree ends too early');
    }
    leaves.push(bundle.subarray(at + 2, end));
    at = end;
  }
  return leaves;
}
