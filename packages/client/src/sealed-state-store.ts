/**
 * A state store whose values are sealed (ChaCha20-Poly1305, RFC 8439, a random nonce each), over any other one. A
 * value is bound to its place: moved to another key it does not open.
 * @module
 */
import { CountersignError, decodeBase64url, encodeBase64url, lvCat } from '@countersign/core';
import { concat, type NoiseCrypto } from '@countersign/core/noise';
import type { StateStore } from './state-store.ts';

const NONCE_BYTES = 12;

interface Sealed {
  readonly sealed: string;
}

/** Each read throws `key-file-invalid` for a value that was altered, or that another key sealed. */
export class SealedStateStore implements StateStore {
  readonly #inner: StateStore;
  readonly #crypto: NoiseCrypto;
  readonly #key: Uint8Array;

  /** @param key 32 bytes */
  constructor(inner: StateStore, crypto: NoiseCrypto, key: Uint8Array) {
    this.#inner = inner;
    this.#crypto = crypto;
    this.#key = key;
  }

  async get<T>(kind: string, key: string): Promise<T | undefined> {
    return this.#open<T>(kind, key, await this.#inner.get<Sealed>(kind, key));
  }

  async list<T>(kind: string): Promise<[string, T][]> {
    const values = await this.#inner.list<Sealed>(kind);
    return values.map(([key, value]) => [key, this.#open<T>(kind, key, value) as T]);
  }

  async update<T>(kind: string, key: string, change: (old: T | undefined) => T): Promise<T> {
    let value: T | undefined;
    await this.#inner.update<Sealed>(kind, key, (old) => {
      value = change(this.#open<T>(kind, key, old));
      return this.#seal(kind, key, value);
    });
    return value as T;
  }

  delete(kind: string, key: string): Promise<void> {
    return this.#inner.delete(kind, key);
  }

  #seal(kind: string, key: string, value: unknown): Sealed {
    const nonce = this.#crypto.randomBytes(NONCE_BYTES);
    const plaintext = new TextEncoder().encode(JSON.stringify(value));
    const sealed = this.#crypto.encrypt(this.#key, nonce, lvCat(kind, key), plaintext);
    return { sealed: encodeBase64url(concat(nonce, sealed)) };
  }

  #open<T>(kind: string, key: string, value: Sealed | undefined): T | undefined {
    if (value === undefined) return undefined;
    const bytes = decodeBase64url(value.sealed);
    const nonce = bytes.subarray(0, NONCE_BYTES);
    const opened =
      nonce.length === NONCE_BYTES
        ? this.#crypto.decrypt(this.#key, nonce, lvCat(kind, key), bytes.subarray(NONCE_BYTES))
        : undefined;
    if (opened !== undefined) return JSON.parse(new TextDecoder().decode(opened)) as T;
    throw new CountersignError(
      'key-file-invalid',
      'a kept value does not open: it was altered, or is of another key',
    );
  }
}
