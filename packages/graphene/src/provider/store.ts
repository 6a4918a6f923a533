/**
 * What a provider remembers, in one SQLite file, without any key of the chain.
 * @module
 */
import { chmodSync } from 'node:fs';
import { DatabaseSync, type SQLInputValue } from 'node:sqlite';

const STEPS: readonly string[] = [
  `
  CREATE TABLE settings (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;

  CREATE TABLE registrations (
    id TEXT PRIMARY KEY,
    account TEXT NOT NULL,
    account_id TEXT NOT NULL,
    countersign TEXT NOT NULL,
    identity TEXT NOT NULL,
    nonce TEXT NOT NULL,
    state TEXT NOT NULL,
    -- JSON of each way of proving more: its address, and what it must remember
    ways TEXT NOT NULL,
    request TEXT,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE users (
    account TEXT PRIMARY KEY,
    account_id TEXT NOT NULL UNIQUE,
    countersign TEXT NOT NULL,
    identity TEXT NOT NULL,
    address TEXT,
    registered_at INTEGER NOT NULL,
    -- the account on the chain that signs for this one, once there is one
    signer TEXT UNIQUE,
    signer_id TEXT UNIQUE
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE policies (
    account TEXT NOT NULL,
    version INTEGER NOT NULL,
    effective_at INTEGER NOT NULL,
    policy TEXT NOT NULL,
    PRIMARY KEY (account, version)
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE policy_changes (
    id TEXT PRIMARY KEY,
    account TEXT NOT NULL,
    version INTEGER NOT NULL,
    policy TEXT NOT NULL,
    state TEXT NOT NULL,
    request TEXT
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE transactions (
    digest TEXT PRIMARY KEY,
    id TEXT NOT NULL,
    account TEXT NOT NULL,
    transaction_json TEXT NOT NULL,
    outflows TEXT NOT NULL,
    -- pending, then signed, rejected, refused or expired
    state TEXT NOT NULL,
    reason TEXT,
    -- JSON: hashes of the questions that were asked, by the account asked
    requests TEXT NOT NULL,
    signatures TEXT,
    -- JSON: the receipts of the answers by which it was signed
    receipts TEXT,
    posted_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    settled_at INTEGER
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX transactions_of_account ON transactions (account, posted_at);

  CREATE TABLE proposals (
    proposal TEXT NOT NULL,
    account TEXT NOT NULL,
    state TEXT NOT NULL,
    request TEXT,
    outflows TEXT NOT NULL,
    asked_at INTEGER NOT NULL,
    PRIMARY KEY (proposal, account)
  ) STRICT, WITHOUT ROWID;
  `,
  // One transaction may need several accounts that are served here.
  `
  ALTER TABLE transactions RENAME TO transactions_before;
  DROP INDEX transactions_of_account;
  CREATE TABLE transactions (
    digest TEXT NOT NULL,
    account TEXT NOT NULL,
    id TEXT NOT NULL,
    transaction_json TEXT NOT NULL,
    outflows TEXT NOT NULL,
    -- JSON: accounts that must all say yes before any signature is made
    together TEXT NOT NULL,
    -- version of the policy that it was held against
    policy_version INTEGER NOT NULL,
    -- pending, accepted, then signed, rejected, refused or expired
    state TEXT NOT NULL,
    reason TEXT,
    -- JSON: hashes of the questions that were asked
    requests TEXT NOT NULL,
    signatures TEXT,
    -- JSON: the receipts of the answers by which it was signed
    receipts TEXT,
    posted_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    settled_at INTEGER,
    PRIMARY KEY (digest, account)
  ) STRICT, WITHOUT ROWID;
  INSERT INTO transactions
    SELECT digest, account, id, transaction_json, outflows, '[]', 0, state, reason, requests, signatures, receipts,
      posted_at, expires_at, settled_at
    FROM transactions_before;
  DROP TABLE transactions_before;
  CREATE INDEX transactions_of_account ON transactions (account, posted_at);
  `,
  `
  CREATE TABLE oath_tokens (
    serial TEXT PRIMARY KEY,
    -- whose it is, once somebody has registered with it
    account_id TEXT,
    -- an otpauth URI with its secret, sealed
    sealed TEXT NOT NULL,
    -- the first of its codes that still counts: a counter, or a step of its clock
    next INTEGER NOT NULL,
    -- wrong codes in a row
    wrong INTEGER NOT NULL,
    rests_until INTEGER NOT NULL,
    -- when it is forgotten, where it has yet to be proven
    expires_at INTEGER
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX oath_tokens_of_account ON oath_tokens (account_id);

  CREATE TABLE security_keys (
    id TEXT PRIMARY KEY,
    account_id TEXT NOT NULL,
    -- COSE, in base64url
    public_key TEXT NOT NULL,
    counter INTEGER NOT NULL,
    -- JSON
    transports TEXT NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX security_keys_of_account ON security_keys (account_id);

  ALTER TABLE registrations ADD COLUMN by_owner INTEGER NOT NULL DEFAULT 0;
  `,
  'ALTER TABLE users ADD COLUMN phone TEXT;',
  `
  CREATE TABLE logins (
    digest TEXT PRIMARY KEY,
    account TEXT NOT NULL,
    -- JSON of the whole login, with what its two keys share, until it is settled
    login TEXT,
    -- pending, then signed, rejected, refused or expired
    state TEXT NOT NULL,
    reason TEXT,
    request TEXT,
    signature TEXT,
    -- JSON: the receipt of the answer by which it was signed
    receipts TEXT,
    expires_at INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
  `,
  'ALTER TABLE proposals ADD COLUMN reason TEXT;',
  // When the transaction that approves it expires.
  'ALTER TABLE proposals ADD COLUMN approval_expires INTEGER;',
];

