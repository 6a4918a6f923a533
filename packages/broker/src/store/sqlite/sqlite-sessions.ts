/**
 * Mutual sessions on SQLite: a part of the store.
 * @module
 */
import { createHash } from 'node:crypto';
import type { DatabaseSync } from 'node:sqlite';
import { CountersignError, SESSION_TRIES } from '@countersign/core';
import type { SessionMessage, SessionOutcome, SessionRow, SessionStore } from '../session-store.ts';
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
  seen_at: number | null;
  revealed_at: number | null;
  ended_at: number | null;
  outcome: SessionOutcome | null;
}

const SESSION = `SELECT id, sid, account_id, kid, jws, created_at, exp, customer, tries, opened_at, filled_at, seen_at,
  revealed_at, ended_at, outcome FROM sessions`;

export function sqliteSessions(database: DatabaseSync, writes: GroupCommit): SessionStore {
  const prepare = (text: string) => database.prepare(text);
  const sql = {
    card: prepare('SELECT seq, jws FROM cards WHERE account_id = ?'),
    saveCard: prepare(
      `INSERT INTO cards (account_id, seq, jws) VALUES (?, ?, ?)
       ON CONFLICT (account_id) DO UPDATE SET seq = excluded.seq, jws = excluded.jws`,
    ),
    insert: prepare(
      'INSERT INTO sessions (sid, ticket, account_id, kid, jws, created_at, exp) VALUES (?, ?, ?, ?, ?, ?, ?)',
    ),
    bySid: prepare(`${SESSION} WHERE sid = ?`),
    byTicket: prepare(`${SESSION} WHERE ticket = ?`),
    open: prepare(
      'UPDATE sessions SET customer = ?, opened_at = ? WHERE ticket = ? AND opened_at IS NULL AND ended_at IS NULL AND exp > ?',
    ),
    tryOnce: prepare(
      `UPDATE sessions SET tries = tries + 1, filled_at = COALESCE(filled_at, ?)
       WHERE id = ? AND tries < ? AND seen_at IS NULL`,
    ),
    see: prepare('UPDATE sessions SET seen_at = ? WHERE id = ? AND tries > 0 AND seen_at IS NULL'),
    reveal: prepare(
      'UPDATE sessions SET revealed_at = COALESCE(revealed_at, ?) WHERE sid = ? AND seen_at IS NOT NULL AND ended_at IS NULL',
    ),
    end: prepare('UPDATE sessions SET ended_at = ?, outcome = ? WHERE id = ? AND ended_at IS NULL'),
    expired: prepare(`${SESSION} WHERE ended_at IS NULL AND exp <= ? ORDER BY exp LIMIT ?`),
    list: prepare(`${SESSION} WHERE account_id = ? AND id < ? ORDER BY id DESC LIMIT ?`),
    insertMessage: prepare('INSERT INTO session_messages (session_id, sender, body) VALUES (?, ?, ?)'),
    messages: prepare(
      `SELECT m.id, m.sender, m.body FROM session_messages m JOIN sessions s ON s.id = m.session_id
       WHERE s.sid = ? AND m.sender = ? AND m.id > ? ORDER BY m.id LIMIT 50`,
    ),
    forgetMessages: prepare('DELETE FROM session_messages WHERE session_id = ?'),
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
    const { sid, accountId, openedAt, filledAt, seenAt, revealedAt, tries } = session;
    remember(accountId, {
      event: 'ended',
      sid,
      at: now,
      outcome: named,
      opened_at: openedAt ?? null,
      filled_at: filledAt ?? null,
      seen_at: seenAt ?? null,
      revealed_at: revealedAt ?? null,
      tries,
    });
    return find(sid);
  }

  return {
    saveCard: (accountId, seq, jws) =>
      writes.submit(() => {
        const known = sql.card.get(accountId) as { seq: number } | undefined;
        if (seq !== (known?.seq ?? 0) + 1) {
          throw new CountersignError('card-conflict', 'the card has changed since you read it', {
            hint: 'read it again, and repeat',
          });
        }
        sql.saveCard.run(accountId, seq, jws);
      }),

    async readCard(accountId) {
      return (sql.card.get(accountId) as { jws: string } | undefined)?.jws;
    },

    createSession: ({ sid, ticket, accountId, kid, jws, exp, metadata }, now) =>
      writes.submit(() => {
        sql.insert.run(sid, ticket, accountId, kid, jws, now, exp);
        remember(accountId, { event: 'created', sid, at: now, by: kid, ...metadata });
        return find(sid)!;
      }),

    async findSession(sid) {
      return find(sid);
    },

    openSession: (ticket, customer, now) =>
      writes.submit(() => {
        if (sql.open.run(customer, now, ticket, now).changes === 0) return undefined;
        return optional(sql.byTicket.get(ticket));
      }),

    addSessionMessage: (sid, { sender, body }, step, now) =>
      writes.submit(() => {
        const session = find(sid);
        if (session === undefined || session.endedAt !== undefined || session.exp <= now) return undefined;
        if (step === 'try' && sql.tryOnce.run(now, session.id, SESSION_TRIES).changes === 0) {
          end(session, 'too-many-tries', now);
          return undefined;
        }
        if (step === 'seen' && sql.see.run(now, session.id).changes === 0) return undefined;
        sql.insertMessage.run(session.id, sender, body);
        return find(sid);
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

    async listSessions(accountId, before, max) {
      return (sql.list.all(accountId, before, max) as unknown as SessionRecord[]).map(sessionOf);
    },

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
    ...(row.seen_at === null ? {} : { seenAt: row.seen_at }),
    ...(row.revealed_at === null ? {} : { revealedAt: row.revealed_at }),
    ...(row.ended_at === null ? {} : { endedAt: row.ended_at }),
    ...(row.outcome === null ? {} : { outcome: row.outcome }),
  };
}
