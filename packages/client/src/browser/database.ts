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
}

let opened: Promise<IDBPDatabase<Schema>> | undefined;

export function database(): Promise<IDBPDatabase<Schema>> {
  opened ??= openDB<Schema>('countersign', 1, {
    upgrade(fresh) {
      fresh.createObjectStore('keys');
      fresh.createObjectStore('state');
    },
  });
  return opened;
}
