/**
 * The database's shape, as steps that are never changed once released. The number of steps taken is SQLite's
 * `user_version`.
 *
 * Keys: rows are numbered as they come, since a random text as primary key costs six times as much
 * (measured); hashes stand in secondary indexes. Pending requests have indexes of their own, so that a
 * million settled ones cost nothing. A CHECK is a chain of OR: for IN with more than two values, SQLite makes
 * and drops a temporary table at every write.
 * @module
 */
import type { DatabaseSync } from 'node:sqlite';

const STEPS: readonly string[] = [
  `
  CREATE TABLE accounts (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    identity TEXT NOT NULL,
    head_seq INTEGER NOT NULL,
    head_hash TEXT NOT NULL,
    devices TEXT NOT NULL,
    contacts_seq INTEGER NOT NULL DEFAULT 0,
    created_at INTEGER NOT NULL
  ) STRICT;

  CREATE TABLE log_entries (
    account_id INTEGER NOT NULL REFERENCES accounts (id),
    seq INTEGER NOT NULL,
    jws TEXT NOT NULL,
    PRIMARY KEY (account_id, seq)
  ) STRICT, WITHOUT ROWID;

  -- What an account thinks of an enquirer. When that one asked, the requests tell.
  CREATE TABLE standings (
    account_id INTEGER NOT NULL REFERENCES accounts (id),
    enquirer_id INTEGER NOT NULL REFERENCES accounts (id),
    policy TEXT NOT NULL CHECK (policy = 'stranger' OR policy = 'allow' OR policy = 'block'),
    ignored INTEGER NOT NULL,
    paused_until INTEGER NOT NULL,
    PRIMARY KEY (account_id, enquirer_id)
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE contact_changes (
    account_id INTEGER NOT NULL REFERENCES accounts (id),
    seq INTEGER NOT NULL,
    jws TEXT NOT NULL,
    PRIMARY KEY (account_id, seq)
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE requests (
    id INTEGER PRIMARY KEY,
    hash BLOB NOT NULL UNIQUE,
    jti BLOB NOT NULL,
    enquirer_id INTEGER NOT NULL REFERENCES accounts (id),
    account_id INTEGER NOT NULL REFERENCES accounts (id),
    held INTEGER NOT NULL,
    posted_at INTEGER NOT NULL,
    exp INTEGER NOT NULL,
    state TEXT NOT NULL CHECK (state = 'pending' OR state = 'answered' OR state = 'refused' OR state = 'expired'
      OR state = 'cancelled-by-enquirer' OR state = 'cancelled-by-broker'),
    settled_at INTEGER,
    UNIQUE (jti, enquirer_id)
  ) STRICT;
  -- Long texts stand apart and are only ever appended: settling rewrites a short row.
  CREATE TABLE request_statements (
    request_id INTEGER PRIMARY KEY REFERENCES requests (id) ON DELETE CASCADE,
    jws TEXT NOT NULL
  ) STRICT;
  CREATE TABLE request_outcomes (
    request_id INTEGER PRIMARY KEY REFERENCES requests (id) ON DELETE CASCADE,
    outcome TEXT NOT NULL
  ) STRICT;
  CREATE INDEX requests_pending ON requests (account_id, id) WHERE state = 'pending';
  CREATE INDEX requests_settled ON requests (account_id, id) WHERE state <> 'pending';
  CREATE INDEX requests_expiring ON requests (exp) WHERE state = 'pending';

  CREATE TABLE events (
    id INTEGER PRIMARY KEY,
    account_id INTEGER NOT NULL REFERENCES accounts (id),
    kind TEXT NOT NULL,
    request_id INTEGER
  ) STRICT;
  CREATE INDEX events_of_account ON events (account_id, id);
  `,
];

/** Brings a database to the newest shape; a newer one than this program knows is refused. */
export function migrate(database: DatabaseSync): void {
  const { user_version: version } = database.prepare('PRAGMA user_version').get() as { user_version: number };
  if (version > STEPS.length) {
    throw new Error(
      `the database has version ${version}, this broker knows up to ${STEPS.length}: run a newer broker`,
    );
  }
  for (let step = version; step < STEPS.length; step++) {
    database.exec('BEGIN IMMEDIATE');
    database.exec(STEPS[step]!);
    database.exec(`PRAGMA user_version = ${step + 1}`);
    database.exec('COMMIT');
  }
}
