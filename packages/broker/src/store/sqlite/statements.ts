/**
 * Every SQL statement of the store, prepared once, in words that Postgres has too.
 * @module
 */
import type { DatabaseSync } from 'node:sqlite';

export const REQUEST = `
  SELECT r.id, r.hash, r.jti, s.jws, r.enquirer_id, e.name AS enquirer_name, e.identity AS enquirer_identity,
         r.account_id, r.asker, r.held, r.posted_at, r.exp, r.state, r.settled_at, o.outcome
  FROM requests r
  JOIN accounts e ON e.id = r.enquirer_id
  JOIN request_statements s ON s.request_id = r.id
  LEFT JOIN request_outcomes o ON o.request_id = r.id`;

const ENROLMENT = `
  SELECT e.account_id, e.hash, e.kid, e.jws, e.posted_at, e.exp, e.state, e.outcome, e.share, i.jws AS invitation
  FROM enrolments e
  JOIN invitations i ON i.id = e.invitation_id`;
export type Statements = ReturnType<typeof prepareStatements>;

export function prepareStatements(database: DatabaseSync) {
  const prepare = (text: string) => database.prepare(text);
  return {
    insertAccount: prepare(
      'INSERT INTO accounts (name, identity, head_seq, head_hash, epoch, devices, recovery, created_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?)',
    ),
    accountByName: prepare(
      'SELECT id, name, identity, head_seq, head_hash, epoch, devices, recovery FROM accounts WHERE name = ?',
    ),
    accountById: prepare('SELECT name, identity FROM accounts WHERE id = ?'),
    accountByIdentity: prepare('SELECT id FROM accounts WHERE identity = ?'),
    advanceHead: prepare(
      'UPDATE accounts SET head_seq = ?, head_hash = ?, epoch = ?, devices = ?, recovery = ? WHERE id = ? AND head_seq = ? AND head_hash = ?',
    ),
    insertEntry: prepare('INSERT INTO log_entries (account_id, seq, jws) VALUES (?, ?, ?)'),
    entries: prepare('SELECT jws FROM log_entries WHERE account_id = ? AND seq >= ? ORDER BY seq LIMIT ?'),

    standing: prepare(
      'SELECT policy, ignored, paused_until FROM standings WHERE account_id = ? AND enquirer_id = ?',
    ),
    saveStanding: prepare(
      `INSERT INTO standings (account_id, enquirer_id, policy, ignored, paused_until) VALUES (?, ?, ?, ?, ?)
       ON CONFLICT (account_id, enquirer_id) DO UPDATE SET policy = excluded.policy,
         ignored = excluded.ignored, paused_until = excluded.paused_until`,
    ),
    askerStanding: prepare(
      `SELECT ignored, paused_until FROM asker_standings WHERE account_id = ? AND enquirer_id = ? AND asker = ?`,
    ),
    saveAskerStanding: prepare(
      `INSERT INTO asker_standings (account_id, enquirer_id, asker, ignored, paused_until) VALUES (?, ?, ?, ?, ?)
       ON CONFLICT (account_id, enquirer_id, asker) DO UPDATE SET ignored = excluded.ignored,
         paused_until = excluded.paused_until`,
    ),
    pendingPosts: prepare(
      `SELECT enquirer_id, asker, posted_at FROM requests WHERE account_id = ? AND state = 'pending' ORDER BY id DESC`,
    ),
    settledPosts: prepare(
      `SELECT enquirer_id, asker, posted_at FROM requests WHERE account_id = ? AND state <> 'pending' ORDER BY id DESC`,
    ),
    waiting: prepare(
      `SELECT COUNT(CASE WHEN enquirer_id = ? AND asker = ? THEN 1 END) AS own, COUNT(CASE WHEN held = 1 THEN 1 END) AS strangers
       FROM requests WHERE account_id = ? AND state = 'pending'`,
    ),

    insertRequest: prepare(
      `INSERT INTO requests (hash, jti, enquirer_id, account_id, asker, held, posted_at, exp, state)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, 'pending')`,
    ),
    insertStatement: prepare('INSERT INTO request_statements (request_id, jws) VALUES (?, ?)'),
    insertOutcome: prepare('INSERT INTO request_outcomes (request_id, outcome) VALUES (?, ?)'),
    insertReport: prepare(
      'INSERT INTO fraud_reports (request_id, jws, at) VALUES (?, ?, ?) ON CONFLICT DO NOTHING',
    ),
    requestById: prepare(`${REQUEST} WHERE r.id = ?`),
    requestByHash: prepare(`${REQUEST} WHERE r.hash = ?`),
    idByJti: prepare('SELECT id FROM requests WHERE jti = ? AND enquirer_id = ?'),
    settle: prepare(`UPDATE requests SET state = ?, settled_at = ? WHERE id = ? AND state = 'pending'`),
    expired: prepare(`${REQUEST} WHERE r.state = 'pending' AND r.exp <= ? ORDER BY r.exp LIMIT ?`),
    pending: prepare(
      `${REQUEST} WHERE r.account_id = ? AND r.state = 'pending' AND r.id > ? AND r.id < ? AND r.exp > ?
       ORDER BY r.id LIMIT ?`,
    ),
    settled: prepare(
      `${REQUEST} WHERE r.account_id = ? AND r.state <> 'pending' AND r.id > ? AND r.id < ? ORDER BY r.id DESC LIMIT ?`,
    ),
    pendingBetween: prepare(
      `${REQUEST} WHERE r.account_id = ? AND r.state = 'pending' AND r.enquirer_id = ? ORDER BY r.id`,
    ),
    showHeld: prepare(
      `UPDATE requests SET held = 0 WHERE account_id = ? AND state = 'pending' AND enquirer_id = ?`,
    ),
    // Of the oldest ones: no request outlives its day, so what was settled long ago stands in front.
    pruneSettled: prepare(
      `DELETE FROM requests WHERE settled_at < ? AND exp < ? AND id <= (
         SELECT MAX(id) FROM (SELECT id FROM requests ORDER BY id LIMIT ?))`,
    ),
    pendingHashes: prepare(`SELECT hash FROM requests WHERE state = 'pending' ORDER BY id LIMIT ?`),
    countPending: prepare(`SELECT COUNT(*) AS n FROM requests WHERE state = 'pending'`),

    advanceContacts: prepare(
      'UPDATE accounts SET contacts_seq = ? WHERE id = ? AND contacts_seq = ? AND head_seq = ? AND head_hash = ?',
    ),
    insertContactChange: prepare('INSERT INTO contact_changes (account_id, seq, jws) VALUES (?, ?, ?)'),
    contactChanges: prepare('SELECT jws FROM contact_changes WHERE account_id = ? AND seq >= ? ORDER BY seq'),

    insertInvitation: prepare(
      'INSERT INTO invitations (account_id, ticket, uses, exp, jws) VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING',
    ),
    invitation: prepare(
      'SELECT id, uses, exp, used_at, cancelled FROM invitations WHERE account_id = ? AND ticket = ?',
    ),
    cancelInvitation: prepare('UPDATE invitations SET cancelled = ? WHERE id = ? AND cancelled IS NULL'),
    standingInvitations: prepare(
      `SELECT jws FROM invitations
       WHERE account_id = ? AND exp > ? AND cancelled IS NULL AND (uses = 'many' OR used_at IS NULL) ORDER BY id`,
    ),
    invitationText: prepare('SELECT jws FROM invitations WHERE account_id = ? AND ticket = ?'),
    useInvitation: prepare('UPDATE invitations SET used_at = ? WHERE id = ? AND used_at IS NULL'),
    insertEnrolment: prepare(
      `INSERT INTO enrolments (account_id, hash, kid, invitation_id, jws, posted_at, exp, state)
       VALUES (?, ?, ?, ?, ?, ?, ?, 'waiting')`,
    ),
    enrolment: prepare(`${ENROLMENT} WHERE e.account_id = ? AND e.hash = ?`),
    enrolmentsWaiting: prepare(
      `${ENROLMENT} WHERE e.account_id = ? AND e.state = 'waiting' AND e.exp > ? ORDER BY e.id`,
    ),
    enrolmentCounts: prepare(
      `SELECT COUNT(CASE WHEN state = 'waiting' AND exp > ? THEN 1 END) AS waiting, COUNT(*) AS recent
       FROM enrolments WHERE account_id = ? AND posted_at > ?`,
    ),
    shareWith: prepare('UPDATE enrolments SET share = ? WHERE hash = ?'),
    settleEnrolment: prepare(
      'UPDATE enrolments SET state = ?, outcome = ? WHERE hash = ? AND state = ? AND exp > ?',
    ),
    incompleteKids: prepare(`SELECT kid FROM enrolments WHERE account_id = ? AND state = 'accepted'`),
    devicesById: prepare('SELECT name, devices FROM accounts WHERE id = ?'),
    saveDevices: prepare('UPDATE accounts SET devices = ? WHERE id = ?'),
    insertRoom: prepare('INSERT INTO rooms (room) VALUES (?)'),
    room: prepare('SELECT id, key_n, key_epochs FROM rooms WHERE room = ?'),
    setRoomKey: prepare('UPDATE rooms SET key_n = ?, key_epochs = ? WHERE id = ?'),
    insertMember: prepare('INSERT INTO room_members (room_id, account_id) VALUES (?, ?)'),
    members: prepare(
      `SELECT m.account_id, a.epoch FROM room_members m JOIN accounts a ON a.id = m.account_id
       WHERE m.room_id = ? ORDER BY m.account_id`,
    ),
    roomItem: prepare('SELECT id FROM room_items WHERE hash = ?'),
    insertRoomItem: prepare('INSERT INTO room_items (room_id, hash, jws) VALUES (?, ?, ?)'),
    roomItems: prepare(
      `SELECT i.id, r.room, i.jws FROM room_members m
       JOIN room_items i ON i.room_id = m.room_id
       JOIN rooms r ON r.id = m.room_id
       WHERE m.account_id = ? AND i.id > ? ORDER BY i.id LIMIT ?`,
    ),
    countNotice: prepare(
      `INSERT INTO hourly_notices (account_id, kind, hour, count, first, newest) VALUES (?, ?, ?, 1, ?, ?)
       ON CONFLICT DO UPDATE SET count = count + 1, newest = excluded.newest RETURNING count`,
    ),
    notices: prepare(
      `SELECT kind, SUM(count) AS count, MIN(first) AS first, MAX(newest) AS newest
       FROM hourly_notices WHERE account_id = ? AND newest >= ? GROUP BY kind ORDER BY kind`,
    ),
    pruneNotices: prepare('DELETE FROM hourly_notices WHERE newest < ?'),

    insertEvent: prepare('INSERT INTO events (account_id, kind, request_id) VALUES (?, ?, ?)'),
    events: prepare(
      'SELECT id, kind, request_id FROM events WHERE account_id = ? AND id > ? ORDER BY id LIMIT ?',
    ),
    eventBounds: prepare(
      'SELECT COALESCE(MAX(id), 0) AS newest, COALESCE(MIN(id), 0) AS oldest FROM events WHERE account_id = ?',
    ),
    newestMark: prepare('SELECT at FROM event_marks ORDER BY at DESC LIMIT 1'),
    mark: prepare(
      'INSERT INTO event_marks (at, event_id) SELECT ?, MAX(id) FROM events HAVING MAX(id) IS NOT NULL',
    ),
    markBefore: prepare('SELECT at, event_id FROM event_marks WHERE at < ? ORDER BY at DESC LIMIT 1'),
    dropMarks: prepare('DELETE FROM event_marks WHERE at < ?'),
    pruneEvents: prepare(
      'DELETE FROM events WHERE id IN (SELECT id FROM events WHERE id < ? ORDER BY id LIMIT ?)',
    ),
  };
}
