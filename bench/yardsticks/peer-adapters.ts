/**
 * Two stores for `oidc-provider`: a `Map`, the fastest that there can be, and SQLite, as durable as ours (WAL,
 * `synchronous = FULL`), each write a transaction of its own, as that interface has it.
 * @module
 */
import { DatabaseSync } from 'node:sqlite';
import type { Adapter, AdapterFactory, AdapterPayload } from 'oidc-provider';

/** What this bench's flow never calls. */
const unused = {
  findByUserCode: async () => undefined,
  findByUid: async () => undefined,
  revokeByGrantId: async () => undefined,
};

const seconds = () => Math.floor(Date.now() / 1000);

export function mapAdapters(): AdapterFactory {
  return () => {
    const kept = new Map<string, AdapterPayload>();
    const adapter: Adapter = {
      ...unused,
      upsert: async (id, payload) => {
        kept.set(id, payload);
      },
      find: async (id) => kept.get(id),
      consume: async (id) => {
        const payload = kept.get(id);
        if (payload !== undefined) payload.consumed = seconds();
      },
      destroy: async (id) => {
        kept.delete(id);
      },
    };
    return adapter;
  };
}

export function sqliteAdapters(path: string): AdapterFactory {
  const database = new DatabaseSync(path);
  database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;');
  return (model) => {
    const table = `"${model}"`;
    database.exec(
      `CREATE TABLE ${table} (row INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, payload TEXT NOT NULL, consumed INTEGER, expires_at INTEGER) STRICT;`,
    );
    const upsert = database.prepare(
      `INSERT INTO ${table} (id, payload, expires_at) VALUES (?, ?, ?)
       ON CONFLICT (id) DO UPDATE SET payload = excluded.payload, expires_at = excluded.expires_at`,
    );
    const find = database.prepare(`SELECT payload, consumed, expires_at FROM ${table} WHERE id = ?`);
    const consume = database.prepare(`UPDATE ${table} SET consumed = ? WHERE id = ?`);
    const destroy = database.prepare(`DELETE FROM ${table} WHERE id = ?`);
    const adapter: Adapter = {
      ...unused,
      upsert: async (id, payload, expiresIn) => {
        const expiresAt = expiresIn === undefined ? null : seconds() + expiresIn;
        upsert.run(id, JSON.stringify(payload), expiresAt);
      },
      find: async (id) => {
        const row = find.get(id);
        if (row === undefined || (row.expires_at !== null && Number(row.expires_at) <= seconds())) return;
        const payload = JSON.parse(String(row.payload)) as AdapterPayload;
        return row.consumed === null ? payload : { ...payload, consumed: Number(row.consumed) };
      },
      consume: async (id) => {
        consume.run(seconds(), id);
      },
      destroy: async (id) => {
        destroy.run(id);
      },
    };
    return adapter;
  };
}
