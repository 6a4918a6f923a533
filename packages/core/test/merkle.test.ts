import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import {
  consistencyRanges,
  EMPTY_TREE,
  type Frontier,
  growTree,
  inclusionRanges,
  joinPeaks,
  type LeafRange,
  leafHash,
  subtreesOf,
  treeRoot,
  verifyConsistency,
  verifyInclusion,
} from '../src/merkle.ts';
import { webCrypto } from '../src/webcrypto.ts';
import { naiveLeaf, naivePath, naiveProof, naiveRoot } from './naive-tree.ts';
import { refused } from './refused.ts';
import { RUNS } from './runs.ts';

/** Leaves and roots that Certificate Transparency's implementations test themselves with. */
const KNOWN_LEAVES = [
  '',
  '00',
  '10',
  '2021',
  '3031',
  '40414243',
  '5051525354555657',
  '606162636465666768696a6b6c6d6e6f',
];
const KNOWN_ROOTS = [
  'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
  '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d',
  'fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125',
  'aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77',
  'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
  '4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4',
  '76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef',
  'ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c',
  '5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328',
];

const LARGEST = 80;
const leaves = Array.from({ length: LARGEST }, (_, i) => naiveLeaf(new Uint8Array([i])));
const roots = Array.from({ length: LARGEST + 1 }, (_, size) => naiveRoot(leaves.slice(0, size)));
const rootAt = (size: number) => ({ size, root: roots[size]! });

/** A size, and a smaller number. */
const sizeAndIndex = fc
  .integer({ min: 1, max: LARGEST })
  .chain((size) => fc.tuple(fc.constant(size), fc.integer({ min: 0, max: size - 1 })));

/** A proof from the roots of ranges, each put together from perfect trees, as the broker does it. */
function proofOf(ranges: readonly LeafRange[]): Promise<Uint8Array[]> {
  return Promise.all(
    ranges.map((range) =>
      joinPeaks(
        webCrypto,
        subtreesOf(range).map(({ level, n }) =>
          naiveRoot(leaves.slice(n * 2 ** level, (n + 1) * 2 ** level)),
        ),
      ),
    ),
  );
}

/** The hash with one bit turned. */
function turned(hash: Uint8Array, bit: number): Uint8Array {
  const other = new Uint8Array(hash);
  other[(bit >> 3) % 32]! ^= 1 << (bit & 7);
  return other;
}

test('the trees of Certificate Transparency have the roots that are known', async () => {
  let tree: Frontier = EMPTY_TREE;
  for (const [size, root] of KNOWN_ROOTS.entries()) {
    assert.equal((await treeRoot(webCrypto, tree)).toHex(), root, `${size} leaves`);
    const leaf = KNOWN_LEAVES[size];
    if (leaf !== undefined)
      tree = await growTree(webCrypto, tree, await leafHash(webCrypto, Uint8Array.fromHex(leaf)));
  }
});

test('a tree grown leaf by leaf has the root of the tree of all', async () => {
  let tree: Frontier = EMPTY_TREE;
  for (const [i, leaf] of leaves.entries()) {
    tree = await growTree(webCrypto, tree, leaf);
    assert.equal(tree.size, i + 1);
    assert.deepEqual(await treeRoot(webCrypto, tree), roots[i + 1]);
  }
});

