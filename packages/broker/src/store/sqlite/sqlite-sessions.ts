/**
 * Mutual sessions on SQLite: a part of the store.
 * @module
 */
import { createHash } from 'node:crypto';
import type { DatabaseSync } from 'node:sqlite';
import { constantTimeEqual, MAX_SESSION_MESSAGES, SESSION_TRIES } from '@countersign/core';
import type {
  SessionDigestRow,
  SessionMessage,
  SessionOutcome,
  SessionRow,
  SessionStore,
  TwoWayRow,
} from '../session-store.ts';
import type { GroupCommit } from './group-commit.ts';

interface SessionRecord {
  id: number;
  sid: string;
  account_id: number;
  kid: string;
  jws: string;
  created_at: number;
  exp: number;
  customer: string | null;
  tries: number;
  opened_at: number | null;
  filled_at: number | null;
  matched_at: number | null;
  seen_at: number | null;
  away_at: number | null;
  revealed_at: number | null;
  ended_at: number | null;
  outcome: SessionOutcome | null;
  seat: string | null;
  member_id: number | null;
}

const SESSION = `SELECT id, sid, account_id, kid, jws, created_at, exp, customer, tries, opened_at, filled_at,
  matched_at, seen_at, away_at, revealed_at, ended_at, outcome, seat, member_id FROM sessions`;

