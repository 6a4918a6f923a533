/**
 * What a client remembers between calls: logs that it saw, requests that it posted, tries that were counted.
 * Values are JSON. None of it is secret but the plaintext of questions and answers; keys are in the key store.
 * @module
 */

export interface StateStore {
  get<T>(kind: string, key: string): Promise<T | undefined>;
  list<T>(kind: string): Promise<[key: string, value: T][]>;
  /** Replaces a value by what becomes of it, atomically, also between processes. */
  update<T>(kind: string, key: string, change: (old: T | undefined) => T): Promise<T>;
  delete(kind: string, key: string): Promise<void>;
}

export class MemoryStateStore implements StateStore {
  readonly #kinds = new Map<string, Map<string, string>>();

  async get<T>(kind: string, key: string): Promise<T | undefined> {
    return read<T>(this.#kinds.get(kind)?.get(key));
  }

  async list<T>(kind: string): Promise<[string, T][]> {
    return [...(this.#kinds.get(kind) ?? [])].map(([key, text]) => [key, JSON.parse(text) as T]);
  }

  async update<T>(kind: string, key: string, change: (old: T | undefined) => T): Promise<T> {
    const values = this.#kinds.get(kind) ?? new Map<string, string>();
    this.#kinds.set(kind, values);
    const value = change(read<T>(values.get(key)));
    values.set(key, JSON.stringify(value));
    return value;
  }

  async delete(kind: string, key: string): Promise<void> {
    this.#kinds.get(kind)?.delete(key);
  }
}

function read<T>(text: string | undefined): T | undefined {
  return text === undefined ? undefined : (JSON.parse(text) as T);
}
