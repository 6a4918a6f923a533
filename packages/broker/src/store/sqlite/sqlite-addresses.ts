/**
 * Addresses that accounts are told at, on SQLite: a part of the store.
 * @module
 */
import type { DatabaseSync } from 'node:sqlite';
import { CountersignError } from '@countersign/core';
import type { AddressRow, AddressStore } from '../address-store.ts';
import type { GroupCommit } from './group-commit.ts';

export function sqliteAddresses(database: DatabaseSync, writes: GroupCommit): AddressStore {
  const prepare = (text: string) => database.prepare(text);
  const sql = {
    save: prepare('INSERT INTO notice_addresses (account_id, address, since) VALUES (?, ?, ?)'),
    remove: prepare('DELETE FROM notice_addresses WHERE account_id = ? AND address = ?'),
    list: prepare('SELECT address, since FROM notice_addresses WHERE account_id = ? ORDER BY since, address'),
  };
  const list = (accountId: number) =>
    (sql.list.all(accountId) as unknown as AddressRow[]).map((row) => ({ ...row }));
  return {
    saveAddress: (accountId, address, now, most) =>
      writes.submit(() => {
        const kept = list(accountId);
        if (kept.some((row) => row.address === address)) return;
        if (kept.length >= most) {
          throw new CountersignError('address-refused', `an account is told at ${most} addresses at most`, {
            hint: 'remove one first',
          });
        }
        sql.save.run(accountId, address, now);
      }),

    removeAddress: (accountId, address) =>
      writes.submit(() => sql.remove.run(accountId, address).changes === 1),

    async listAddresses(accountId) {
      return list(accountId);
    },
  };
}