export function sqliteSessions(database: DatabaseSync, writes: GroupCommit): SessionStore {
  const prepare = (text: string) => database.prepare(text);
  const sql = {
    insert: prepare(
      `INSERT INTO sessions (sid, ticket, account_id, kid, jws, created_at, exp, seat, member_id)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    ),
    bySid: prepare(`${SESSION} WHERE sid = ?`),
    opened: prepare(`${SESSION} WHERE ticket = ? AND customer = ? AND ended_at IS NULL AND exp > ?`),
    open: prepare(
      'UPDATE sessions SET customer = ?, opened_at = ? WHERE ticket = ? AND opened_at IS NULL AND ended_at IS NULL AND exp > ?',
    ),
    tryOnce: prepare(
      `UPDATE sessions SET tries = tries + 1, filled_at = COALESCE(filled_at, ?)
       WHERE id = ? AND tries < ? AND seen_at IS NULL`,
    ),
    match: prepare('UPDATE sessions SET matched_at = COALESCE(matched_at, ?) WHERE id = ?'),
    away: prepare(
      'UPDATE sessions SET away_at = ? WHERE sid = ? AND away_at IS NULL AND ended_at IS NULL AND exp > ?',
    ),
    insertDigest: prepare('INSERT INTO session_digests (session_id, digest, nonce) VALUES (?, ?, ?)'),
    digest: prepare('SELECT digest, nonce FROM session_digests WHERE session_id = ?'),
    forgetDigest: prepare('DELETE FROM session_digests WHERE session_id = ?'),
    see: prepare(
      'UPDATE sessions SET seen_at = ? WHERE id = ? AND matched_at IS NOT NULL AND seen_at IS NULL',
    ),
    reveal: prepare(
      'UPDATE sessions SET revealed_at = COALESCE(revealed_at, ?) WHERE sid = ? AND seen_at IS NOT NULL AND ended_at IS NULL',
    ),
    end: prepare('UPDATE sessions SET ended_at = ?, outcome = ? WHERE id = ? AND ended_at IS NULL'),
    expired: prepare(`${SESSION} WHERE ended_at IS NULL AND exp <= ? ORDER BY exp LIMIT ?`),
    list: prepare(`${SESSION} WHERE account_id = ? AND id < ? ORDER BY id DESC LIMIT ?`),
    listOf: prepare(`${SESSION} WHERE account_id = ? AND member_id = ? AND id < ? ORDER BY id DESC LIMIT ?`),
    standingOf: prepare(`${SESSION} WHERE account_id = ? AND member_id = ? AND ended_at IS NULL`),
    insertMessage: prepare('INSERT INTO session_messages (session_id, sender, body) VALUES (?, ?, ?)'),
    said: prepare('SELECT count(*) AS said FROM session_messages WHERE session_id = ? AND sender = ?'),
    messages: prepare(
      `SELECT m.id, m.sender, m.body FROM session_messages m JOIN sessions s ON s.id = m.session_id
       WHERE s.sid = ? AND m.sender = ? AND m.id > ? ORDER BY m.id LIMIT 50`,
    ),
    forgetMessages: prepare('DELETE FROM session_messages WHERE session_id = ?'),
    insertTwoWay: prepare(
      'INSERT INTO two_way_sessions (hash, account_id, exp) VALUES (?, ?, ?) ON CONFLICT DO NOTHING',
    ),
    endTwoWay: prepare(
      'UPDATE two_way_sessions SET ended_at = ? WHERE hash = ? AND account_id = ? AND ended_at IS NULL',
    ),
    overdue: prepare(
      `SELECT hash, account_id AS accountId, exp FROM two_way_sessions
       WHERE ended_at IS NULL AND exp < ? ORDER BY exp LIMIT ?`,
    ),
    newestEntry: prepare(
      'SELECT seq, hash FROM session_history WHERE account_id = ? ORDER BY seq DESC LIMIT 1',
    ),
    insertEntry: prepare('INSERT INTO session_history (account_id, seq, entry, hash) VALUES (?, ?, ?, ?)'),
    entries: prepare(
      'SELECT entry, hash FROM session_history WHERE account_id = ? AND seq >= ? ORDER BY seq LIMIT 1000',
    ),
  };
  const find = (sid: string) => optional(sql.bySid.get(sid));

  /** Adds an entry that holds the hash of the one before. */
  function remember(accountId: number, what: object): void {
    const newest = sql.newestEntry.get(accountId) as { seq: number; hash: string } | undefined;
    const seq = (newest?.seq ?? 0) + 1;
    const entry = JSON.stringify({ seq, prev: newest?.hash ?? null, ...what });
    sql.insertEntry.run(accountId, seq, entry, createHash('sha256').update(entry).digest('base64url'));
  }

  function end(session: SessionRow, outcome: SessionOutcome, now: number): SessionRow | undefined {
    const named = session.seenAt === undefined ? outcome : 'authenticated';
    if (sql.end.run(now, named, session.id).changes === 0) return undefined;
    sql.forgetMessages.run(session.id);
    sql.forgetDigest.run(session.id);
    const { sid, accountId, openedAt, filledAt, seenAt, awayAt, revealedAt, tries } = session;
    remember(accountId, {
      event: 'ended',
      sid,
      at: now,
      outcome: named,
      opened_at: openedAt ?? null,
      filled_at: filledAt ?? null,
      seen_at: seenAt ?? null,
      revealed_at: revealedAt ?? null,
      away_at: awayAt ?? null,
      tries,
    });
    return find(sid);
  }

  return {
    createSession: ({ sid, ticket, accountId, kid, jws, exp, metadata, digest, seat }, now) =>
      writes.submit(() => {
        const { lastInsertRowid } = sql.insert.run(
          sid,
          ticket,
          accountId,
          kid,
          jws,
          now,
          exp,
          seat?.hash ?? null,
          seat?.memberId ?? null,
        );
        if (digest !== undefined) sql.insertDigest.run(lastInsertRowid, digest.digest, digest.nonce);
        remember(accountId, { event: 'created', sid, at: now, by: kid, ...metadata });
        return find(sid)!;
      }),

    async findSession(sid) {
      return find(sid);
    },

    openSession: (ticket, customer, now) =>
      writes.submit(() => {
        sql.open.run(customer, now, ticket, now);
        return optional(sql.opened.get(ticket, customer, now));
      }),

    addSessionMessage: (sid, { sender, body }, step, now) =>
      writes.submit(() => {
        const session = find(sid);
        if (session === undefined || session.endedAt !== undefined || session.exp <= now) return undefined;
        const { said } = sql.said.get(session.id, sender) as { said: number };
        if (sender === 'customer' && said >= MAX_SESSION_MESSAGES) return undefined;
        if (step === 'try' && sql.tryOnce.run(now, session.id, SESSION_TRIES).changes === 0) {
          end(session, 'too-many-tries', now);
          return undefined;
        }
        if (step === 'match') sql.match.run(now, session.id);
        if (step === 'seen' && sql.see.run(now, session.id).changes === 0) return undefined;
        sql.insertMessage.run(session.id, sender, body);
        return find(sid);
      }),

    tryDigest: (sid, digest, now) =>
      writes.submit(() => {
        const session = find(sid);
        if (session === undefined || session.endedAt !== undefined || session.exp <= now) return undefined;
        const held = sql.digest.get(session.id) as SessionDigestRow | undefined;
        if (held === undefined) return undefined;
        if (sql.tryOnce.run(now, session.id, SESSION_TRIES).changes === 0) {
          end(session, 'too-many-tries', now);
          return undefined;
        }
        if (!constantTimeEqual(Buffer.from(held.digest), Buffer.from(digest))) return undefined;
        sql.match.run(now, session.id);
        return held.nonce;
      }),

    noteAway: (sid, now) =>
      writes.submit(() => {
        sql.away.run(now, sid, now);
      }),

    async readSessionMessages(sid, sender, after) {
      return (sql.messages.all(sid, sender, after) as unknown as SessionMessage[]).map((row) => ({ ...row }));
    },

    revealSession: (sid, now) =>
      writes.submit(() => (sql.reveal.run(now, sid).changes === 0 ? undefined : find(sid))),

    endSession: (sid, outcome, now) =>
      writes.submit(() => {
        const session = find(sid);
        return session && end(session, outcome, now);
      }),

    expireSessions: (now, max) =>
      writes.submit(() =>
        (sql.expired.all(now, max) as unknown as SessionRecord[])
          .map(sessionOf)
          .flatMap((session) => end(session, 'expired', now) ?? []),
      ),

    noteTwoWay: ({ hash, accountId, exp }, what, now) =>
      writes.submit(() => {
        if (sql.insertTwoWay.run(hash, accountId, exp).changes === 0) return;
        remember(accountId, { event: 'created', sid: hash, at: now, ...what });
      }),

    endTwoWay: (hash, accountId, outcome, now) =>
      writes.submit(() => {
        if (sql.endTwoWay.run(now, hash, accountId).changes === 0) return false;
        const never = { opened_at: null, filled_at: null, seen_at: null, revealed_at: null };
        remember(accountId, { event: 'ended', sid: hash, at: now, outcome, ...never, tries: 0 });
        return true;
      }),

    async listTwoWayOverdue(before, max) {
      return (sql.overdue.all(before, max) as unknown as TwoWayRow[]).map((row) => ({ ...row }));
    },

    async listSessions(accountId, before, max, memberId) {
      const rows =
        memberId === undefined
          ? sql.list.all(accountId, before, max)
          : sql.listOf.all(accountId, memberId, before, max);
      return (rows as unknown as SessionRecord[]).map(sessionOf);
    },

    endSessionsOf: (accountId, memberId, now) =>
      writes.submit(() =>
        (sql.standingOf.all(accountId, memberId) as unknown as SessionRecord[])
          .map(sessionOf)
          .flatMap((session) => end(session, 'deleted', now) ?? []),
      ),

    async readSessionHistory(accountId, from) {
      return (sql.entries.all(accountId, from) as unknown as { entry: string; hash: string }[]).map(
        (row) => ({
          ...row,
        }),
      );
    },
  };
}

function optional(row: object | undefined): SessionRow | undefined {
  return row && sessionOf(row as SessionRecord);
}

function sessionOf(row: SessionRecord): SessionRow {
  return {
    id: row.id,
    sid: row.sid,
    accountId: row.account_id,
    kid: row.kid,
    jws: row.jws,
    createdAt: row.created_at,
    exp: row.exp,
    tries: row.tries,
    ...(row.customer === null ? {} : { customer: row.customer }),
    ...(row.opened_at === null ? {} : { openedAt: row.opened_at }),
    ...(row.filled_at === null ? {} : { filledAt: row.filled_at }),
    ...(row.matched_at === null ? {} : { matchedAt: row.matched_at }),
    ...(row.seen_at === null ? {} : { seenAt: row.seen_at }),
    ...(row.away_at === null ? {} : { awayAt: row.away_at }),
    ...(row.revealed_at === null ? {} : { revealedAt: row.revealed_at }),
    ...(row.ended_at === null ? {} : { endedAt: row.ended_at }),
    ...(row.outcome === null ? {} : { outcome: row.outcome }),
    ...(row.seat === null ? {} : { seat: { hash: row.seat, memberId: row.member_id! } }),
  };
}
