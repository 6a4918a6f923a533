/**
 * Private keys of a chain at rest, of a provider or a wallet: each sealed on its own, a JWE (RFC 7516, `dir`,
 * AES-256-GCM) under a seal key that Argon2id makes of a passphrase. What a key is of stands in the protected header, so that keys cannot be
 * moved from one account to another.
 * @module
 */
import { chmodSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import type { KeyProtection } from '@countersign/client/node';
import { CountersignError } from '@countersign/core';
import { CompactEncrypt, compactDecrypt } from 'jose';
import { type ChainPrivateKey, formatWif, newPrivateKey, parseWif } from './keys.ts';
import type { WalletKeys } from './wallet/keys.ts';

interface KeyRow {
  readonly account: string;
  readonly public: string;
  readonly sealed: string;
}

/** What stands in the header of the text that tells a wrong passphrase. */
const CHECK = 'countersign';

export class Vault implements WalletKeys {
  readonly #database: DatabaseSync;
  readonly #seal: Uint8Array;

  private constructor(database: DatabaseSync, seal: Uint8Array) {
    this.#database = database;
    this.#seal = seal;
  }

  /**
   * Opens the file, or makes it.
   * @param name what the passphrase is asked for
   * @throws `passphrase-wrong`, `passphrase-needed`
   */
  static async open(path: string, protection: KeyProtection, name: string): Promise<Vault> {
    const database = new DatabaseSync(path, { timeout: 10_000 });
    try {
      chmodSync(path, 0o600);
      database.exec(`
        PRAGMA journal_mode = WAL;
        PRAGMA synchronous = FULL;
        CREATE TABLE IF NOT EXISTS seal (parameters TEXT NOT NULL, proof TEXT NOT NULL) STRICT;
        CREATE TABLE IF NOT EXISTS keys (
          account TEXT NOT NULL, public TEXT NOT NULL, sealed TEXT NOT NULL, PRIMARY KEY (account, public)
        ) STRICT, WITHOUT ROWID;
        CREATE INDEX IF NOT EXISTS keys_by_public ON keys (public);
      `);
      const kept = database.prepare('SELECT parameters, proof FROM seal').get();
      if (kept === undefined) {
        const { key, parameters } = await protection.create(name);
        const vault = new Vault(database, key);
        const proof = await vault.#sealed(CHECK, CHECK);
        database.prepare('INSERT INTO seal VALUES (?, ?)').run(JSON.stringify(parameters), proof);
        return vault;
      }
      const parameters = JSON.parse(kept.parameters as string) as Record<string, string | number>;
      const vault = new Vault(database, await protection.unlock(parameters, name));
      try {
        await vault.#opened(CHECK, kept.proof as string);
      } catch (cause) {
        throw protection.wrongKey(cause);
      }
      return vault;
    } catch (error) {
      database.close();
      throw error;
    }
  }

  /**
   * A new random key of an account, kept before the chain hears of it.
   * @param text how the chain writes its public half
   */
  async create(account: string, text: (key: ChainPrivateKey) => string): Promise<ChainPrivateKey> {
    const key = newPrivateKey();
    await this.keep(account, key, text(key));
    return key;
  }

  async keep(account: string, key: ChainPrivateKey, publicText: string): Promise<void> {
    const sealed = await this.#sealed(account, formatWif(key));
    this.#database.prepare('INSERT OR REPLACE INTO keys VALUES (?, ?, ?)').run(account, publicText, sealed);
  }

  /** Whether there is a key of an account with one of these public halves; and which. */
  holds(account: string, publicTexts: readonly string[]): string | undefined {
    return this.#rows(account).find((row) => publicTexts.includes(row.public))?.public;
  }

  /** Whether there is a key with one of these public halves, of whatever account. */
  holdsAny(publicTexts: readonly string[]): boolean {
    const found = this.#database.prepare('SELECT 1 FROM keys WHERE public = ?');
    return publicTexts.some((text) => found.get(text) !== undefined);
  }

  /** @throws `key-file-invalid` where it was tampered with, `cosign-not-enrolled` where there is none */
  async key(account: string, publicText: string): Promise<ChainPrivateKey> {
    const row = this.#rows(account).find((one) => one.public === publicText);
    if (row === undefined) {
      throw new CountersignError(
        'cosign-not-enrolled',
        `no key of ${account} that the chain knows is kept here`,
      );
    }
    return parseWif(await this.#opened(account, row.sealed));
  }

  /** Keys of an account but one are gone from here. */
  forgetAllBut(account: string, publicText: string): void {
    this.#database.prepare('DELETE FROM keys WHERE account = ? AND public <> ?').run(account, publicText);
  }

  /** Public halves of all the keys of an account. */
  publicKeys(account: string): string[] {
    return this.#rows(account).map((row) => row.public);
  }

  /** Accounts that there are keys of. */
  accounts(): string[] {
    return this.#database
      .prepare('SELECT DISTINCT account FROM keys ORDER BY account')
      .all()
      .map(({ account }) => account as string);
  }

  /** Another secret, sealed as keys are; it opens only under the same words. */
  seal(what: string, secret: string): Promise<string> {
    return this.#sealed(what, secret);
  }

  /** @throws `key-file-invalid` */
  unseal(what: string, sealed: string): Promise<string> {
    return this.#opened(what, sealed);
  }

  close(): void {
    this.#database.close();
  }

  #rows(account: string): KeyRow[] {
    return this.#database.prepare('SELECT * FROM keys WHERE account = ?').all(account) as unknown as KeyRow[];
  }

  #sealed(account: string, secret: string): Promise<string> {
    return new CompactEncrypt(new TextEncoder().encode(secret))
      .setProtectedHeader({ alg: 'dir', enc: 'A256GCM', sub: account })
      .encrypt(this.#seal);
  }

  async #opened(account: string, sealed: string): Promise<string> {
    try {
      const { plaintext, protectedHeader } = await compactDecrypt(sealed, this.#seal);
      if (protectedHeader.sub === account) return new TextDecoder().decode(plaintext);
    } catch (cause) {
      throw new CountersignError('key-file-invalid', 'a sealed key does not open', { cause });
    }
    throw new CountersignError('key-file-invalid', 'a sealed key is of another account');
  }
}
