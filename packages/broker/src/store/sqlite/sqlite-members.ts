/**
 * Members of organisations and their seats on SQLite: a part of the store.
 * @module
 */
import type { DatabaseSync } from 'node:sqlite';
import { CountersignError, type Seat } from '@countersign/core';
import type { MemberStore, SeatRow } from '../member-store.ts';
import type { GroupCommit } from './group-commit.ts';

interface SeatRecord {
  account_id: number;
  member_id: number;
  seat: string;
  request: string;
  response: string;
  ended_at: number | null;
}

const SEAT = 'SELECT account_id, member_id, seat, request, response, ended_at FROM seats';

export function sqliteMembers(database: DatabaseSync, writes: GroupCommit): MemberStore {
  const prepare = (text: string) => database.prepare(text);
  const sql = {
    newest: prepare('SELECT MAX(seq) AS seq FROM member_changes WHERE account_id = ?'),
    insertChange: prepare('INSERT INTO member_changes (account_id, seq, jws) VALUES (?, ?, ?)'),
    changes: prepare('SELECT jws FROM member_changes WHERE account_id = ? AND seq >= ? ORDER BY seq'),
    insertSeat: prepare(
      `INSERT INTO seats (hash, account_id, member_id, kid, seat, request, response)
       VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (hash) DO NOTHING`,
    ),
    ofKey: prepare(
      `${SEAT} WHERE account_id = ? AND kid = ?
       ORDER BY ended_at IS NULL DESC, json_extract(seat, '$.exp') DESC LIMIT 1`,
    ),
    byHash: prepare(`${SEAT} WHERE hash = ?`),
    end: prepare('UPDATE seats SET ended_at = ? WHERE account_id = ? AND kid = ? AND ended_at IS NULL'),
  };
  return {
    addMemberChange: (accountId, seq, jws) =>
      writes.submit(() => {
        const newest = sql.newest.get(accountId) as { seq: number | null };
        if (seq !== (newest.seq ?? 0) + 1) {
          throw new CountersignError('member-conflict', 'the members have changed since you read them', {
            hint: 'read them again, and repeat',
          });
        }
        sql.insertChange.run(accountId, seq, jws);
      }),

    async readMemberChanges(accountId, from) {
      return sql.changes.all(accountId, from).map((row) => row.jws as string);
    },

    saveSeat: ({ accountId, memberId, evidence, ...seat }) =>
      writes.submit(() => {
        const { request, response } = evidence;
        sql.insertSeat.run(seat.hash, accountId, memberId, seat.kid, JSON.stringify(seat), request, response);
      }),

    async findSeat(accountId, kid) {
      return optional(sql.ofKey.get(accountId, kid));
    },

    async readSeat(hash) {
      return optional(sql.byHash.get(hash));
    },

    endSeats: (accountId, kid, now) =>
      writes.submit(() => {
        sql.end.run(now, accountId, kid);
      }),
  };
}

function optional(row: object | undefined): SeatRow | undefined {
  if (row === undefined) return undefined;
  const { account_id, member_id, seat, request, response, ended_at } = row as SeatRecord;
  return {
    ...(JSON.parse(seat) as Seat),
    accountId: account_id,
    memberId: member_id,
    evidence: { request, response },
    ...(ended_at === null ? {} : { endedAt: ended_at }),
  };
}
