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

export const STEPS: readonly string[] = [
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
  `
  -- The statement that took it back.
  ALTER TABLE invitations ADD COLUMN cancelled TEXT;
  `,
  `
  -- How a device is reached: when it spoke last, and where it is told by Web Push.
  CREATE TABLE device_reach (
    account_id INTEGER NOT NULL REFERENCES accounts (id),
    kid TEXT NOT NULL,
    reached_at INTEGER,
    pushed_at INTEGER,
    endpoint TEXT,
    p256dh TEXT,
    auth TEXT,
    PRIMARY KEY (account_id, kid)
  ) STRICT, WITHOUT ROWID;
  `,
  `
  CREATE TABLE text_signatures (
    id INTEGER PRIMARY KEY,
    hash TEXT NOT NULL UNIQUE,
    account_id INTEGER NOT NULL REFERENCES accounts (id),
    jws TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    -- NULL where it holds for good.
    exp INTEGER
  ) STRICT;
  CREATE INDEX text_signatures_of_account ON text_signatures (account_id, id);
  CREATE INDEX text_signatures_expired ON text_signatures (exp) WHERE exp IS NOT NULL;
  `,
  `
  -- When the organisation's page, or in mode digest the server, found that the values are equal.
  ALTER TABLE sessions ADD COLUMN matched_at INTEGER;
  -- When the customer first waited for an organisation's page that was away.
  ALTER TABLE sessions ADD COLUMN away_at INTEGER;

  -- Of sessions in mode digest, while they stand.
  CREATE TABLE session_digests (
    session_id INTEGER PRIMARY KEY REFERENCES sessions (id) ON DELETE CASCADE,
    digest TEXT NOT NULL,
    nonce TEXT NOT NULL
  ) STRICT;
  `,
  `
  -- Where an account is told by e-mail what becomes of its devices; each was proven by a code that was sent there.
  CREATE TABLE notice_addresses (
    account_id INTEGER NOT NULL REFERENCES accounts (id),
    address TEXT NOT NULL,
    since INTEGER NOT NULL,
    PRIMARY KEY (account_id, address)
  ) STRICT, WITHOUT ROWID;
  `,
  `
  -- Changes of an organisation's members.
  CREATE TABLE member_changes (
    account_id INTEGER NOT NULL REFERENCES accounts (id),
    seq INTEGER NOT NULL,
    jws TEXT NOT NULL,
    PRIMARY KEY (account_id, seq)
  ) STRICT, WITHOUT ROWID;

  -- Keys of browsers that members let in, with the proof.
  CREATE TABLE seats (
    -- Of the request.
    hash TEXT PRIMARY KEY,
    -- The organisation, and the member.
    account_id INTEGER NOT NULL REFERENCES accounts (id),
    member_id INTEGER NOT NULL REFERENCES accounts (id),
    kid TEXT NOT NULL,
    seat TEXT NOT NULL,
    request TEXT NOT NULL,
    response TEXT NOT NULL,
    ended_at INTEGER
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX seats_of_key ON seats (account_id, kid);

  -- Of a session that a member made.
  ALTER TABLE sessions ADD COLUMN seat TEXT REFERENCES seats (hash);
  ALTER TABLE sessions ADD COLUMN member_id INTEGER REFERENCES accounts (id);
  `,
  `
  ALTER TABLE cards ADD COLUMN picture_hash TEXT;
  ALTER TABLE cards ADD COLUMN picture BLOB;

  -- Domains that an account's card claims, by each way of proving one, and when to look again.
  CREATE TABLE domain_claims (
    account_id INTEGER NOT NULL REFERENCES accounts (id),
    domain TEXT NOT NULL,
    kind TEXT NOT NULL CHECK (kind = 'dns' OR kind = 'well-known'),
    claimed_at INTEGER NOT NULL,
    next_at INTEGER NOT NULL,
    checked_at INTEGER,
    outcome TEXT,
    proven_at INTEGER,
    PRIMARY KEY (account_id, domain, kind)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX domain_claims_due ON domain_claims (next_at);

  -- Words of organisations for each other: the newest of a pair holds.
  CREATE TABLE recommendations (
    id INTEGER PRIMARY KEY,
    issuer_id INTEGER NOT NULL REFERENCES accounts (id),
    subject_id INTEGER NOT NULL REFERENCES accounts (id),
    seq INTEGER NOT NULL,
    hash TEXT NOT NULL,
    recommends INTEGER NOT NULL,
    iat INTEGER NOT NULL,
    said_at INTEGER NOT NULL,
    jws TEXT NOT NULL,
    UNIQUE (issuer_id, subject_id, seq)
  ) STRICT;
  CREATE INDEX recommendations_of_subject ON recommendations (subject_id);

  -- What an account reported about a request, for the organisation whose request it was.
  CREATE TABLE fraud_reports (
    request_id INTEGER PRIMARY KEY REFERENCES requests (id) ON DELETE CASCADE,
    jws TEXT NOT NULL,
    at INTEGER NOT NULL
  ) STRICT;
  CREATE INDEX requests_of_enquirer ON requests (enquirer_id);
  `,
  `
  -- Signed confirmations beside the sessions, by the hashes of their requests.
  CREATE TABLE two_way_sessions (
    hash TEXT PRIMARY KEY,
    account_id INTEGER NOT NULL REFERENCES accounts (id),
    exp INTEGER NOT NULL,
    ended_at INTEGER
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX two_way_open ON two_way_sessions (exp) WHERE ended_at IS NULL;
  `,
  `
  -- Notices are counted by the hour: whoever may cause them can't fill the disk.
  CREATE TABLE hourly_notices (
    account_id INTEGER NOT NULL REFERENCES accounts (id),
    kind TEXT NOT NULL,
    -- Since 1970.
    hour INTEGER NOT NULL,
    count INTEGER NOT NULL,
    first INTEGER NOT NULL,
    newest INTEGER NOT NULL,
    PRIMARY KEY (account_id, kind, hour)
  ) STRICT, WITHOUT ROWID;
  INSERT INTO hourly_notices
    SELECT account_id, kind, at / 3600, COUNT(*), MIN(at), MAX(at) FROM notices GROUP BY 1, 2, 3;
  DROP TABLE notices;
  `,
  `
  -- Who asks for the enquirer: its devices, a browser that wants a seat, a member. Each has a standing of its own, and
  -- the policy is of them all.
  ALTER TABLE requests ADD COLUMN asker TEXT NOT NULL DEFAULT 'device'
    CHECK (asker = 'device' OR asker = 'sign-in' OR asker = 'member');
  CREATE TABLE asker_standings (
    account_id INTEGER NOT NULL REFERENCES accounts (id),
    enquirer_id INTEGER NOT NULL REFERENCES accounts (id),
    asker TEXT NOT NULL CHECK (asker = 'sign-in' OR asker = 'member'),
    ignored INTEGER NOT NULL,
    paused_until INTEGER NOT NULL,
    PRIMARY KEY (account_id, enquirer_id, asker)
  ) STRICT, WITHOUT ROWID;
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
