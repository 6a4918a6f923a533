/**
 * What a client remembers, in IndexedDB; an update is one transaction, also between tabs, and durable when it is done.
 * @module
 */
import type { StateStore } from '../state-store.ts';
import { DURABLE, database } from './database.ts';

export class IndexedDbStateStore implements StateStore {
  readonly #profile: string;

  /** @param profile tells several accounts in one browser apart */
  constructor(profile = 'default') {
    this.#profile = profile;
  }

  async get<T>(kind: string, key: string): Promise<T | undefined> {
    return read<T>(await (await database()).get('state', [this.#profile, kind, key]));
  }

  async list<T>(kind: string): Promise<[string, T][]> {
    const all = IDBKeyRange.bound([this.#profile, kind, ''], [this.#profile, kind, []]);
    const store = (await database()).transaction('state').store;
    const [keys, values] = await Promise.all([store.getAllKeys(all), store.getAll(all)]);
    return keys.map(([, , key], i) => [key, JSON.parse(values[i]!) as T]);
  }

  async update<T>(kind: string, key: string, change: (old: T | undefined) => T): Promise<T> {
    const transaction = (await database()).transaction('state', 'readwrite', DURABLE);
    const place: [string, string, string] = [this.#profile, kind, key];
    let value: T;
    try {
      value = change(read<T>(await transaction.store.get(place)));
    } catch (error) {
      transaction.abort();
      await transaction.done.catch(() => {});
      throw error;
    }
    await transaction.store.put(JSON.stringify(value), place);
    await transaction.done;
    return value;
  }

  async delete(kind: string, key: string): Promise<void> {
    const transaction = (await database()).transaction('state', 'readwrite', DURABLE);
    await transaction.store.delete([this.#profile, kind, key]);
    await transaction.done;
  }
}

function read<T>(text: string | undefined): T | undefined {
  return text === undefined ? undefined : (JSON.parse(text) as T);
}
