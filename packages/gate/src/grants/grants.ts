/**
 * The grants of a host, among its records. Each that is opened, used, revoked or over stands in the journal.
 * @module
 */
import { randomBytes } from 'node:crypto';
import type { DatabaseSync } from 'node:sqlite';
import { CountersignError } from '@countersign/core';
import type { JournalEntry } from '../host/host-records.ts';
import type { ReadBootTime } from './boot-time.ts';
import {
  type Grant,
  type GrantState,
  grantTimeText,
  MAX_GRANT_SECONDS,
  MIN_GRANT_SECONDS,
  stateOf,
} from './grant.ts';

export const GRANTS_SCHEMA = `
  CREATE TABLE grants (
    id TEXT PRIMARY KEY,
    user TEXT NOT NULL,
    service TEXT NOT NULL,
    seconds INTEGER NOT NULL,
    given_by TEXT NOT NULL,
    why TEXT NOT NULL,
    boot TEXT NOT NULL,
    made_seconds REAL NOT NULL,
    made_at INTEGER NOT NULL
  ) STRICT;
  CREATE INDEX grants_of_user ON grants (user);
  ALTER TABLE web_sessions ADD COLUMN grant_id TEXT;
`;

/** Open ones of a host, at most. */
const MAX_GRANTS = 1000;

export interface NewGrant {
  readonly user: string;
  readonly service: string;
  readonly seconds: number;
  readonly by: string;
  readonly why?: string;
}

export class Grants {
  readonly #write: <T>(work: () => T) => T;
  readonly #note: (entry: JournalEntry) => void;
  readonly #time: ReadBootTime;
  readonly #sql;

  /**
   * @param write does a work as one transaction
   * @param note puts a line into the journal, inside of one
   */
  constructor(
    database: DatabaseSync,
    write: <T>(work: () => T) => T,
    note: (entry: JournalEntry) => void,
    time: ReadBootTime,
  ) {
    this.#write = write;
    this.#note = note;
    this.#time = time;
    this.#sql = {
      all: database.prepare('SELECT * FROM grants ORDER BY made_at, id'),
      add: database.prepare('INSERT INTO grants VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)'),
      remove: database.prepare('DELETE FROM grants WHERE id = ?'),
      endSessions: database.prepare('DELETE FROM web_sessions WHERE grant_id = ?'),
    };
  }

  /**
   * Opens one, from now on.
   * @throws RangeError for a time that is not from a minute to 12 hours; `too-many-pending`
   */
  open({ user, service, seconds, by, why = '' }: NewGrant): Grant {
    if (!Number.isInteger(seconds) || seconds < MIN_GRANT_SECONDS || seconds > MAX_GRANT_SECONDS) {
      throw new RangeError('a grant is open from a minute to 12 hours');
    }
    this.sweep();
    const made = this.#time();
    const grant = { id: randomBytes(8).toString('hex'), user, service, seconds, by, why, made };
    this.#write(() => {
      if (this.#all().length >= MAX_GRANTS) {
        throw new CountersignError('too-many-pending', `${MAX_GRANTS} grants are open already`, {
          hint: '`countersign-gate grants` lists them, `revoke-grant` ends one',
        });
      }
      this.#sql.add.run(grant.id, user, service, seconds, by, why, made.boot, made.seconds, made.now);
      const reason = why === '' ? '' : `: ${why}`;
      this.#tell(grant, `GRANT OPENED for ${grantTimeText(seconds)}, by ${by}${reason}`);
    });
    return grant;
  }

  /** The one by which a user may sign on to a service now; of several, the one that is open longest. */
  covering(user: string, service: string): Grant | undefined {
    const open = this.list().filter((grant) => grant.user === user && grant.service === service);
    return open.sort((a, b) => b.made.seconds + b.seconds - (a.made.seconds + a.seconds))[0];
  }

  isOpen(id: string): boolean {
    return this.list().some((grant) => grant.id === id);
  }

  /** Those that are open. */
  list(): Grant[] {
    const all = this.#all();
    if (all.length === 0) return [];
    const now = this.#time();
    return all.filter((grant) => stateOf(grant, now) === 'open');
  }

  /** Ends one, and the web sessions that were begun under it. */
  revoke(id: string, by: string): boolean {
    return this.#write(() => this.#revoke((grant) => grant.id === id, by) > 0);
  }

  /** Ends those of a user, inside of a transaction: whoever gave them gave them for what was so before. */
  revokeOf(user: string, by: string): void {
    this.#revoke((grant) => grant.user === user, by);
  }

  /** What has become of one by now; one that is no longer there was revoked if it would be open. */
  stateNow(grant: Grant): GrantState {
    return stateOf(grant, this.#time());
  }

  /** Clears away what is no longer open, and says why. */
  sweep(): { readonly grant: Grant; readonly state: Exclude<GrantState, 'open'> }[] {
    if (this.#all().length === 0) return [];
    return this.#write(() => {
      const now = this.#time();
      const gone = this.#all().flatMap((grant) => {
        const state = stateOf(grant, now);
        return state === 'open' ? [] : [{ grant, state }];
      });
      for (const { grant, state } of gone) {
        this.#end(grant);
        this.#tell(grant, state === 'over' ? 'grant over' : `alarm: grant closed, ${state}`);
      }
      return gone;
    });
  }

  #revoke(which: (grant: Grant) => boolean, by: string): number {
    const gone = this.#all().filter(which);
    for (const grant of gone) {
      this.#end(grant);
      this.#tell(grant, `GRANT REVOKED, by ${by}`);
    }
    return gone.length;
  }

  #end({ id }: Grant): void {
    this.#sql.endSessions.run(id);
    this.#sql.remove.run(id);
  }

  #tell({ user, service, id }: Grant, what: string): void {
    this.#note({ at: this.#time().now, user, service, what: `${what} (${id.slice(0, 8)})` });
  }

  #all(): Grant[] {
    return this.#sql.all.all().map((row) => ({
      id: String(row.id),
      user: String(row.user),
      service: String(row.service),
      seconds: Number(row.seconds),
      by: String(row.given_by),
      why: String(row.why),
      made: { boot: String(row.boot), seconds: Number(row.made_seconds), now: Number(row.made_at) },
    }));
  }
}
