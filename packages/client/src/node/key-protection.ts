/**
 * What a key file is sealed with.
 * @module
 */
import { argon2, getRandomValues } from 'node:crypto';
import { CountersignError, decodeBase64url, encodeBase64url } from '@countersign/core';

export const KEY_BYTES = 32;

type Parameters = Record<string, string | number>;

export interface KeyProtection {
  /** A new 32-byte key for an account's key file, and what must be kept to have it again. */
  create(account: string): Promise<{ key: Uint8Array; parameters: Parameters }>;
  /** Whether a key file with these parameters is sealed in this way. */
  opens(parameters: Parameters): boolean;
  /** @throws `key-file-invalid`, `passphrase-needed`, `keyring-unavailable`, `keyring-entry-missing` */
  unlock(parameters: Parameters, account: string): Promise<Uint8Array>;
  /** Lets go of what `create` kept outside the file. */
  discard(parameters: Parameters): Promise<void>;
  /** What to say where a key does not open its file. */
  wrongKey(cause: unknown): CountersignError;
}

/** RFC 9106 section 4, second recommended: 64 MiB, three passes, four lanes. */
const ARGON2 = { memory: 65_536, passes: 3, parallelism: 4 } as const;
const SALT_BYTES = 16;

/** Asks for the passphrase of an account's keys; `fresh` where it is a new one. */
export type AskPassphrase = (account: string, fresh: boolean) => Promise<string>;

export function passphraseProtection(ask: AskPassphrase): KeyProtection {
  return {
    opens: ({ kdf }) => kdf !== undefined,
    async create(account) {
      const salt = getRandomValues(new Uint8Array(SALT_BYTES));
      const { memory: m, passes: t, parallelism: p } = ARGON2;
      const parameters = { kdf: 'argon2id', m, t, p, salt: encodeBase64url(salt) };
      return { key: await derive(await ask(account, true), salt, ARGON2), parameters };
    },
    async unlock({ kdf, m, t, p, salt }, account) {
      if (kdf !== 'argon2id' || typeof salt !== 'string' || Number(m) > 4_194_304 || Number(t) > 64) {
        throw new CountersignError(
          'key-file-invalid',
          'the key file is not sealed with a passphrase that we can use',
        );
      }
      const cost = { memory: Number(m), passes: Number(t), parallelism: Number(p) };
      return derive(await ask(account, false), decodeBase64url(salt), cost);
    },
    async discard() {},
    wrongKey: (cause) =>
      new CountersignError('passphrase-wrong', 'the key file does not open with this passphrase', {
        cause,
        hint: 'try again; without the passphrase the keys in it are lost, and the device must be let in anew',
      }),
  };
}

function derive(
  passphrase: string,
  nonce: Uint8Array,
  cost: { memory: number; passes: number; parallelism: number },
): Promise<Uint8Array> {
  const { promise, resolve, reject } = Promise.withResolvers<Uint8Array>();
  const message = new TextEncoder().encode(passphrase.normalize('NFC'));
  argon2('argon2id', { message, nonce, tagLength: KEY_BYTES, ...cost }, (error, key) =>
    error ? reject(error) : resolve(new Uint8Array(key)),
  );
  return promise;
}