export interface RegistrationRow {
  readonly id: string;
  readonly account: string;
  readonly account_id: string;
  readonly countersign: string;
  readonly identity: string;
  readonly nonce: string;
  readonly state: 'challenged' | 'proving' | 'asked' | 'registered' | 'rejected' | 'expired';
  readonly ways: string;
  readonly request: string | null;
  readonly created_at: number;
  readonly expires_at: number;
  /** 1 where the key that signed is the account’s owner. */
  readonly by_owner: number;
}

export interface UserRow {
  readonly account: string;
  readonly account_id: string;
  readonly countersign: string;
  readonly identity: string;
  /** Where the person is told something: an e-mail address, and a phone number. */
  readonly address: string | null;
  readonly phone: string | null;
  readonly registered_at: number;
  readonly signer: string | null;
  readonly signer_id: string | null;
}

/** `accepted`: the person and the approvers have said yes, and others have not yet. */
export type TransactionState = 'pending' | 'accepted' | 'signed' | 'rejected' | 'refused' | 'expired';

export interface TransactionRow {
  readonly digest: string;
  readonly account: string;
  readonly id: string;
  readonly transaction_json: string;
  readonly outflows: string;
  readonly together: string;
  readonly policy_version: number;
  readonly state: TransactionState;
  readonly reason: string | null;
  readonly requests: string;
  readonly signatures: string | null;
  readonly receipts: string | null;
  readonly posted_at: number;
  readonly expires_at: number;
  readonly settled_at: number | null;
}

export interface PolicyRow {
  readonly account: string;
  readonly version: number;
  readonly effective_at: number;
  readonly policy: string;
}

export interface PolicyChangeRow {
  readonly id: string;
  readonly account: string;
  readonly version: number;
  readonly policy: string;
  readonly state: 'asked' | 'accepted' | 'rejected';
  readonly request: string | null;
}

export interface ProposalRow {
  readonly proposal: string;
  readonly account: string;
  /** `approving`: the person has said yes, and the chain may have the approval or get it still. */
  readonly state: 'asked' | 'approving' | 'approved' | 'rejected' | 'refused' | 'gone';
  /** Why it was refused, or is not asked about any more. */
  readonly reason: string | null;
  readonly request: string | null;
  readonly outflows: string;
  readonly asked_at: number;
  readonly approval_expires: number | null;
}

export interface LoginRow {
  readonly digest: string;
  readonly account: string;
  readonly login: string | null;
  readonly state: Exclude<TransactionState, 'accepted'>;
  readonly reason: string | null;
  readonly request: string | null;
  readonly signature: string | null;
  readonly receipts: string | null;
  readonly expires_at: number;
}

