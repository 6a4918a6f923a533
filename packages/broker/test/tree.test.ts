import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, beforeEach, describe, test } from 'node:test';
import {
  decodeBase64url,
  leafHash,
  type Signer,
  verifyConsistency,
  verifyInclusion,
  verifyTreeHead,
} from '@countersign/core';
import { generateSigner, webCrypto } from '@countersign/core/webcrypto';
import { openSqliteStore } from '../src/store/sqlite/sqlite-store.ts';
import type { Store } from '../src/store/store.ts';
import { Tree } from '../src/tree.ts';

const folder = await mkdtemp(join(tmpdir(), 'countersign-tree-'));
after(() => rm(folder, { recursive: true }));
let serial = 0;
let store: Store;
let signer: Signer;
let signed: number;
let now: number;
let tree: Tree;

beforeEach(async () => {
  store = openSqliteStore(join(folder, `${++serial}.db`));
  const key = await generateSigner('EdDSA');
  signed = 0;
  signer = {
    ...key,
    sign(data) {
      signed++;
      return key.sign(data);
    },
  };
  now = 1_800_000_000;
  tree = new Tree({
    store: store.tree,
    crypto: webCrypto,
    signer,
    origins: ['https://broker.example'],
    now: () => now,
  });
});
afterEach(() => store.close());

async function grow(count = 1): Promise<void> {
  for (let i = 0; i < count; i++) {
    const identity = randomBytes(32).toString('base64url');
    const named = { name: `a${++serial}@example.com`, identity, head: { seq: 0, hash: identity } };
    await store.createAccount({ ...named, epoch: 0, devices: new Map(), entries: ['e'] }, now);
  }
}

const open = (note: string) => verifyTreeHead(webCrypto, note, 'broker.example', signer.publicKey);

describe('the head of the tree', () => {
  test('is signed once a second at most while the tree grows, and not at all while it does not', async () => {
    await grow();
    for (let i = 0; i < 10; i++) assert.equal((await tree.head()).size, 1);
    await grow(3);
    for (let i = 0; i < 10; i++) assert.equal((await tree.head()).size, 1);
    assert.equal(signed, 1);
    now++;
    await Promise.all(Array.from({ length: 10 }, async () => assert.equal((await tree.head()).size, 4)));
    assert.equal(signed, 2);
    now += 100;
    assert.equal((await tree.head()).size, 4);
    assert.equal(signed, 2);
  });

  test('is signed at once where it must cover a leaf that is newer, once for all who ask', async () => {
    await grow();
    await tree.head();
    await grow(2);
    await Promise.all(Array.from({ length: 10 }, async () => assert.equal((await tree.head(3)).size, 3)));
    assert.equal(signed, 2);
    assert.equal((await tree.head()).size, 3, 'and it is the one that all are shown from then on');
  });

  test('never goes back under calls at once', async () => {
    const sizes: number[] = [];
    const ask = async () => {
      for (let i = 0; i < 30; i++) {
        const size = await tree.size();
        const head = await tree.head(size);
        assert.ok(head.size >= size);
        sizes.push(head.size);
      }
    };
    await Promise.all([grow(40), ask(), ask(), ask()]);
    assert.deepEqual(
      sizes,
      sizes.toSorted((a, b) => a - b),
    );
    assert.ok(sizes.at(-1)! > sizes[0]!);
  });

  test('of an empty tree is a head like any other', async () => {
    assert.equal((await open((await tree.head()).note)).size, 0);
  });
});

test('every leaf is proven in every tree that has it, and every tree from every smaller one', async () => {
  const heads = [await open((await tree.head()).note)];
  for (let size = 1; size <= 20; size++) {
    await grow();
    heads.push(await open((await tree.head(size)).note));
  }
  const leaves = await store.tree.readLeaves(0, 20);
  for (const [size, head] of heads.entries()) {
    assert.equal(head.size, size);
    for (let index = 0; index < size; index++) {
      const hash = await leafHash(webCrypto, new TextEncoder().encode(leaves[index]));
      const proof = await tree.inclusion(index, size);
      await verifyInclusion(webCrypto, hash, index, proof.map(decodeBase64url), head);
    }
    for (let older = 0; older <= size; older++) {
      const proof = await tree.consistency(older, size);
      await verifyConsistency(webCrypto, heads[older]!, head, proof.map(decodeBase64url));
    }
  }
});
