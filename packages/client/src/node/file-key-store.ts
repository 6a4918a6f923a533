/**
 * Keys in a file, sealed: a JWE (RFC 7516, `dir`, AES-256-GCM) under a key that a protection gives: Argon2id
 * of a passphrase, or the operating system's keyring. The file is readable by its owner only.
 * @module
 */
import { randomUUID } from 'node:crypto';
import { chmod, link, open, readFile, rename, stat, unlink } from 'node:fs/promises';
import { dirname } from 'node:path';
import { CountersignError, describeIssue, parseStrictJson } from '@countersign/core';
import { exportPrivate, importOpener, importSigner } from '@countersign/core/webcrypto';
import { CompactEncrypt, compactDecrypt } from 'jose';
import * as v from 'valibot';
import type { DeviceKeys, KeyStore } from '../key-store.ts';
import type { KeyProtection } from './key-protection.ts';

const Account = { name: v.string(), identity: v.string(), broker: v.string() };

const KeyFile = v.strictObject({
  countersign: v.literal('keys/1'),
  /** In clear, so that showing an account needs no passphrase; the sealed content has it again. */
  account: v.strictObject(Account),
  protection: v.record(v.string(), v.union([v.string(), v.number()])),
  keys: v.string(),
});

const PrivateJwk = v.looseObject({ kty: v.string(), crv: v.string(), x: v.string(), d: v.string() });
const Pair = { sig: PrivateJwk, enc: PrivateJwk };
const Content = v.strictObject({ ...Account, ...Pair, next: v.optional(v.strictObject(Pair)) });

type Content = v.InferOutput<typeof Content>;
type KeyFile = v.InferOutput<typeof KeyFile>;
export type KeyAccount = KeyFile['account'];

export class FileKeyStore implements KeyStore {
  readonly exports = true;
  readonly #path: string;
  readonly #sealing: KeyProtection;
  readonly #opening: readonly KeyProtection[];
  #unlocked: Uint8Array | undefined;

  /**
   * @param sealing what new keys are sealed with
   * @param opening what a file may be sealed with that is there already
   */
  constructor(path: string, sealing: KeyProtection, opening: readonly KeyProtection[] = [sealing]) {
    this.#path = path;
    this.#sealing = sealing;
    this.#opening = opening;
  }

