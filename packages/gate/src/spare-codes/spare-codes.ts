/**
 * Codes on paper, each good once: a user's offline codes, and one break-glass code of the host. Kept as slow hashes
 * that are bound to whom they are for; whoever copies the file has no code.
 * @module
 */
import { chmodSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import {
  type CryptoProvider,
  checkCode,
  commitCode,
  encodeBase32,
  groupBase32,
  PasscodeCommitment,
  ungroupBase32,
} from '@countersign/core';
import * as v from 'valibot';

/** One letter that says which, and 75 random bits: enough that tries need not be counted (NIST SP 800-63B-4, 3.1.2.2). */
const LETTERS = 16;
const RANDOM_BYTES = 10;
export const MAX_CODES = 20;
const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';
/** Stands where a user's name does, and is none. */
const ANYBODY = '';

export type CodeUse = 'offline' | 'break-glass';

export class SpareCodes {
  readonly #crypto: CryptoProvider;
  readonly #database: DatabaseSync;

  constructor(path: string, crypto: CryptoProvider) {
    this.#crypto = crypto;
    this.#database = new DatabaseSync(path, { timeout: 5000 });
    chmodSync(path, 0o600);
    this.#database.exec(`
      PRAGMA journal_mode = WAL;
      PRAGMA synchronous = FULL;
      CREATE TABLE IF NOT EXISTS codes (
        user TEXT NOT NULL,
        which INTEGER NOT NULL,
        commitment TEXT NOT NULL,
        PRIMARY KEY (user, which)
      ) STRICT, WITHOUT ROWID`);
  }

  /** New codes of a user; those before them are dead. */
  async make(user: string, count: number): Promise<string[]> {
    if (user === ANYBODY) throw new TypeError('whose codes?');
    return this.#make(user, count);
  }

  /** A new code that opens for anybody; the one before it is dead. */
  async makeBreakGlass(): Promise<string> {
    const [code] = await this.#make(ANYBODY, 1);
    return code!;
  }

  /** How many codes a user has left. */
  left(user: string): number {
    const row = this.#database.prepare('SELECT count(*) AS n FROM codes WHERE user = ?').get(user);
    return Number(row?.n);
  }

  /** Whether the host has any code at all, of whomever. */
  get any(): boolean {
    return this.#database.prepare('SELECT 1 FROM codes LIMIT 1').get() !== undefined;
  }

  get hasBreakGlass(): boolean {
    return this.left(ANYBODY) > 0;
  }

  /** Kills all codes of a user. */
  drop(user: string): void {
    this.#database.prepare('DELETE FROM codes WHERE user = ?').run(user);
  }

  /** Takes what was typed, if it is a code of the user or the host’s; it is used up by that. */
  async use(user: string, typed: string): Promise<CodeUse | undefined> {
    const letters = ungroupBase32(typed);
    if (letters.length !== LETTERS || user === ANYBODY) return undefined;
    const which = ALPHABET.indexOf(letters[0]!);
    for (const [owner, use] of [
      [user, 'offline'],
      [ANYBODY, 'break-glass'],
    ] as const) {
      const row = this.#database
        .prepare('SELECT commitment FROM codes WHERE user = ? AND which = ?')
        .get(owner, which);
      if (row === undefined) continue;
      const text = String(row.commitment);
      const commitment = v.parse(PasscodeCommitment, JSON.parse(text));
      if (!(await checkCode(this.#crypto, commitment, letters, bindingOf(owner)))) continue;
      // Of two at once, one has it; and never one that was replaced meanwhile.
      const { changes } = this.#database
        .prepare('DELETE FROM codes WHERE user = ? AND which = ? AND commitment = ?')
        .run(owner, which, text);
      if (changes === 1) return use;
    }
    return undefined;
  }

  close(): void {
    this.#database.close();
  }

  async #make(owner: string, count: number): Promise<string[]> {
    if (!Number.isInteger(count) || count < 1 || count > MAX_CODES) {
      throw new TypeError(`from 1 to ${MAX_CODES} codes`);
    }
    const codes = Array.from({ length: count }, (_, which) => {
      const random = encodeBase32(this.#crypto.randomBytes(RANDOM_BYTES));
      return groupBase32(`${ALPHABET[which]}${random.slice(0, LETTERS - 1)}`);
    });
    const commitments = await Promise.all(
      codes.map((code) => commitCode(this.#crypto, code, bindingOf(owner))),
    );
    this.#database.exec('BEGIN IMMEDIATE');
    try {
      this.drop(owner);
      const insert = this.#database.prepare('INSERT INTO codes VALUES (?, ?, ?)');
      for (const [which, commitment] of commitments.entries()) {
        insert.run(owner, which, JSON.stringify(commitment));
      }
      this.#database.exec('COMMIT');
    } catch (error) {
      this.#database.exec('ROLLBACK');
      throw error;
    }
    return codes;
  }
}

function bindingOf(owner: string): string[] {
  return ['countersign spare code 1', owner];
}
