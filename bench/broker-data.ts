/**
 * A broker's data folder that is written through the store before any broker runs on it.
 * @module
 */
import { mkdir } from 'node:fs/promises';
import { loadBrokerKey } from '../packages/broker/src/broker-key.ts';
import { databasePath, keyPath } from '../packages/broker/src/index.ts';
import { openSqliteStore } from '../packages/broker/src/store/sqlite/sqlite-store.ts';
import type { Store } from '../packages/broker/src/store/store.ts';

/** Makes the folder, with a key: a broker refuses a database whose key is gone. */
export async function newBrokerData(data: string): Promise<Store> {
  await mkdir(data, { recursive: true });
  await loadBrokerKey(keyPath(data));
  return openSqliteStore(databasePath(data));
}
