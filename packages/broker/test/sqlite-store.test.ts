import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { openSqliteStore } from '../src/store/sqlite/sqlite-store.ts';
import { storeConformance } from './store-conformance.ts';

storeConformance('SQLite', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'countersign-store-'));
  const path = join(folder, 'broker.db');
  let store = openSqliteStore(path);
  return {
    store,
    async reopen() {
      await store.close();
      store = openSqliteStore(path);
      return store;
    },
    async dispose() {
      await store.close();
      await rm(folder, { recursive: true });
    },
  };
});

test('a database of a newer broker is refused, not guessed at', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'countersign-store-'));
  const path = join(folder, 'broker.db');
  await openSqliteStore(path).close();
  const database = new DatabaseSync(path);
  database.exec('PRAGMA user_version = 9999');
  database.close();
  assert.throws(() => openSqliteStore(path), /run a newer broker/);
  await rm(folder, { recursive: true });
});

test('a database from before there was a tree gets one of the heads that it has', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'countersign-store-'));
  const path = join(folder, 'broker.db');
  const before = openSqliteStore(path);
  const heads = ['A', 'E', 'I'].map((letter, seq) => ({ seq, hash: letter.repeat(43) }));
  for (const [i, head] of heads.entries()) {
    const account = { name: `a${i}@example.com`, identity: head.hash, head, devices: new Map(), entries: [] };
    await before.createAccount(account, 1_800_000_000);
  }
  const leaves = await before.tree.readLeaves(0, 10);
  const hashes = [
    { level: 1, n: 0 },
    { level: 0, n: 2 },
  ];
  const roots = await before.tree.readHashes(hashes);
  await before.close();
  const database = new DatabaseSync(path);
  database.exec('DROP TABLE tree_leaves; DROP TABLE tree_hashes; PRAGMA user_version = 1');
  database.close();

  const after = openSqliteStore(path);
  assert.equal(leaves.length, 3);
  assert.deepEqual(await after.tree.readLeaves(0, 10), leaves);
  assert.deepEqual(await after.tree.readHashes(hashes), roots);
  await after.close();
  await rm(folder, { recursive: true });
});

test('a commit is synced to the disk, by a write-ahead log', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'countersign-store-'));
  const path = join(folder, 'broker.db');
  const store = openSqliteStore(path);
  const database = new DatabaseSync(path);
  assert.equal(database.prepare('PRAGMA journal_mode').get()?.journal_mode, 'wal');
  database.close();
  await store.close();
  await rm(folder, { recursive: true });
});
