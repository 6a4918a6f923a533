/**
 * Merkle trees as in RFC 9162 section 2.1 (the same as in RFC 6962), with SHA-256: hashes of leaves and nodes,
 * the verifying of proofs, and which parts of a tree a proof is made of. Sizes and indexes are whole numbers
 * up to 2^53 − 1; hashes are 32 bytes.
 * @module
 */
import { type CryptoProvider, constantTimeEqual } from './crypto-provider.ts';
import { CountersignError } from './errors.ts';

type Hasher = Pick<CryptoProvider, 'sha256'>;

/** What is hashed for a leaf: a leaf can never be taken for a node. */
export function leafInput(data: Uint8Array): Uint8Array {
  return joined(0x00, data);
}

export function nodeInput(left: Uint8Array, right: Uint8Array): Uint8Array {
  return joined(0x01, left, right);
}

export function leafHash(crypto: Hasher, data: Uint8Array): Promise<Uint8Array> {
  return crypto.sha256(leafInput(data));
}

function nodeHash(crypto: Hasher, left: Uint8Array, right: Uint8Array): Promise<Uint8Array> {
  return crypto.sha256(nodeInput(left, right));
}

/** A tree as it must be known to grow it: the roots of the perfect trees that it is made of, largest first. */
export interface Frontier {
  readonly size: number;
  readonly peaks: readonly Uint8Array[];
}

export const EMPTY_TREE: Frontier = { size: 0, peaks: [] };

/** The tree with one more leaf. @param leaf its hash */
export async function growTree(
  crypto: Hasher,
  { size, peaks }: Frontier,
  leaf: Uint8Array,
): Promise<Frontier> {
  const grown = [...peaks];
  let hash = leaf;
  for (let rest = size; isOdd(rest); rest = half(rest)) hash = await nodeHash(crypto, grown.pop()!, hash);
  return { size: size + 1, peaks: [...grown, hash] };
}

/** The root of a tree; of the empty one, the hash of nothing. */
export async function treeRoot(crypto: Hasher, { peaks }: Frontier): Promise<Uint8Array> {
  return peaks.length === 0 ? crypto.sha256(new Uint8Array()) : joinPeaks(crypto, peaks);
}

/** The root over perfect trees that stand side by side, largest first; at least one. */
export async function joinPeaks(crypto: Hasher, peaks: readonly Uint8Array[]): Promise<Uint8Array> {
  const [last, ...before] = peaks.toReversed();
  let hash = last!;
  for (const peak of before) hash = await nodeHash(crypto, peak, hash);
  return hash;
}

/** Leaves `from`, … up to and without `to`. */
export interface LeafRange {
  readonly from: number;
  readonly to: number;
}

/** Number `n` of the perfect trees of `2^level` leaves, from the left. */
export interface Subtree {
  readonly level: number;
  readonly n: number;
}

/** The perfect trees that the leaves of a proof's range are made of, from the left. */
export function subtreesOf({ from, to }: LeafRange): Subtree[] {
  const subtrees: Subtree[] = [];
  for (let start = from; start < to; ) {
    let level = 0;
    let width = 1;
    while (start + 2 * width <= to && start % (2 * width) === 0) {
      width *= 2;
      level++;
    }
    subtrees.push({ level, n: start / width });
    start += width;
  }
  return subtrees;
}

/** The ranges whose roots are the inclusion proof of a leaf, in its order (RFC 9162 section 2.1.3.1). */
export function inclusionRanges(index: number, size: number): LeafRange[] {
  const ranges: LeafRange[] = [];
  let [from, to] = [0, size];
  while (to - from > 1) {
    const middle = from + largestPowerBelow(to - from);
    if (index < middle) {
      ranges.push({ from: middle, to });
      to = middle;
    } else {
      ranges.push({ from, to: middle });
      from = middle;
    }
  }
  return ranges.reverse();
}

/** The ranges whose roots are the consistency proof of two sizes, in its order (RFC 9162 section 2.1.4.1). */
export function consistencyRanges(older: number, newer: number): LeafRange[] {
  if (older === 0) return [];
  const ranges: LeafRange[] = [];
  let [from, to] = [0, newer];
  while (older < to) {
    const middle = from + largestPowerBelow(to - from);
    if (older <= middle) {
      ranges.push({ from: middle, to });
      to = middle;
    } else {
      ranges.push({ from, to: middle });
      from = middle;
    }
  }
  if (from > 0) ranges.push({ from, to });
  return ranges.reverse();
}