export interface TokenRow {
  readonly serial: string;
  readonly account_id: string | null;
  readonly sealed: string;
  readonly next: number;
  readonly wrong: number;
  readonly rests_until: number;
  readonly expires_at: number | null;
}

export interface SecurityKeyRow {
  readonly id: string;
  readonly account_id: string;
  readonly public_key: string;
  readonly counter: number;
  readonly transports: string;
}

interface Tables {
  registrations: RegistrationRow;
  users: UserRow;
  policies: PolicyRow;
  policy_changes: PolicyChangeRow;
  transactions: TransactionRow;
  proposals: ProposalRow;
  logins: LoginRow;
  oath_tokens: TokenRow;
  security_keys: SecurityKeyRow;
}

export class ProviderStore {
  readonly #database: DatabaseSync;

  constructor(path: string) {
    this.#database = new DatabaseSync(path, { timeout: 10_000 });
    if (path !== ':memory:') chmodSync(path, 0o600);
    this.#database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;');
    const { user_version: taken } = this.#database.prepare('PRAGMA user_version').get() as {
      user_version: number;
    };
    for (const [n, step] of STEPS.entries()) {
      if (n < taken) continue;
      this.#database.exec(`BEGIN IMMEDIATE; ${step} PRAGMA user_version = ${n + 1}; COMMIT`);
    }
  }

  setting(name: string): string | undefined {
    const row = this.#database.prepare('SELECT value FROM settings WHERE name = ?').get(name);
    return row?.value as string | undefined;
  }

  setSetting(name: string, value: string): void {
    this.#database.prepare('INSERT OR REPLACE INTO settings (name, value) VALUES (?, ?)').run(name, value);
  }

  /** Adds a row; @returns false where one with its key is there already. */
  add<T extends keyof Tables>(table: T, row: Tables[T]): boolean {
    const columns = Object.keys(row);
    const places = columns.map(() => '?').join(', ');
    const sql = `INSERT OR IGNORE INTO ${table} (${columns.join(', ')}) VALUES (${places})`;
    return this.#database.prepare(sql).run(...(Object.values(row) as SQLInputValue[])).changes === 1;
  }

  one<T extends keyof Tables>(table: T, where: Partial<Tables[T]>): Tables[T] | undefined {
    return this.all(table, where)[0];
  }

  all<T extends keyof Tables>(table: T, where: Partial<Tables[T]> = {}): Tables[T][] {
    const { clause, values } = matching(where);
    const rows = this.#database.prepare(`SELECT * FROM ${table} WHERE ${clause}`).all(...values);
    return rows.map((row) => ({ ...row }) as unknown as Tables[T]);
  }

  /** Changes rows; @returns how many there were. */
  change<T extends keyof Tables>(table: T, where: Partial<Tables[T]>, change: Partial<Tables[T]>): number {
    const { clause, values } = matching(where);
    const sets = Object.keys(change).map((column) => `${column} = ?`);
    const sql = `UPDATE ${table} SET ${sets.join(', ')} WHERE ${clause}`;
    const given = Object.values(change) as SQLInputValue[];
    return Number(this.#database.prepare(sql).run(...given, ...values).changes);
  }

  remove<T extends keyof Tables>(table: T, where: Partial<Tables[T]>): void {
    const { clause, values } = matching(where);
    this.#database.prepare(`DELETE FROM ${table} WHERE ${clause}`).run(...values);
  }

  /** All of it or nothing. */
  atomically<T>(work: () => T): T {
    this.#database.exec('BEGIN IMMEDIATE');
    try {
      const result = work();
      this.#database.exec('COMMIT');
      return result;
    } catch (error) {
      this.#database.exec('ROLLBACK');
      throw error;
    }
  }

  close(): void {
    this.#database.close();
  }
}

function matching(where: object): { clause: string; values: SQLInputValue[] } {
  const entries = Object.entries(where) as [string, SQLInputValue][];
  return {
    clause: ['1 = 1', ...entries.map(([column]) => `${column} = ?`)].join(' AND '),
    values: entries.map(([, value]) => value),
  };
}
