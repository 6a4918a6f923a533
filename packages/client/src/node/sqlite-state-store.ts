/**
 * A state store in one SQLite file, so that several processes of one user agree.
 * @module
 */
import { chmodSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { CountersignError } from '@countersign/core';
import type { StateStore } from '../state-store.ts';

export class SqliteStateStore implements StateStore {
  readonly #database: DatabaseSync;
  readonly #get;
  readonly #list;
  readonly #put;
  readonly #delete;

  /** @throws `storage-failed` where the file can't be opened or written, or is no state store */
  constructor(path: string) {
    this.#database = openDatabase(path);
    this.#get = this.#database.prepare('SELECT value FROM state WHERE kind = ? AND key = ?');
    this.#list = this.#database.prepare('SELECT key, value FROM state WHERE kind = ? ORDER BY key');
    this.#put = this.#database.prepare(
      'INSERT INTO state (kind, key, value) VALUES (?, ?, ?) ON CONFLICT (kind, key) DO UPDATE SET value = excluded.value',
    );
    this.#delete = this.#database.prepare('DELETE FROM state WHERE kind = ? AND key = ?');
  }

  async get<T>(kind: string, key: string): Promise<T | undefined> {
    return this.#read<T>(kind, key);
  }

  async list<T>(kind: string): Promise<[string, T][]> {
    return this.#list.all(kind).map(({ key, value }) => [key as string, JSON.parse(value as string) as T]);
  }

  async update<T>(kind: string, key: string, change: (old: T | undefined) => T): Promise<T> {
    this.#database.exec('BEGIN IMMEDIATE');
    try {
      const value = change(this.#read<T>(kind, key));
      this.#put.run(kind, key, JSON.stringify(value));
      this.#database.exec('COMMIT');
      return value;
    } catch (error) {
      this.#database.exec('ROLLBACK');
      throw error;
    }
  }

  async delete(kind: string, key: string): Promise<void> {
    this.#delete.run(kind, key);
  }

  close(): void {
    this.#database.close();
  }

  #read<T>(kind: string, key: string): T | undefined {
    const row = this.#get.get(kind, key);
    return row === undefined ? undefined : (JSON.parse(row.value as string) as T);
  }
}

function openDatabase(path: string): DatabaseSync {
  try {
    const database = new DatabaseSync(path, { timeout: 10_000 });
    if (path !== ':memory:') chmodSync(path, 0o600);
    database.exec(`
      PRAGMA journal_mode = WAL;
      CREATE TABLE IF NOT EXISTS state (
        kind TEXT NOT NULL, key TEXT NOT NULL, value TEXT NOT NULL, PRIMARY KEY (kind, key)
      ) STRICT, WITHOUT ROWID;
    `);
    return database;
  } catch (cause) {
    throw new CountersignError('storage-failed', `the memory of this device, ${path}: ${messageOf(cause)}`, {
      cause,
      hint: 'nothing was sent. Is there room, and may this user write there? It remembers whom this device trusts: where it is damaged, take it from a backup',
    });
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
