/**
 * Signatures on texts on SQLite: a part of the store.
 * @module
 */
import type { DatabaseSync } from 'node:sqlite';
import { CountersignError } from '@countersign/core';
import type { SignatureRow, SignatureStore } from '../signature-store.ts';
import type { GroupCommit } from './group-commit.ts';

const HOUR = 3600;

export function sqliteSignatures(database: DatabaseSync, writes: GroupCommit): SignatureStore {
  const prepare = (text: string) => database.prepare(text);
  const sql = {
    insert: prepare(
      'INSERT INTO text_signatures (hash, account_id, jws, created_at, exp) VALUES (?, ?, ?, ?, ?)',
    ),
    byHash: prepare('SELECT jws FROM text_signatures WHERE hash = ?'),
    since: prepare(
      'SELECT created_at FROM text_signatures WHERE account_id = ? AND created_at > ? ORDER BY id DESC LIMIT 1 OFFSET ?',
    ),
    list: prepare(
      `SELECT id, jws, created_at AS createdAt FROM text_signatures
       WHERE account_id = ? AND id < ? ORDER BY id DESC LIMIT ?`,
    ),
    prune: prepare(
      'DELETE FROM text_signatures WHERE id IN (SELECT id FROM text_signatures WHERE exp < ? ORDER BY exp LIMIT ?)',
    ),
  };
  return {
    saveSignature: ({ hash, accountId, jws, exp }, now, most) =>
      writes.submit(() => {
        if (sql.byHash.get(hash) !== undefined) return;
        const oldest = sql.since.get(accountId, now - HOUR, most - 1) as { created_at: number } | undefined;
        if (oldest !== undefined) {
          throw new CountersignError('too-often', `more than ${most} signatures in an hour`, {
            retryAfter: oldest.created_at + HOUR - now,
          });
        }
        sql.insert.run(hash, accountId, jws, now, exp ?? null);
      }),

    async readSignature(hash) {
      return (sql.byHash.get(hash) as { jws: string } | undefined)?.jws;
    },

    async listSignatures(accountId, before, max) {
      return (sql.list.all(accountId, before, max) as unknown as SignatureRow[]).map((row) => ({ ...row }));
    },

    pruneSignatures: (expiredBefore, max) =>
      writes.submit(() => Number(sql.prune.run(expiredBefore, max).changes)),
  };
}
