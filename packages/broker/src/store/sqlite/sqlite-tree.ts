/**
 * The tree of all heads in SQLite: its leaves, and the root of every perfect tree in it, so that an append and a
 * proof each touch no more rows than the tree is high.
 * @module
 */
import { hash } from 'node:crypto';
import type { DatabaseSync } from 'node:sqlite';
import { formatTreeLeaf, type LoggedHead, leafInput, nodeInput, type Subtree } from '@countersign/core';
import { LRUCache } from 'lru-cache';
import type { TreeLeaf, TreeStore } from '../store.ts';

/** Perfect trees of so many levels stand in many proofs, and their roots are remembered. */
const REMEMBERED_LEVEL = 4;
const REMEMBERED = 100_000;

export class SqliteTree implements TreeStore {
  readonly #remembered = new LRUCache<number, Uint8Array>({ max: REMEMBERED });
  readonly #size;
  readonly #insertLeaf;
  readonly #insertHash;
  readonly #hash;
  readonly #leafOf;
  readonly #leaves;

  constructor(database: DatabaseSync) {
    this.#size = database.prepare('SELECT COALESCE(MAX(n) + 1, 0) AS size FROM tree_leaves');
    this.#insertLeaf = database.prepare(
      'INSERT INTO tree_leaves (n, account_id, seq, leaf) VALUES (?, ?, ?, ?)',
    );
    this.#insertHash = database.prepare('INSERT INTO tree_hashes (level, n, hash) VALUES (?, ?, ?)');
    this.#hash = database.prepare('SELECT hash FROM tree_hashes WHERE level = ? AND n = ?');
    this.#leafOf = database.prepare(
      'SELECT n AS "index", leaf FROM tree_leaves WHERE account_id = ? AND seq = ?',
    );
    this.#leaves = database.prepare('SELECT leaf FROM tree_leaves WHERE n >= ? ORDER BY n LIMIT ?');
  }

  /** Adds a leaf. Only within a transaction. */
  append(accountId: number, logged: LoggedHead): void {
    const index = this.#currentSize();
    const leaf = formatTreeLeaf(logged);
    this.#insertLeaf.run(index, accountId, logged.head.seq, leaf);
    let root = sha256(leafInput(Buffer.from(leaf)));
    this.#insertHash.run(0, index, root);
    // Whatever the new leaf is the right edge of has become a perfect tree.
    for (let [level, n] = [0, index]; n % 2 === 1; ) {
      root = sha256(nodeInput(this.#root({ level, n: n - 1 }), root));
      [level, n] = [level + 1, (n - 1) / 2];
      this.#insertHash.run(level, n, root);
    }
  }

  async size(): Promise<number> {
    return this.#currentSize();
  }

  async findLeaf(accountId: number, seq: number): Promise<TreeLeaf | undefined> {
    const row = this.#leafOf.get(accountId, seq) as TreeLeaf | undefined;
    return row && { ...row };
  }

  async readLeaves(from: number, max: number): Promise<string[]> {
    return this.#leaves.all(from, max).map(({ leaf }) => leaf as string);
  }

  async readHashes(subtrees: readonly Subtree[]): Promise<Uint8Array[]> {
    return subtrees.map((subtree) => this.#rememberedRoot(subtree));
  }

  #currentSize(): number {
    return (this.#size.get() as { size: number }).size;
  }

  /** Not for use within a transaction, which may come to nothing. */
  #rememberedRoot(subtree: Subtree): Uint8Array {
    const { level, n } = subtree;
    if (level < REMEMBERED_LEVEL) return this.#root(subtree);
    const key = n * 64 + level;
    let root = this.#remembered.get(key);
    if (root === undefined) {
      root = this.#root(subtree);
      this.#remembered.set(key, root);
    }
    return root;
  }

  #root({ level, n }: Subtree): Uint8Array {
    return (this.#hash.get(level, n) as { hash: Uint8Array }).hash;
  }
}

function sha256(data: Uint8Array): Buffer {
  return hash('sha256', data, 'buffer');
}