/** A tree of a size, by its root. */
export interface Root {
  readonly size: number;
  readonly root: Uint8Array;
}

/**
 * Verifies that a leaf stands in a tree (RFC 9162 section 2.1.3.2).
 * @param leaf its hash
 * @throws `tree-invalid`
 */
export async function verifyInclusion(
  crypto: Hasher,
  leaf: Uint8Array,
  index: number,
  proof: readonly Uint8Array[],
  { size, root }: Root,
): Promise<void> {
  if (index >= size) throw notIncluded();
  let [node, last] = [index, size - 1];
  let hash = leaf;
  for (const sibling of proof) {
    if (last === 0) throw notIncluded();
    if (isOdd(node) || node === last) {
      hash = await nodeHash(crypto, sibling, hash);
      while (!isOdd(node) && node !== 0) [node, last] = [half(node), half(last)];
    } else {
      hash = await nodeHash(crypto, hash, sibling);
    }
    [node, last] = [half(node), half(last)];
  }
  if (last !== 0 || !constantTimeEqual(hash, root)) throw notIncluded();
}

/**
 * Verifies that a tree is what an older one has become, with nothing taken away and nothing changed
 * (RFC 9162 section 2.1.4.2).
 * @throws `tree-inconsistent`
 */
export async function verifyConsistency(
  crypto: Hasher,
  older: Root,
  newer: Root,
  proof: readonly Uint8Array[],
): Promise<void> {
  if (older.size > newer.size) throw inconsistent(older, newer);
  if (older.size === newer.size || older.size === 0) {
    // There is nothing to prove: the same tree is the same, and every tree begins empty.
    const expected = older.size === 0 ? await treeRoot(crypto, EMPTY_TREE) : newer.root;
    if (proof.length > 0 || !constantTimeEqual(older.root, expected)) throw inconsistent(older, newer);
    return;
  }
  const [first, ...rest] = isPowerOfTwo(older.size) ? [older.root, ...proof] : proof;
  if (first === undefined) throw inconsistent(older, newer);
  let [node, last] = [older.size - 1, newer.size - 1];
  while (isOdd(node)) [node, last] = [half(node), half(last)];
  let [before, now] = [first, first];
  for (const hash of rest) {
    if (last === 0) throw inconsistent(older, newer);
    if (isOdd(node) || node === last) {
      before = await nodeHash(crypto, hash, before);
      now = await nodeHash(crypto, hash, now);
      while (!isOdd(node) && node !== 0) [node, last] = [half(node), half(last)];
    } else {
      now = await nodeHash(crypto, now, hash);
    }
    [node, last] = [half(node), half(last)];
  }
  const good = last === 0 && constantTimeEqual(before, older.root) && constantTimeEqual(now, newer.root);
  if (!good) throw inconsistent(older, newer);
}

function notIncluded(): CountersignError {
  return new CountersignError('tree-invalid', 'the proof does not show this leaf in the broker’s tree', {
    hint: 'the broker may be showing you what it shows to nobody else: do not trust it until its operator has explained',
  });
}

function inconsistent(older: Root, newer: Root): CountersignError {
  return new CountersignError(
    'tree-inconsistent',
    `the broker’s tree of ${newer.size} leaves is not what its tree of ${older.size} leaves has become`,
    {
      hint: 'the broker shows different things to different readers, or has lost some: do not trust it until its operator has explained; `countersign account log --tree --json` has both tree heads as evidence',
    },
  );
}

// The bit operators of JavaScript end at 32 bits.
function isOdd(n: number): boolean {
  return n % 2 === 1;
}

function half(n: number): number {
  return Math.floor(n / 2);
}

function isPowerOfTwo(n: number): boolean {
  return largestPowerBelow(n + 1) === n;
}

/** The largest power of two that is smaller than `n`, which is at least 2. */
function largestPowerBelow(n: number): number {
  let power = 1;
  while (power * 2 < n) power *= 2;
  return power;
}

function joined(prefix: number, ...parts: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(1 + parts.reduce((sum, { length }) => sum + length, 0));
  bytes[0] = prefix;
  let at = 1;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}