describe('an inclusion proof', () => {
  test('is the one that the RFC defines, and verifies', () =>
    fc.assert(
      fc.asyncProperty(sizeAndIndex, async ([size, index]) => {
        const proof = await proofOf(inclusionRanges(index, size));
        assert.deepEqual(proof, naivePath(index, leaves.slice(0, size)));
        await verifyInclusion(webCrypto, leaves[index]!, index, proof, rootAt(size));
      }),
      RUNS,
    ));

  test('of another leaf, at another place, in another tree, or altered by a bit is refused', () =>
    fc.assert(
      fc.asyncProperty(sizeAndIndex, fc.nat({ max: 255 }), fc.nat(), async ([size, index], bit, which) => {
        const proof = naivePath(index, leaves.slice(0, size));
        const verify = (leaf: Uint8Array, at: number, path: Uint8Array[], tree = rootAt(size)) =>
          assert.rejects(verifyInclusion(webCrypto, leaf, at, path, tree), refused('tree-invalid'));
        await verify(turned(leaves[index]!, bit), index, proof);
        await verify(leaves[index]!, index + size, proof);
        if (size > 1) await verify(leaves[index]!, (index + 1) % size, proof);
        await verify(leaves[index]!, index, proof, { size, root: turned(roots[size]!, bit) });
        await verify(leaves[index]!, index, [...proof, roots[1]!]);
        if (proof.length === 0) return;
        await verify(leaves[index]!, index, proof.slice(1));
        const i = which % proof.length;
        await verify(leaves[index]!, index, proof.with(i, turned(proof[i]!, bit)));
      }),
      RUNS,
    ));
});

describe('a consistency proof', () => {
  test('is the one that the RFC defines, and verifies', () =>
    fc.assert(
      fc.asyncProperty(sizeAndIndex, async ([newer, below]) => {
        for (const older of [below, below + 1]) {
          const proof = await proofOf(consistencyRanges(older, newer));
          assert.deepEqual(proof, naiveProof(older, leaves.slice(0, newer)));
          await verifyConsistency(webCrypto, rootAt(older), rootAt(newer), proof);
        }
      }),
      RUNS,
    ));

  test('from a larger tree, of another root, cut, lengthened, or altered by a bit is refused', () =>
    fc.assert(
      fc.asyncProperty(sizeAndIndex, fc.nat({ max: 255 }), fc.nat(), async ([newer, older], bit, which) => {
        const proof = naiveProof(older, leaves.slice(0, newer));
        const verify = (path: Uint8Array[], from = rootAt(older), to = rootAt(newer)) =>
          assert.rejects(verifyConsistency(webCrypto, from, to, path), refused('tree-inconsistent'));
        await verify(proof, rootAt(newer), rootAt(older));
        await verify([...proof, roots[1]!]);
        await verify(proof, { size: older, root: turned(roots[older]!, bit) });
        if (older === 0) return;
        await verify(proof, rootAt(older), { size: newer, root: turned(roots[newer]!, bit) });
        await verify(proof.slice(1));
        const i = which % proof.length;
        await verify(proof.with(i, turned(proof[i]!, bit)));
      }),
      RUNS,
    ));

  test('of two trees that differ in one leaf does not exist, whatever hashes of either are offered', () =>
    fc.assert(
      fc.asyncProperty(sizeAndIndex, fc.integer({ min: 0, max: 5 }), async ([older, changed], more) => {
        const forked = leaves.slice(0, older).with(changed, naiveLeaf(new Uint8Array([255])));
        const newer = Math.min(older + more, LARGEST);
        const honest = leaves.slice(0, newer);
        const from = { size: older, root: naiveRoot(forked) };
        const grown = [...forked, ...leaves.slice(older, newer)];
        for (const proof of [naiveProof(older, honest), naiveProof(older, grown)]) {
          await assert.rejects(
            verifyConsistency(webCrypto, from, rootAt(newer), proof),
            refused('tree-inconsistent'),
          );
        }
      }),
      RUNS,
    ));
});

test('a size beyond 32 bits is reckoned with as any other', () => {
  const size = 2 ** 40 + 3;
  assert.deepEqual(subtreesOf({ from: 0, to: size }), [
    { level: 40, n: 0 },
    { level: 1, n: 2 ** 39 },
    { level: 0, n: 2 ** 40 + 2 },
  ]);
  assert.deepEqual(inclusionRanges(size - 1, size), [
    { from: 2 ** 40, to: 2 ** 40 + 2 },
    { from: 0, to: 2 ** 40 },
  ]);
  assert.deepEqual(consistencyRanges(2 ** 40, size), [{ from: 2 ** 40, to: size }]);
});
