/**
 * Keys of the chain in a browser's IndexedDB, each sealed on its own (AES-256-GCM, bound to its account) under a key
 * that WebCrypto holds and no script can read out. The chain's own keys cannot be such ones: WebCrypto does not have
 * their curve. Whoever runs script in the page can use them; whoever copies what the page stores as text cannot.
 * @module
 */
import { CountersignError } from '@countersign/core';
import { type DBSchema, type IDBPDatabase, openDB } from 'idb';
import { type ChainPrivateKey, formatWif, parseWif } from '../keys.ts';
import type { WalletKeys } from './keys.ts';

interface SealedKey {
  readonly account: string;
  readonly public: string;
  readonly nonce: Uint8Array<ArrayBuffer>;
  readonly sealed: ArrayBuffer;
}

interface Schema extends DBSchema {
  seal: { key: string; value: CryptoKey };
  /** By account and public half. */
  keys: { key: [string, string]; value: SealedKey };
}

const SEAL = 'seal';
const NONCE_BYTES = 12;

export class BrowserVault implements WalletKeys {
  readonly #database: IDBPDatabase<Schema>;
  readonly #seal: CryptoKey;
  #keys: readonly SealedKey[];

  private constructor(database: IDBPDatabase<Schema>, seal: CryptoKey, keys: readonly SealedKey[]) {
    this.#database = database;
    this.#seal = seal;
    this.#keys = keys;
  }

  /** @param name of the database; one a wallet */
  static async open(name = 'countersign-wallet'): Promise<BrowserVault> {
    const database = await openDB<Schema>(name, 1, {
      upgrade(fresh) {
        fresh.createObjectStore('seal');
        fresh.createObjectStore('keys', { keyPath: ['account', 'public'] });
      },
    });
    const made = await crypto.subtle.generateKey({ name: 'AES-GCM', length: 256 }, false, [
      'encrypt',
      'decrypt',
    ]);
    // Two pages that open at once agree on one: only the first is added.
    const adding = database.transaction('seal', 'readwrite');
    const kept = await adding.store.get(SEAL);
    if (kept === undefined) await adding.store.put(made, SEAL);
    await adding.done;
    return new BrowserVault(database, kept ?? made, await database.getAll('keys'));
  }

  async keep(account: string, key: ChainPrivateKey, publicText: string): Promise<void> {
    const nonce = crypto.getRandomValues(new Uint8Array(NONCE_BYTES));
    const text = new TextEncoder().encode(formatWif(key));
    const sealed = await crypto.subtle.encrypt(parameters(nonce, account), this.#seal, text);
    await this.#database.put('keys', { account, public: publicText, nonce, sealed });
    this.#keys = await this.#database.getAll('keys');
  }

  publicKeys(account: string): string[] {
    return this.#keys.filter((row) => row.account === account).map((row) => row.public);
  }

  /** Accounts that there are keys of. */
  accounts(): string[] {
    return [...new Set(this.#keys.map(({ account }) => account))];
  }

  async key(account: string, publicText: string): Promise<ChainPrivateKey> {
    const row = this.#keys.find((one) => one.account === account && one.public === publicText);
    if (row === undefined) {
      throw new CountersignError('cosign-not-enrolled', `no key of ${account} is kept in this browser`);
    }
    try {
      const text = await crypto.subtle.decrypt(parameters(row.nonce, account), this.#seal, row.sealed);
      return parseWif(new TextDecoder().decode(text));
    } catch (cause) {
      throw new CountersignError('key-file-invalid', 'a sealed key does not open', { cause });
    }
  }

  /** Every key is gone from this browser. */
  async forget(): Promise<void> {
    await this.#database.clear('keys');
    this.#keys = [];
  }

  close(): void {
    this.#database.close();
  }
}

function parameters(nonce: Uint8Array<ArrayBuffer>, account: string): AesGcmParams {
  return { name: 'AES-GCM', iv: nonce, additionalData: new TextEncoder().encode(account) };
}
