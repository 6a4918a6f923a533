/**
 * A validator's folder: its book and its keys in one SQLite file, each value sealed under a key that a protection
 * gives (a passphrase, or the operating system's keyring), and a small file that says how to have that key again.
 * Without that file nothing opens: to wipe the folder is to lose it.
 * @module
 */
import { existsSync } from 'node:fs';
import { link, mkdir, open, readFile, rm } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { CountersignError, describeIssue, parseStrictJson } from '@countersign/core';
import type { NoiseCrypto } from '@countersign/core/noise';
import * as v from 'valibot';
import { StatePairKeys, ValidatorBook } from '../m-auth/validator-book.ts';
import { SealedStateStore } from '../sealed-state-store.ts';
import type { KeyProtection } from './key-protection.ts';
import { SqliteStateStore } from './sqlite-state-store.ts';

const NAME = 'this validator';
const CHECK_KIND = 'm-auth check';

const Head = v.strictObject({
  countersign: v.literal('validator/1'),
  protection: v.record(v.string(), v.union([v.string(), v.number()])),
});
type Head = v.InferOutput<typeof Head>;

export interface OpenValidator extends Disposable {
  readonly book: ValidatorBook;
}

/** Where a person's validator is, where nothing else is said. @param config $XDG_CONFIG_HOME */
export function defaultValidatorFolder(config: string | undefined): string {
  return join(config ?? join(homedir(), '.config'), 'countersign', 'validator');
}

export class ValidatorFolder {
  readonly #head: string;
  readonly #database: string;
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
    this.#head = join(folder, 'validator.json');
    this.#database = join(folder, 'validator.db');
  }

  /**
   * Opens the folder; makes it, where there is none.
   * @param sealing what a new one is sealed with
   * @param opening what one may be sealed with that is there already
   * @throws `passphrase-wrong`, `passphrase-needed`, `keyring-unavailable`, `keyring-entry-missing`, `key-file-invalid`
   */
  async open(
    crypto: NoiseCrypto,
    sealing: KeyProtection,
    opening: readonly KeyProtection[] = [sealing],
  ): Promise<OpenValidator> {
    const head = await this.#read();
    if (head === undefined) return this.#create(crypto, sealing);
    const protection = opening.find((one) => one.opens(head.protection));
    if (protection === undefined) throw damaged('it is sealed in a way that is not known here');
    return this.#unlock(crypto, await protection.unlock(head.protection, NAME), protection);
  }

  /** Whether there is one to open. */
  get exists(): boolean {
    return existsSync(this.#head);
  }

  /**
   * Removes everything, without opening it: no passphrase, no network. What was sealed is lost with the file that
   * says how to open it, whatever a disk keeps of the rest.
   */
  async wipe(opening: readonly KeyProtection[]): Promise<void> {
    const head = await this.#read().catch(() => undefined);
    await overwrite(this.#head);
    for (const path of [this.#head, this.#database, `${this.#database}-wal`, `${this.#database}-shm`]) {
      await rm(path, { force: true });
    }
    if (existsSync(this.#folder)) await sync(this.#folder);
    if (head === undefined) return;
    await opening.find((one) => one.opens(head.protection))?.discard(head.protection);
  }

  async #create(crypto: NoiseCrypto, protection: KeyProtection): Promise<OpenValidator> {
    await mkdir(this.#folder, { recursive: true, mode: 0o700 });
    const { key, parameters } = await protection.create(NAME);
    const head: Head = { countersign: 'validator/1', protection: parameters };
    const fresh = `${this.#head}.${process.pid}.new`;
    try {
      const file = await open(fresh, 'wx', 0o600);
      try {
        await file.writeFile(JSON.stringify(head));
        await file.sync();
      } finally {
        await file.close();
      }
      // never over one that another process has made meanwhile
      await link(fresh, this.#head);
      await sync(this.#folder);
    } catch (error) {
      await protection.discard(parameters);
      throw error;
    } finally {
      await rm(fresh, { force: true });
    }
    return this.#unlock(crypto, key, protection);
  }

  async #unlock(crypto: NoiseCrypto, key: Uint8Array, protection: KeyProtection): Promise<OpenValidator> {
    const database = new SqliteStateStore(this.#database);
    try {
      const state = new SealedStateStore(database, crypto, key);
      await state
        .update(CHECK_KIND, '', () => true)
        .catch((cause) => {
          throw cause instanceof CountersignError ? protection.wrongKey(cause) : cause;
        });
      const book = new ValidatorBook(state, new StatePairKeys(state, crypto), crypto);
      return { book, [Symbol.dispose]: () => database.close() };
    } catch (error) {
      database.close();
      throw error;
    }
  }

  async #read(): Promise<Head | undefined> {
    const text = await readFile(this.#head).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return undefined;
      throw error;
    });
    if (text === undefined) return undefined;
    const head = v.safeParse(Head, parseStrictJson(text));
    if (!head.success) throw damaged(describeIssue(head.issues));
    return head.output;
  }
}

async function overwrite(path: string): Promise<void> {
  if (!existsSync(path)) return;
  const file = await open(path, 'r+');
  try {
    const { size } = await file.stat();
    await file.write(new Uint8Array(size), 0, size, 0);
    await file.sync();
  } finally {
    await file.close();
  }
}

async function sync(folder: string): Promise<void> {
  const handle = await open(folder);
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

function damaged(what: string): CountersignError {
  return new CountersignError('key-file-invalid', `the validator's file is damaged: ${what}`);
}
