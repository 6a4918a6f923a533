/**
 * Vectors of the tree of all heads. Roots and proofs come from the definitions in RFC 9162, by recursion over
 * all leaves, and not from the code that verifies them.
 * @module
 */
import {
  encodeBase64url,
  formatTreeLeaf,
  type LoggedHead,
  signTreeHead,
  tilePath,
  treeVerifierKey,
} from '@countersign/core';
import { webCrypto } from '@countersign/core/webcrypto';
import { naiveLeaf, naivePath, naiveProof, naiveRoot } from '../../packages/core/test/naive-tree.ts';
import type { Memory } from './memory.ts';
import { invalid, type Loose, type Vector, type VectorFile, valid } from './vector.ts';
import { BROKER, seeded, testSigner } from './world.ts';

const LARGEST = 17;
const ORIGIN = BROKER.slice('https://'.length);
const utf8 = new TextEncoder();
const text = encodeBase64url;

export async function transparency(memory: Memory): Promise<VectorFile> {
  const heads = await loggedHeads();
  const leaves = heads.map(formatTreeLeaf);
  const hashes = leaves.map((leaf) => naiveLeaf(utf8.encode(leaf)));
  const rootOf = (size: number) => text(naiveRoot(hashes.slice(0, size)));
  return {
    description:
      'The tree of all heads, by `op`. `leaf`: `text` is read; its hash in the tree is `hash`. `root`: the root over `leaf_hashes`. `inclusion`: each of `proofs` shows that the leaf of `leaf_hash` stands at `index` in the tree of `size` and `root`. `consistency`: each of `proofs` shows that the tree of `newer` is what the one of its `size` and `root` has become. `tree-head`: `note` is verified by the broker’s `key`, for `origin`. `tile-path`: the last part of the path of tile `n` with `width` hashes.',
    spec: 'transparency.md#the-tree',
    vectors: [
      ...leafVectors(heads, leaves, hashes),
      ...Array.from({ length: LARGEST }, (_, i) => i + 1).flatMap((size) => [
        valid(
          `root-${size}`,
          `a tree of ${size}`,
          { op: 'root', leaf_hashes: hashes.slice(0, size).map(text) },
          { root: rootOf(size) },
        ),
        valid(`inclusion-${size}`, `every leaf of a tree of ${size}`, {
          op: 'inclusion',
          size,
          root: rootOf(size),
          proofs: hashes.slice(0, size).map((hash, index) => ({
            index,
            leaf_hash: text(hash),
            proof: naivePath(index, hashes.slice(0, size)).map(text),
          })),
        }),
        valid(`consistency-${size}`, `from every smaller tree, and itself, to one of ${size}`, {
          op: 'consistency',
          newer: { size, root: rootOf(size) },
          proofs: Array.from({ length: size }, (_, i) => ({
            size: i + 1,
            root: rootOf(i + 1),
            proof: naiveProof(i + 1, hashes.slice(0, size)).map(text),
          })),
        }),
      ]),
      ...badInclusions(hashes, rootOf),
      ...badConsistencies(hashes, rootOf),
      ...(await treeHeads(memory, rootOf)),
      ...[
        [0, 256],
        [0, 5],
        [7, 1],
        [999, 256],
        [1000, 255],
        [1234067, 256],
      ].map(([n, width]) =>
        valid(`tile-${n}-${width}`, 'a tile', { op: 'tile-path', n, width }, { path: tilePath(n!, width!) }),
      ),
    ],
  };
}

async function loggedHeads(): Promise<LoggedHead[]> {
  const random = seeded('transparency');
  return Array.from({ length: LARGEST }, (_, i) => {
    const [identity, hash] = [text(random.randomBytes(32)), text(random.randomBytes(32))];
    const seq = i % 3;
    return { name: `a${i}@broker.example`, identity, head: { seq, hash: seq === 0 ? identity : hash } };
  });
}

function leafVectors(heads: LoggedHead[], leaves: string[], hashes: Uint8Array[]): Vector[] {
  const good = leaves[1]!;
  const { name, identity, head } = heads[1]!;
  const bad = (what: string, comment: string, other: string) =>
    invalid(`leaf-${what}`, comment, 'tree-invalid', { op: 'leaf', text: other });
  return [
    valid('leaf', 'a head', { op: 'leaf', text: good }, { name, identity, head, hash: text(hashes[1]!) }),
    bad('space', 'white space', good.replace(',', ', ')),
    bad('order', 'its members in another order', JSON.stringify({ sub: name, ...JSON.parse(good) })),
    bad('member', 'one member more', good.replace('}', ',"x":1}')),
    bad('number', 'a number spelled otherwise', good.replace('"seq":1', '"seq":1.0')),
    bad('escape', 'a letter spelled otherwise', good.replace('a1@', '\\u00611@')),
    bad('empty', 'nothing', ''),
  ];
}

