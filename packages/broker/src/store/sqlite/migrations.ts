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
    identity TEXT NOT NULL UNIQUE,
    head_seq INTEGER NOT NULL,
    head_hash TEXT NOT NULL,
    epoch INTEGER NOT NULL,
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

  CREATE TABLE invitations (
    id INTEGER PRIMARY KEY,
    account_id INTEGER NOT NULL REFERENCES accounts (id),
    ticket TEXT NOT NULL,
    uses TEXT NOT NULL CHECK (uses IN ('one', 'many')),
    exp INTEGER NOT NULL,
    used_at INTEGER,
    jws TEXT NOT NULL,
    UNIQUE (account_id, ticket)
  ) STRICT;

  CREATE TABLE enrolments (
    id INTEGER PRIMARY KEY,
    account_id INTEGER NOT NULL REFERENCES accounts (id),
    hash TEXT NOT NULL UNIQUE,
    kid TEXT NOT NULL,
    invitation_id INTEGER NOT NULL REFERENCES invitations (id),
    jws TEXT NOT NULL,
    posted_at INTEGER NOT NULL,
    exp INTEGER NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('waiting', 'accepted', 'complete', 'rejected')),
    outcome TEXT,
    -- Room keys that the accepting device shared.
    share TEXT
  ) STRICT;
  CREATE INDEX enrolments_of_account ON enrolments (account_id, posted_at);

  -- What an account should know of, and no event says: attempts that were kept from its devices.
  CREATE TABLE notices (
    id INTEGER PRIMARY KEY,
    account_id INTEGER NOT NULL REFERENCES accounts (id),
    kind TEXT NOT NULL,
    at INTEGER NOT NULL
  ) STRICT;
  CREATE INDEX notices_of_account ON notices (account_id, id);

  CREATE TABLE cards (
    account_id INTEGER PRIMARY KEY REFERENCES accounts (id),
    seq INTEGER NOT NULL,
    jws TEXT NOT NULL
  ) STRICT;

  CREATE TABLE sessions (
    id INTEGER PRIMARY KEY,
    sid TEXT NOT NULL UNIQUE,
    ticket TEXT NOT NULL UNIQUE,
    account_id INTEGER NOT NULL REFERENCES accounts (id),
    kid TEXT NOT NULL,
    jws TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    exp INTEGER NOT NULL,
    -- Hash of the key of the one page that opened it.
    customer TEXT,
    tries INTEGER NOT NULL DEFAULT 0,
    opened_at INTEGER,
    filled_at INTEGER,
    seen_at INTEGER,
    revealed_at INTEGER,
    ended_at INTEGER,
    outcome TEXT
  ) STRICT;
  CREATE INDEX sessions_of_account ON sessions (account_id, id);
  CREATE INDEX sessions_ending ON sessions (exp) WHERE ended_at IS NULL;

  CREATE TABLE session_messages (
    id INTEGER PRIMARY KEY,
    session_id INTEGER NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
    sender TEXT NOT NULL CHECK (sender IN ('agent', 'customer')),
    body TEXT NOT NULL
  ) STRICT;
  CREATE INDEX messages_of_session ON session_messages (session_id, id);

  -- What happened, for good: each entry holds the hash of the one before.
  CREATE TABLE session_history (
    account_id INTEGER NOT NULL REFERENCES accounts (id),
    seq INTEGER NOT NULL,
    entry TEXT NOT NULL,
    hash TEXT NOT NULL,
    PRIMARY KEY (account_id, seq)
  ) STRICT, WITHOUT ROWID;

  -- The tree of all heads. Leaves are numbered from 0, without gaps.
  CREATE TABLE tree_leaves (
    n INTEGER PRIMARY KEY,
    account_id INTEGER NOT NULL REFERENCES accounts (id),
    seq INTEGER NOT NULL,
    leaf TEXT NOT NULL,
    UNIQUE (account_id, seq)
  ) STRICT;
  -- Roots of its perfect trees of 2^level leaves.
  CREATE TABLE tree_hashes (
    level INTEGER NOT NULL,
    n INTEGER NOT NULL,
    hash BLOB NOT NULL,
    PRIMARY KEY (level, n)
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE rooms (
    id INTEGER PRIMARY KEY,
    room TEXT NOT NULL UNIQUE,
    -- Number of the newest key, and the epoch of each member that it is sealed to.
    key_n INTEGER NOT NULL DEFAULT -1,
    key_epochs TEXT NOT NULL DEFAULT '{}'
  ) STRICT;

  CREATE TABLE room_members (
    room_id INTEGER NOT NULL REFERENCES rooms (id),
    account_id INTEGER NOT NULL REFERENCES accounts (id),
    PRIMARY KEY (account_id, room_id)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX members_of_room ON room_members (room_id, account_id);

  CREATE TABLE room_items (
    id INTEGER PRIMARY KEY,
    room_id INTEGER NOT NULL REFERENCES rooms (id),
    hash TEXT NOT NULL UNIQUE,
    jws TEXT NOT NULL
  ) STRICT;
  CREATE INDEX items_of_room ON room_items (room_id, id);
  `,
  `
  -- Key of the printed code as JSON, or "none"; NULL where nobody has looked yet.
  ALTER TABLE accounts ADD COLUMN recovery TEXT;

  -- Which event was the newest at a time: an age for events, which have none of their own.
  CREATE TABLE event_marks (at INTEGER PRIMARY KEY, event_id INTEGER NOT NULL) STRICT;
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
