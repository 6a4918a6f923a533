/**
 * The one database of an origin's client: keys as `CryptoKey`s that can't leave, and what else it remembers.
 * @module
 */
import { type DBSchema, type IDBPDatabase, openDB } from 'idb';

export interface Schema extends DBSchema {
  /** By profile. */
  keys: {
    key: string;
    value: {
      name: string;
      identity: string;
      broker: string;
      signing: CryptoKeyPair;
      sealing: CryptoKeyPair;
      next?: { signing: CryptoKeyPair; sealing: CryptoKeyPair };
    };
  };
  /** By profile, kind and key; JSON text. */
  state: { key: [string, string, string]; value: string };
  /** Private halves of a validator’s pairs, by the public one in base64url. */
  pairs: { key: string; value: CryptoKey };
}

let opened: Promise<IDBPDatabase<Schema>> | undefined;

export function database(): Promise<IDBPDatabase<Schema>> {
  opened ??= openDB<Schema>('countersign', 2, {
    upgrade(old, version) {
      if (version < 1) {
        old.createObjectStore('keys');
        old.createObjectStore('state');
      }
      old.createObjectStore('pairs');
    },
    // A newer page in another tab may go on.
    blocking: (_now, _wanted, event) => (event.target as IDBDatabase).close(),
  });
  return opened;
}

/** What is written is on the disk when the transaction is done: by default, browsers say so earlier. */
export const DURABLE = { durability: 'strict' } as const;