  /** Which account the keys are of, without opening them. @throws `key-file-invalid` */
  async account(): Promise<KeyAccount | undefined> {
    return (await this.#read())?.account;
  }

  /** Whether the keys are sealed in this way. @throws `key-file-invalid` */
  async isSealedBy(protection: KeyProtection): Promise<boolean> {
    const file = await this.#read();
    return file !== undefined && protection.opens(file.protection);
  }

  /** @throws `key-file-invalid`, `passphrase-wrong`, `passphrase-needed`, `keyring-unavailable`, `keyring-entry-missing` */
  async load(): Promise<DeviceKeys | undefined> {
    const file = await this.#read();
    if (file === undefined) return undefined;
    await makePrivate(this.#path);
    const { name, identity, broker, next, ...pair } = await this.#open(file);
    return {
      name,
      identity,
      broker,
      ...(await importPair(pair)),
      ...(next === undefined ? {} : { next: await importPair(next) }),
    };
  }

  /**
   * Writes a new file; one that is there already is never written over.
   * @throws `profile-exists`, `passphrase-needed`, `keyring-unavailable`
   */
  async save(deviceKeys: DeviceKeys): Promise<void> {
    const { key, parameters } = await this.#sealing.create(deviceKeys.name);
    try {
      const { name, identity, broker } = deviceKeys;
      const content = { name, identity, broker, ...(await exportPair(deviceKeys, [])) };
      await writeOnce(this.#path, JSON.stringify(await seal(content, key, parameters)));
      this.#unlocked = key;
    } catch (error) {
      await this.#sealing.discard(parameters);
      throw error;
    }
  }

  /** Writes the file anew, sealed as it was. Keys that it had and that are not named again are gone from it. */
  async replace(keys: DeviceKeys): Promise<void> {
    const file = await this.#read();
    if (file === undefined) throw damaged('it is gone');
    const { next, ...pair } = await this.#open(file);
    const known = next === undefined ? [pair] : [pair, next];
    const content: Content = {
      ...file.account,
      ...(await exportPair(keys, known)),
      ...(keys.next === undefined ? {} : { next: await exportPair(keys.next, known) }),
    };
    const sealed = await seal(content, this.#unlocked!, file.protection);
    await writeOver(this.#path, JSON.stringify(sealed));
  }

  async discard(): Promise<void> {
    const file = await this.#read();
    if (file === undefined) return;
    await unlink(this.#path);
    await this.#protectionOf(file).discard(file.protection);
  }

  async #open(file: KeyFile): Promise<Content> {
    const protection = this.#protectionOf(file);
    const key = this.#unlocked ?? (await protection.unlock(file.protection, file.account.name));
    let plaintext: Uint8Array;
    try {
      ({ plaintext } = await compactDecrypt(file.keys, key));
    } catch (cause) {
      throw protection.wrongKey(cause);
    }
    const content = v.safeParse(Content, parseStrictJson(plaintext));
    if (!content.success) throw damaged(describeIssue(content.issues));
    const { name, identity, broker } = content.output;
    const { account } = file;
    if (account.name !== name || account.identity !== identity || account.broker !== broker) {
      throw damaged('it is labelled as another account than its keys are of');
    }
    // Kept for a rotation, which must not ask for the passphrase in its middle.
    this.#unlocked = key;
    return content.output;
  }

  #protectionOf({ protection }: KeyFile): KeyProtection {
    const found = this.#opening.find((one) => one.opens(protection));
    if (found === undefined) throw damaged('it is sealed in a way that is not known here');
    return found;
  }

  async #read(): Promise<KeyFile | undefined> {
    const text = await readFile(this.#path).catch(absent);
    if (text === undefined) return undefined;
    const file = v.safeParse(KeyFile, parseKeyFile(text));
    if (!file.success) throw damaged(describeIssue(file.issues));
    return file.output;
  }
}

async function seal(content: Content, key: Uint8Array, protection: KeyFile['protection']): Promise<KeyFile> {
  const { name, identity, broker } = content;
  const keys = await new CompactEncrypt(new TextEncoder().encode(JSON.stringify(content)))
    .setProtectedHeader({ alg: 'dir', enc: 'A256GCM' })
    .encrypt(key);
  return { countersign: 'keys/1', account: { name, identity, broker }, protection, keys };
}

type Pair = Pick<Content, 'sig' | 'enc'>;

async function importPair({ sig, enc }: Pair) {
  return { signer: await importSigner(sig as JsonWebKey), opener: await importOpener(enc as JsonWebKey) };
}

/** Private keys as they are written down; one that was loaded does not leave again, and is taken from the file. */
async function exportPair(
  { signer, opener }: Pick<DeviceKeys, 'signer' | 'opener'>,
  known: readonly Pair[],
): Promise<Pair> {
  const sig = known.find((pair) => pair.sig.x === signer.publicKey.x)?.sig ?? (await exportPrivate(signer));
  const enc = known.find((pair) => pair.enc.x === opener.publicKey.x)?.enc ?? (await exportPrivate(opener));
  return { sig, enc } as Pair;
}

/** Whole or not at all, durable, in the place of what is there. */
async function writeOver(path: string, text: string): Promise<void> {
  await rename(await writeBeside(path, text), path);
  const folder = await open(dirname(path));
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

/** A copy, or a backup that was put back, may be readable by others: it is its owner's again. */
async function makePrivate(path: string): Promise<void> {
  const { mode } = await stat(path);
  if ((mode & 0o077) !== 0) await chmod(path, 0o600);
}

async function writeBeside(path: string, text: string): Promise<string> {
  const fresh = `${path}.${randomUUID()}.new`;
  const file = await open(fresh, 'wx', 0o600);
  try {
    await file.writeFile(text);
    await file.sync();
  } catch (error) {
    await unlink(fresh);
    throw error;
  } finally {
    await file.close();
  }
  return fresh;
}

/** Whole or not at all, durable, and never over what is there. */
async function writeOnce(path: string, text: string): Promise<void> {
  const fresh = await writeBeside(path, text);
  try {
    await link(fresh, path);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'EEXIST') throw cause;
    throw new CountersignError('profile-exists', `there is a key file already: ${path}`, {
      cause,
      hint: 'use another --profile for another account',
    });
  } finally {
    await unlink(fresh);
  }
}

function absent(error: NodeJS.ErrnoException): undefined {
  if (error.code === 'ENOENT') return undefined;
  throw error;
}

function parseKeyFile(text: Uint8Array): unknown {
  try {
    return parseStrictJson(text);
  } catch (cause) {
    if (!(cause instanceof CountersignError)) throw cause;
    throw damaged(cause.message);
  }
}

function damaged(what: string): CountersignError {
  return new CountersignError('key-file-invalid', `the key file is damaged: ${what}`);
}
