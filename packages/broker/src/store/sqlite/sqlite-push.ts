/**
 * How devices are reached, on SQLite: a part of the store.
 * @module
 */
import type { DatabaseSync } from 'node:sqlite';
import type { PushStore, Reach } from '../push-store.ts';
import { BoundedMap } from './bounded-map.ts';
import type { GroupCommit } from './group-commit.ts';

const CACHED_ACCOUNTS = 20_000;

interface ReachRecord {
  kid: string;
  reached_at: number | null;
  pushed_at: number | null;
  endpoint: string | null;
  p256dh: string | null;
  auth: string | null;
}

export function sqlitePush(database: DatabaseSync, writes: GroupCommit): PushStore {
  const prepare = (text: string) => database.prepare(text);
  const sql = {
    save: prepare(
      `INSERT INTO device_reach (account_id, kid, endpoint, p256dh, auth) VALUES (?, ?, ?, ?, ?)
       ON CONFLICT (account_id, kid) DO UPDATE
       SET endpoint = excluded.endpoint, p256dh = excluded.p256dh, auth = excluded.auth`,
    ),
    drop: prepare(
      `UPDATE device_reach SET endpoint = NULL, p256dh = NULL, auth = NULL
       WHERE account_id = ? AND kid = ? AND endpoint = ?`,
    ),
    reached: prepare(
      `INSERT INTO device_reach (account_id, kid, reached_at) VALUES (?, ?, ?)
       ON CONFLICT (account_id, kid) DO UPDATE SET reached_at = excluded.reached_at`,
    ),
    pushed: prepare('UPDATE device_reach SET pushed_at = ? WHERE account_id = ? AND kid = ?'),
    read: prepare(
      'SELECT kid, reached_at, pushed_at, endpoint, p256dh, auth FROM device_reach WHERE account_id = ?',
    ),
  };
  /** Accounts of which no device is told, which are most: their questions read nothing. */
  const untold = new BoundedMap<number, true>(CACHED_ACCOUNTS);
  const readReach = (accountId: number) => (sql.read.all(accountId) as unknown as ReachRecord[]).map(reachOf);
  return {
    async saveSubscription(accountId, kid, subscription) {
      const { endpoint = null, p256dh = null, auth = null } = subscription ?? {};
      await writes.submit(() => {
        sql.save.run(accountId, kid, endpoint, p256dh, auth);
        untold.delete(accountId);
      });
    },

    async dropSubscription(accountId, kid, endpoint) {
      await writes.submit(() => sql.drop.run(accountId, kid, endpoint));
    },

    async noteReached(devices) {
      await writes.submit(() => {
        for (const { accountId, kid, at } of devices) sql.reached.run(accountId, kid, at);
      });
    },

    async notePushed(accountId, kid, at) {
      await writes.submit(() => sql.pushed.run(at, accountId, kid));
    },

    async listSubscribers(accountId) {
      if (untold.has(accountId)) return [];
      const told = readReach(accountId).flatMap(({ kid, subscription }) =>
        subscription === undefined ? [] : { kid, subscription },
      );
      if (told.length === 0) untold.set(accountId, true);
      return told;
    },

    async readReach(accountId) {
      return readReach(accountId);
    },
  };
}

function reachOf({ kid, reached_at, pushed_at, endpoint, p256dh, auth }: ReachRecord): Reach {
  return {
    kid,
    ...(reached_at === null ? {} : { reachedAt: reached_at }),
    ...(pushed_at === null ? {} : { pushedAt: pushed_at }),
    ...(endpoint === null || p256dh === null || auth === null
      ? {}
      : { subscription: { endpoint, p256dh, auth } }),
  };
}
