/**
 * What a host keeps: the pairs of its users, who may approve for whom, web sessions, and what happened, in one SQLite
 * file that is its owner's alone. Several programs of a host use it at a time (the daemon, an administrator's
 * commands), and what one changes the others see.
 * @module
 */
import { createHmac, randomBytes } from 'node:crypto';
import { chmodSync, mkdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { RecordUpdates } from '@countersign/client/m-auth';
import { CountersignError } from '@countersign/core';
import {
  BUCKET_BYTES,
  type InterfaceRecord,
  MAX_PAIRS,
  parseInterfaceRecord,
} from '@countersign/core/m-auth';
import * as v from 'valibot';
import { type ReadBootTime, systemBootTime } from '../grants/boot-time.ts';
import { GRANTS_SCHEMA, Grants } from '../grants/grants.ts';
import { WIFI_SCHEMA, WifiKeys } from '../wifi/wifi-keys.ts';
import { defaultSettings, HostSettings } from './settings.ts';

/** Further accounts whose consent a user's sign-ons need. */
export interface ApprovalRule {
  readonly needed: number;
  /** Accounts of the broker, `bob@example.com`. */
  readonly of: readonly string[];
  /** Their consent opens a grant for so long: until then they are not asked again for the same service. */
  readonly openSeconds?: number;
}

export interface UserSummary {
  readonly user: string;
  /** The user's own account at the broker: never one of their approvers. */
  readonly account: string | undefined;
  readonly approvals: ApprovalRule | undefined;
  /** Comes in by nothing of theirs: no validator, no push, no code on paper. */
  readonly disabled: boolean;
  readonly pairs: readonly InterfaceRecord[];
}

export interface JournalEntry {
  /** Seconds since 1970. */
  readonly at: number;
  readonly user: string;
  readonly service: string;
  readonly what: string;
}

/** How much of what happened is kept. */
const JOURNAL_ENTRIES = 10_000;
/** Each brings the records of the release before up to its own. */
const MIGRATIONS = [
  `
  CREATE TABLE settings (name TEXT PRIMARY KEY, value BLOB NOT NULL) STRICT, WITHOUT ROWID;
  CREATE TABLE pairs (
    id TEXT PRIMARY KEY,
    user TEXT NOT NULL,
    made_at INTEGER NOT NULL,
    record TEXT NOT NULL
  ) STRICT;
  CREATE INDEX pairs_of_user ON pairs (user);
  CREATE TABLE users (
    user TEXT PRIMARY KEY,
    account TEXT,
    approvals TEXT
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE web_sessions (
    hash BLOB PRIMARY KEY,
    user TEXT NOT NULL,
    pair TEXT NOT NULL,
    exp INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE journal (
    id INTEGER PRIMARY KEY,
    at INTEGER NOT NULL,
    user TEXT NOT NULL,
    service TEXT NOT NULL,
    what TEXT NOT NULL
  ) STRICT;
  CREATE INDEX journal_of_user ON journal (user, id);
  `,
  GRANTS_SCHEMA,
  WIFI_SCHEMA,
  // Being disabled was said by a user’s pairs alone.
  `
  ALTER TABLE users ADD COLUMN disabled INTEGER NOT NULL DEFAULT 0;
  INSERT INTO users (user, disabled)
    SELECT user, 1 FROM pairs WHERE true
    GROUP BY user HAVING MIN(COALESCE(json_extract(record, '$.disabled'), 0)) = 1
    ON CONFLICT (user) DO UPDATE SET disabled = 1;
  `,
];

export class HostRecords implements RecordUpdates<InterfaceRecord> {
  readonly #database: DatabaseSync;
  readonly #sql;
  readonly #bucketKey: Buffer;
  #tell: (user: string) => void = () => {};
  readonly grants: Grants;
  readonly wifi: WifiKeys;

  /**
   * Opens a host's folder; makes it, for its owner alone, where there is none.
   * @throws Error where others could read or write it
   */
  constructor(folder: string, time: ReadBootTime = systemBootTime) {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const { mode } = statSync(folder);
    if ((mode & 0o077) !== 0) {
      throw new Error(
        `others may look into ${folder}: make it its owner's alone with \`chmod go= ${folder}\``,
      );
    }
    const path = join(folder, 'gate.db');
    this.#database = new DatabaseSync(path, { timeout: 10_000 });
    chmodSync(path, 0o600);
    this.#database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;');
    this.#migrate();
    const prepare = (text: string) => this.#database.prepare(text);
    this.#sql = {
      version: prepare('PRAGMA data_version'),
      readSetting: prepare('SELECT value FROM settings WHERE name = ?'),
      writeSetting: prepare(
        'INSERT INTO settings (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value',
      ),
      pairsOf: prepare('SELECT record FROM pairs WHERE user = ? ORDER BY made_at, id'),
      pair: prepare('SELECT user, record FROM pairs WHERE id = ?'),
      addPair: prepare('INSERT INTO pairs (id, user, made_at, record) VALUES (?, ?, ?, ?)'),
      eraseTag: prepare("SELECT 1 FROM pairs WHERE json_extract(record, '$.erase.tag') = ?"),
      setPair: prepare('UPDATE pairs SET record = ? WHERE id = ?'),
      removePair: prepare('DELETE FROM pairs WHERE id = ?'),
      users: prepare('SELECT user FROM pairs UNION SELECT user FROM users ORDER BY user'),
      knows: prepare('SELECT 1 FROM pairs WHERE user = :user UNION SELECT 1 FROM users WHERE user = :user'),
      user: prepare('SELECT account, approvals, disabled FROM users WHERE user = ?'),
      setUser: prepare(
        `INSERT INTO users (user, account, approvals) VALUES (?, ?, ?)
         ON CONFLICT (user) DO UPDATE SET account = excluded.account, approvals = excluded.approvals`,
      ),
      disableUser: prepare(
        `INSERT INTO users (user, disabled) VALUES (?, ?)
         ON CONFLICT (user) DO UPDATE SET disabled = excluded.disabled`,
      ),
      removeUser: prepare('DELETE FROM users WHERE user = ?'),
      addSession: prepare(
        'INSERT INTO web_sessions (hash, user, pair, exp, grant_id) VALUES (?, ?, ?, ?, ?)',
      ),
      session: prepare('SELECT user, pair, exp, grant_id FROM web_sessions WHERE hash = ?'),
      removeSession: prepare('DELETE FROM web_sessions WHERE hash = ?'),
      removeSessionsOf: prepare('DELETE FROM web_sessions WHERE pair = ?'),
      removeOldSessions: prepare('DELETE FROM web_sessions WHERE exp <= ?'),
      note: prepare('INSERT INTO journal (at, user, service, what) VALUES (?, ?, ?, ?)'),
      trim: prepare('DELETE FROM journal WHERE id <= (SELECT MAX(id) FROM journal) - ?'),
      services: prepare(
        `SELECT service, SUM(what = 'granted') AS granted, SUM(what <> 'granted') AS refused FROM journal
         GROUP BY service ORDER BY service`,
      ),
      journal: prepare('SELECT at, user, service, what FROM journal WHERE user = ? ORDER BY id DESC LIMIT ?'),
    };
    const write = <T>(work: () => T) => this.#write(work);
    const note = (entry: JournalEntry) => this.#note(entry);
    this.grants = new Grants(this.#database, write, note, time);
    this.wifi = new WifiKeys(this.#database, write, note, (user) => this.pairsOf(user));
    this.#bucketKey = this.#key('bucket-key');
    this.webKey = this.#key('web-key');
  }

  /** For the MAC over the state of a web sign-on. */
  readonly webKey: Buffer;

  /** Another number whenever another process has changed anything. */
  get version(): number {
    return (this.#sql.version.get() as { data_version: number }).data_version;
  }

  /** Tells of the users whose pairs are changed through this object. */
  onChange(tell: (user: string) => void): void {
    this.#tell = tell;
  }

  /** What `countersign-gate configure` has set. */
  get settings(): HostSettings {
    const row = this.#sql.readSetting.get('host');
    if (row === undefined) return defaultSettings();
    return v.parse(HostSettings, JSON.parse(Buffer.from(row.value as Uint8Array).toString()));
  }

  set settings(settings: HostSettings) {
    const value = Buffer.from(JSON.stringify(v.parse(HostSettings, settings)));
    this.#write(() => this.#sql.writeSetting.run('host', value));
  }

  /** What the demultiplexer is told in the place of an account: the same each time, and of any name. 16 bytes. */
  bucketOf(user: string): Uint8Array {
    return createHmac('sha256', this.#bucketKey).update(user).digest().subarray(0, BUCKET_BYTES);
  }

  /** A user's pairs, those that are disabled included; none, for a user that is not known. */
  pairsOf(user: string): InterfaceRecord[] {
    return this.#sql.pairsOf.all(user).map(({ record }) => read(record));
  }

  users(): UserSummary[] {
    return this.#sql.users.all().map(({ user }) => this.user(user as string));
  }

  /** Whether anything is kept of a user, were it that they are disabled. */
  knows(user: string): boolean {
    return this.#sql.knows.get({ user }) !== undefined;
  }

  user(user: string): UserSummary {
    const row = this.#sql.user.get(user) as
      | { account: string | null; approvals: string | null; disabled: number }
      | undefined;
    return {
      user,
      account: row?.account ?? undefined,
      approvals: row?.approvals == null ? undefined : (JSON.parse(row.approvals) as ApprovalRule),
      disabled: row?.disabled === 1,
      pairs: this.pairsOf(user),
    };
  }

  setUser(
    user: string,
    { account, approvals }: { account?: string | undefined; approvals?: ApprovalRule | undefined },
  ) {
    const rule = approvals === undefined ? null : JSON.stringify(approvals);
    this.#write(() => {
      this.#sql.setUser.run(user, account ?? null, rule);
      this.grants.revokeOf(user, 'a change of approvers');
    });
    this.#tell(user);
  }

  /**
   * Adds a pair; one of a user who is disabled is as they are.
   * @throws `too-many-pairs`; `record-invalid` where its validator chose an erase tag by which another pair is known
   */
  addPair(user: string, record: InterfaceRecord, now: number): void {
    this.#write(() => {
      if (this.pairsOf(user).length >= MAX_PAIRS) {
        throw new CountersignError('too-many-pairs', `${user} has ${MAX_PAIRS} validators already`, {
          hint: '`countersign-gate remove` takes one away',
        });
      }
      if (this.#sql.eraseTag.get(record.erase.tag) !== undefined) {
        throw new CountersignError('record-invalid', 'another pair is known by that erase tag');
      }
      const kept = this.user(user).disabled ? { ...record, disabled: true as const } : record;
      this.#sql.addPair.run(record.id, user, now, JSON.stringify(kept));
    });
    this.#tell(user);
  }

  /** @param entry what the journal is to say of the change, in the same transaction */
  async update(
    id: string,
    apply: (record: InterfaceRecord) => InterfaceRecord | undefined,
    entry: (before: InterfaceRecord, after: InterfaceRecord) => JournalEntry | undefined = () => undefined,
  ): Promise<boolean> {
    const user = this.#write(() => {
      const row = this.#sql.pair.get(id);
      if (row === undefined) return undefined;
      const before = read(row.record);
      const next = apply(before);
      if (next === undefined) return undefined;
      this.#sql.setPair.run(JSON.stringify(next), id);
      const said = entry(before, next);
      if (said !== undefined) this.#note(said);
      return row.user as string;
    });
    if (user !== undefined) this.#tell(user);
    return user !== undefined;
  }

  /** Disables or enables a user, and all pairs of theirs; how many there are. */
  setDisabled(user: string, disabled: boolean): number {
    const count = this.#write(() => {
      this.#sql.disableUser.run(user, disabled ? 1 : 0);
      const pairs = this.pairsOf(user);
      for (const { disabled: _, ...record } of pairs) {
        const next = disabled ? { ...record, disabled: true as const } : record;
        this.#sql.setPair.run(JSON.stringify(next), record.id);
        if (disabled) this.#sql.removeSessionsOf.run(record.id);
      }
      if (disabled) this.grants.revokeOf(user, 'disabling');
      return pairs.length;
    });
    this.#tell(user);
    return count;
  }

  removePair(id: string): boolean {
    const user = this.#write(() => {
      const row = this.#sql.pair.get(id);
      this.#sql.removeSessionsOf.run(id);
      this.#sql.removePair.run(id);
      return row?.user as string | undefined;
    });
    if (user !== undefined) this.#tell(user);
    return user !== undefined;
  }

  /** Takes a user away whole; how many pairs there were. */
  removeUser(user: string): number {
    const count = this.#write(() => {
      const pairs = this.pairsOf(user);
      for (const { id } of pairs) {
        this.#sql.removeSessionsOf.run(id);
        this.#sql.removePair.run(id);
      }
      this.#sql.removeUser.run(user);
      this.grants.revokeOf(user, 'removal');
      return pairs.length;
    });
    this.#tell(user);
    return count;
  }

  /**
   * @param hash of the session's secret
   * @param exp seconds since 1970
   * @param grant by which it was begun: with it, it ends
   */
  addSession(hash: Uint8Array, user: string, pair: string, exp: number, now: number, grant?: string): void {
    this.#write(() => {
      this.#sql.removeOldSessions.run(now);
      this.#sql.addSession.run(hash, user, pair, exp, grant ?? null);
    });
  }

  /** The user whose session it is: one that is not over, of a pair that is there and not disabled. */
  sessionUser(hash: Uint8Array, now: number): string | undefined {
    const row = this.#sql.session.get(hash) as
      | { user: string; pair: string; exp: number; grant_id: string | null }
      | undefined;
    if (row === undefined || row.exp <= now) return undefined;
    if (row.grant_id !== null && !this.grants.isOpen(row.grant_id)) return undefined;
    const pair = this.#sql.pair.get(row.pair);
    return pair === undefined || read(pair.record).disabled ? undefined : row.user;
  }

  endSession(hash: Uint8Array): void {
    this.#write(() => this.#sql.removeSession.run(hash));
  }

  note(entry: JournalEntry): void {
    this.#write(() => this.#note(entry));
  }

  /** What was signed on to here, and how often with success, as far as the journal goes back. */
  services(): { service: string; granted: number; refused: number }[] {
    return this.#sql.services.all().map((row) => ({ ...row })) as never;
  }

  /** The newest first. */
  journal(user: string, limit = 20): JournalEntry[] {
    return this.#sql.journal.all(user, limit).map((row) => ({ ...row })) as unknown as JournalEntry[];
  }

  close(): void {
    this.#database.close();
  }

  #note({ at, user, service, what }: JournalEntry): void {
    const { lastInsertRowid: id } = this.#sql.note.run(at, user, service, what);
    if (Number(id) % 100 === 0) this.#sql.trim.run(JOURNAL_ENTRIES);
  }

  /** A key that is drawn once. */
  #key(name: string): Buffer {
    if (this.#sql.readSetting.get(name) === undefined) {
      this.#write(() => {
        if (this.#sql.readSetting.get(name) === undefined) this.#sql.writeSetting.run(name, randomBytes(32));
      });
    }
    return Buffer.from(this.#sql.readSetting.get(name)!.value as Uint8Array);
  }

  #migrate(): void {
    this.#database.exec('BEGIN IMMEDIATE');
    const { user_version: version } = this.#database.prepare('PRAGMA user_version').get() as {
      user_version: number;
    };
    for (const step of MIGRATIONS.slice(version)) this.#database.exec(step);
    this.#database.exec(`PRAGMA user_version = ${Math.max(version, MIGRATIONS.length)}; COMMIT`);
    if (version > MIGRATIONS.length) throw new Error('the host’s records are of a newer release: run that');
  }

  #write<T>(work: () => T): T {
    this.#database.exec('BEGIN IMMEDIATE');
    try {
      const value = work();
      this.#database.exec('COMMIT');
      return value;
    } catch (error) {
      if (this.#database.isTransaction) this.#database.exec('ROLLBACK');
      throw error;
    }
  }
}

function read(record: unknown): InterfaceRecord {
  return parseInterfaceRecord(JSON.parse(record as string));
}