function badInclusions(hashes: Uint8Array[], rootOf: (size: number) => string): Vector[] {
  const size = 7;
  const proof = naivePath(4, hashes.slice(0, size)).map(text);
  const one = { index: 4, leaf_hash: text(hashes[4]!), proof };
  const good = { op: 'inclusion', size, root: rootOf(size), proofs: [one] };
  const bad = (what: string, comment: string, change: Loose, whole: Loose = {}) =>
    invalid(`inclusion-${what}`, comment, 'tree-invalid', {
      ...good,
      ...whole,
      proofs: [{ ...one, ...change }],
    });
  return [
    bad('index', 'at another place', { index: 5 }),
    bad('outside', 'beyond the tree', { index: 7 }),
    bad('leaf', 'of another leaf', { leaf_hash: text(hashes[5]!) }),
    bad('hash', 'one hash of it is another', { proof: proof.with(1, rootOf(1)) }),
    bad('order', 'its hashes in another order', { proof: proof.toReversed() }),
    bad('short', 'without its last hash', { proof: proof.slice(0, -1) }),
    bad('long', 'with a hash more', { proof: [...proof, rootOf(1)] }),
    bad('empty', 'without hashes', { proof: [] }),
    bad('root', 'under another root', {}, { root: rootOf(8) }),
    bad('size', 'in a tree of another size', {}, { size: 9 }),
    bad(
      'node',
      'a node as if it were a leaf',
      { index: 0, leaf_hash: rootOf(2), proof: naivePath(0, hashes.slice(0, 4)).slice(1).map(text) },
      { size: 4, root: rootOf(4) },
    ),
  ];
}

function badConsistencies(hashes: Uint8Array[], rootOf: (size: number) => string): Vector[] {
  const proof = naiveProof(6, hashes.slice(0, 13)).map(text);
  const older = { size: 6, root: rootOf(6), proof };
  const newer = { size: 13, root: rootOf(13) };
  const bad = (what: string, comment: string, change: Loose, to: Loose = newer) =>
    invalid(`consistency-${what}`, comment, 'tree-inconsistent', {
      op: 'consistency',
      newer: to,
      proofs: [{ ...older, ...change }],
    });
  const forked = hashes.slice(0, 6).with(2, hashes[16]!);
  return [
    bad('fork', 'from a tree with another leaf', { root: text(naiveRoot(forked)) }),
    bad('same-size', 'two trees of one size', { size: 13, root: rootOf(12), proof: [] }),
    bad('shrunk', 'from a larger tree', {}, { size: 5, root: rootOf(5) }),
    bad('hash', 'one hash of it is another', { proof: proof.with(0, rootOf(1)) }),
    bad('order', 'its hashes in another order', { proof: proof.toReversed() }),
    bad('short', 'without its last hash', { proof: proof.slice(0, -1) }),
    bad('long', 'with a hash more', { proof: [...proof, rootOf(1)] }),
    bad('empty', 'without hashes', { proof: [] }),
    bad('power-empty', 'from a power of two, without hashes', { size: 8, root: rootOf(8), proof: [] }),
    bad('needless', 'from a tree to itself, with a hash', { ...newer, proof: [rootOf(1)] }),
    bad('root', 'to another root', {}, { size: 13, root: rootOf(12) }),
    bad('size', 'to a size whose proofs have another form', {}, { size: 17, root: rootOf(13) }),
  ];
}

async function treeHeads(memory: Memory, rootOf: (size: number) => string): Promise<Vector[]> {
  const broker = await testSigner(memory, 'broker key');
  const stranger = await testSigner(memory, 'another broker');
  const head = (size: number) => ({
    size,
    root: size === 0 ? naiveRoot([]) : Uint8Array.fromBase64(rootOf(size), { alphabet: 'base64url' }),
  });
  const sign = (size: number, by = broker, origin = ORIGIN) =>
    signTreeHead(webCrypto, by, origin, head(size));
  const note = await sign(17);
  const signature = note.slice(note.indexOf('\u2014'));
  const others = (await sign(17, stranger)).slice(note.indexOf('\u2014'));
  const input = (changed: string) => ({
    op: 'tree-head',
    origin: ORIGIN,
    key: broker.publicKey,
    note: changed,
  });
  const bad = (what: string, comment: string, changed: string) =>
    invalid(`head-${what}`, comment, 'tree-invalid', input(changed));
  const expect = {
    size: 17,
    root: rootOf(17),
    verifier_key: await treeVerifierKey(webCrypto, ORIGIN, broker.publicKey),
  };
  return [
    valid('head', 'a tree of 17', input(note), expect),
    valid('head-empty', 'an empty tree', input(await sign(0)), {
      ...expect,
      size: 0,
      root: text(naiveRoot([])),
    }),
    valid(
      'head-cosigned',
      'with a signature by somebody else, before its own',
      input(note.replace(signature, others + signature)),
      expect,
    ),
    bad('others', 'with a signature by somebody else alone', note.replace(signature, others)),
    bad('origin', 'of another origin', await sign(17, broker, 'other.example')),
    bad('size-changed', 'another size under the old signature', note.replace('\n17\n', '\n16\n')),
    bad(
      'root-changed',
      'another root under the old signature',
      note.replace(rootBase64(rootOf(17)), rootBase64(rootOf(16))),
    ),
    bad('second-wrong', 'a good signature, and one in the same name that is not', note + flipped(signature)),
    bad('zero', 'a size with a zero before it', note.replace('\n17\n', '\n017\n')),
    bad('unsigned', 'without a signature', note.slice(0, note.indexOf('\u2014'))),
    bad('cut', 'without its last newline', note.slice(0, -1)),
    bad('no-blank', 'without the blank line', note.replace('\n\n', '\n')),
    bad('hyphen', 'a hyphen for the dash', note.replace('\u2014', '-')),
  ];
}

function rootBase64(root: string): string {
  return Uint8Array.fromBase64(root, { alphabet: 'base64url' }).toBase64();
}

/** A signature line with one bit of the signature turned. */
function flipped(line: string): string {
  const [dash, name, encoded] = line.trim().split(' ');
  const bytes = Uint8Array.fromBase64(encoded!);
  bytes[20]! ^= 1;
  return `${dash} ${name} ${bytes.toBase64()}\n`;
}
