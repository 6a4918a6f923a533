import assert from 'node:assert/strict';
import { DatabaseSync } from 'node:sqlite';
import { describe, test } from 'node:test';
import { CountersignError } from '@countersign/core';
import { GroupCommit } from '../src/store/sqlite/group-commit.ts';

function setUp() {
  const database = new DatabaseSync(':memory:');
  database.exec('CREATE TABLE t (n INTEGER PRIMARY KEY) STRICT');
  const insert = database.prepare('INSERT INTO t (n) VALUES (?)');
  const rows = () =>
    database
      .prepare('SELECT n FROM t ORDER BY n')
      .all()
      .map(({ n }) => n);
  /** What was written, as a piece of work remembers it. */
  const remembered = new Set<number>();
  const writes = new GroupCommit(database, {
    committed: () => {},
    rolledBack: () => remembered.clear(),
  });
  return { database, insert, rows, remembered, writes };
}

describe('group commit', () => {
  test('what arrives together is committed together, each with its own result', async () => {
    const { insert, rows, writes } = setUp();
    const results = await Promise.all(
      [1, 2, 3].map((n) => writes.submit(() => insert.run(n).lastInsertRowid)),
    );
    assert.deepEqual(results, [1, 2, 3]);
    assert.deepEqual(rows(), [1, 2, 3]);
  });

  test('nothing is acknowledged before it is committed', async () => {
    const { database, insert, writes } = setUp();
    let acknowledged = false;
    const done = writes
      .submit(() => insert.run(1))
      .then(() => {
        acknowledged = true;
        assert.equal(database.isTransaction, false);
      });
    assert.equal(acknowledged, false);
    await done;
  });

  test('a refusal of one piece is its own', async () => {
    const { insert, rows, writes } = setUp();
    const refusal = new CountersignError('too-often', 'no');
    const results = await Promise.allSettled([
      writes.submit(() => insert.run(1)),
      writes.submit(() => {
        throw refusal;
      }),
      writes.submit(() => insert.run(3)),
    ]);
    assert.deepEqual(
      results.map(({ status }) => status),
      ['fulfilled', 'rejected', 'fulfilled'],
    );
    assert.equal((results[1] as PromiseRejectedResult).reason, refusal);
    assert.deepEqual(rows(), [1, 3]);
  });

  test('a failure half way through one piece leaves nothing of it, and all of the others', async () => {
    const { insert, rows, remembered, writes } = setUp();
    insert.run(7);
    const write = (n: number) => {
      remembered.add(n);
      insert.run(n);
    };
    const results = await Promise.allSettled([
      writes.submit(() => write(1)),
      writes.submit(() => {
        write(2);
        write(7);
      }),
      writes.submit(() => write(3)),
    ]);
    assert.deepEqual(
      results.map(({ status }) => status),
      ['fulfilled', 'rejected', 'fulfilled'],
    );
    assert.equal((results[1] as PromiseRejectedResult).reason.code, 'storage-failed');
    assert.deepEqual(rows(), [1, 3, 7]);
    assert.deepEqual([...remembered], [3]);
  });
});
