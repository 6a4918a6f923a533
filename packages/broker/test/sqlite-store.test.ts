import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { STEPS } from '../src/store/sqlite/migrations.ts';
import { openSqliteStore } from '../src/store/sqlite/sqlite-store.ts';
import { codeIs, hash, NOW } from './store-conformance/fixture.ts';
import { storeConformance } from './store-conformance/index.ts';

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

test('a commit is synced to the disk, by a write-ahead log', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'countersign-store-'));
  const path = join(folder, 'broker.db');
  const { exec } = DatabaseSync.prototype;
  const used = new Set<DatabaseSync>();
  t.mock.method(DatabaseSync.prototype, 'exec', function (this: DatabaseSync, sql: string) {
    used.add(this);
    return exec.call(this, sql);
  });
  const store = openSqliteStore(path);
  // Of a connection, and not of the file: 2 is FULL, which syncs the log at every commit.
  assert.deepEqual(
    [...used].map((one) => one.prepare('PRAGMA synchronous').get()?.synchronous),
    [2],
  );
  const database = new DatabaseSync(path);
  assert.equal(database.prepare('PRAGMA journal_mode').get()?.journal_mode, 'wal');
  database.close();
  await store.close();
  await rm(folder, { recursive: true });
});

/** The database of a broker that knew so many steps. */
function olderDatabase(path: string, steps: number): DatabaseSync {
  const database = new DatabaseSync(path);
  for (const step of STEPS.slice(0, steps)) database.exec(step);
  database.exec(`PRAGMA user_version = ${steps}`);
  return database;
}

function shapeOf(path: string): unknown[] {
  const database = new DatabaseSync(path);
  const shape = database.prepare('SELECT type, name, sql FROM sqlite_schema ORDER BY type, name').all();
  database.close();
  return shape;
}

test('the database of any older broker comes to the same shape as a new one', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'countersign-store-'));
  const fresh = join(folder, 'fresh.db');
  await openSqliteStore(fresh).close();
  for (let steps = 1; steps < STEPS.length; steps++) {
    const path = join(folder, `${steps}.db`);
    olderDatabase(path, steps).close();
    await openSqliteStore(path).close();
    assert.deepEqual(shapeOf(path), shapeOf(fresh), `from step ${steps}`);
  }
  await rm(folder, { recursive: true });
});

test('what the first broker wrote is read by this one', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'countersign-store-'));
  const path = join(folder, 'broker.db');
  const old = olderDatabase(path, 1);
  const [pending, expired] = [hash(), hash()];
  for (const [name, identity] of [
    ['alice@example.com', hash()],
    ['host@example.com', hash()],
  ] as const) {
    old
      .prepare(
        `INSERT INTO accounts (name, identity, head_seq, head_hash, epoch, devices, contacts_seq, created_at)
         VALUES (?, ?, 1, ?, 0, '[]', 1, ?)`,
      )
      .run(name, identity, identity, NOW);
  }
  for (const [seq, jws] of ['first', 'second'].entries()) {
    old.prepare('INSERT INTO log_entries VALUES (1, ?, ?)').run(seq, jws);
  }
  old.exec(`
    INSERT INTO standings VALUES (1, 2, 'block', 0, 0);
    INSERT INTO contact_changes VALUES (1, 1, 'block');
    INSERT INTO events (account_id, kind) VALUES (1, 'log');
    INSERT INTO invitations (account_id, ticket, uses, exp, jws) VALUES (1, 'ticket', 'many', ${NOW + 60}, 'invite');
    INSERT INTO enrolments (account_id, hash, kid, invitation_id, jws, posted_at, exp, state)
      VALUES (1, 'enrolment', 'kid', 1, 'come', ${NOW}, ${NOW + 60}, 'waiting');
    INSERT INTO notices (account_id, kind, at) VALUES (1, 'pin-used', ${NOW}), (1, 'pin-used', ${NOW + 1}),
      (1, 'pin-used', ${NOW + 3600}), (1, 'too-many-enrolments', ${NOW});
    INSERT INTO cards VALUES (2, 0, 'card');
  `);
  for (const [i, [one, state, at]] of (
    [
      [pending, 'pending', null],
      [expired, 'expired', NOW + 2],
    ] as const
  ).entries()) {
    old
      .prepare(
        `INSERT INTO requests (hash, jti, enquirer_id, account_id, held, posted_at, exp, state, settled_at)
         VALUES (?, ?, 2, 1, 0, ${NOW}, ${NOW + 2}, ?, ?)`,
      )
      .run(Buffer.from(one, 'base64url'), Buffer.alloc(16, i), state, at);
    old.prepare('INSERT INTO request_statements VALUES (?, ?)').run(i + 1, `asked ${i}`);
  }
  old.close();

  const store = openSqliteStore(path);
  const alice = (await store.findAccount('alice@example.com'))!;
  assert.deepEqual(await store.readLog(alice.id, 0), ['first', 'second']);
  assert.deepEqual(await store.readContacts(alice.id, 0), ['block']);
  assert.equal((await store.eventBounds(alice.id)).newest, 1);
  const enrolments = await store.listEnrolments(alice.id, NOW);
  assert.deepEqual(
    enrolments.map((one) => [one.hash, one.invitation, one.state]),
    [['enrolment', 'invite', 'waiting']],
  );
  assert.deepEqual(await store.readNotices(alice.id, NOW), [
    { kind: 'pin-used', count: 3, first: NOW, newest: NOW + 3600 },
    { kind: 'too-many-enrolments', count: 1, first: NOW, newest: NOW },
  ]);
  const found = [await store.findRequest(pending), await store.findRequest(expired)];
  assert.deepEqual(
    found.map((one) => [one?.jws, one?.enquirer.name, one?.state.state]),
    [
      ['asked 0', 'host@example.com', 'pending'],
      ['asked 1', 'host@example.com', 'expired'],
    ],
  );
  // And it goes on: what the broker of then took is settled by this one.
  assert.equal((await store.expireRequests(NOW + 3, 10)).length, 1);
  await assert.rejects(
    store.postRequest(
      {
        hash: hash(),
        jti: hash().slice(0, 22),
        jws: 'a.b.c',
        enquirerId: 2,
        enquirer: { name: 'host@example.com', identity: 'x' },
        accountId: alice.id,
        asker: 'device',
        exp: NOW + 9,
      },
      NOW,
    ),
    codeIs('not-permitted'),
  );
  await store.close();
  await rm(folder, { recursive: true });
});
