/**
 * Keys in a file, sealed: a JWE (RFC 7516, `dir`, AES-256-GCM) under a key that a protection gives: Argon2id
 * of a passphrase, or the operating system's keyring. The file is readable by its owner only.
 * @module
 */
import { randomUUID } from 'node:crypto';
import { link, open, readFile, unlink } from 'node:fs/promises';
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
const Content = v.strictObject({
  ...Account,
  sig: PrivateJwk,
  enc: PrivateJwk,
});

type KeyFile = v.InferOutput<typeof KeyFile>;
export type KeyAccount = KeyFile['account'];

export class FileKeyStore implements KeyStore {
  readonly exports = true;
  readonly #path: string;
  readonly #sealing: KeyProtection;
  readonly #opening: readonly KeyProtection[];

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
    const protection = this.#protectionOf(file);
    const key = await protection.unlock(file.protection, file.account.name);
    let plaintext: Uint8Array;
    try {
      ({ plaintext } = await compactDecrypt(file.keys, key));
    } catch (cause) {
      throw protection.wrongKey(cause);
    }
    const content = v.safeParse(Content, parseStrictJson(plaintext));
    if (!content.success) throw damaged(describeIssue(content.issues));
    const { name, identity, broker, sig, enc } = content.output;
    const { account } = file;
    if (account.name !== name || account.identity !== identity || account.broker !== broker) {
      throw damaged('it is labelled as another account than its keys are of');
    }
    return {
      name,
      identity,
      broker,
      signer: await importSigner(sig as JsonWebKey),
      opener: await importOpener(enc as JsonWebKey),
    };
  }

  /**
   * Writes a new file; one that is there already is never written over.
   * @throws `profile-exists`, `passphrase-needed`, `keyring-unavailable`
   */
  async save(deviceKeys: DeviceKeys): Promise<void> {
    const { key, parameters } = await this.#sealing.create(deviceKeys.name);
    try {
      await writeOnce(this.#path, JSON.stringify(await seal(deviceKeys, key, parameters)));
    } catch (error) {
      await this.#sealing.discard(parameters);
      throw error;
    }
  }

  async discard(): Promise<void> {
    const file = await this.#read();
    if (file === undefined) return;
    await unlink(this.#path);
    await this.#protectionOf(file).discard(file.protection);
  }

  #protectionOf({ protection }: KeyFile): KeyProtection {
    const found = this.#opening.find((one) => one.opens(protection));
    if (found === undefined) throw damaged('it is sealed in a way that is not known here');
    return found;
  }

  async #read(): Promise<KeyFile | undefined> {
    const text = await readFile(this.#path).catch(absent);
    if (text === undefined) return undefined;
    const file = v.safeParse(KeyFile, parseStrictJson(text));
    if (!file.success) throw damaged(describeIssue(file.issues));
    return file.output;
  }
}

async function seal(
  { name, identity, broker, signer, opener }: DeviceKeys,
  key: Uint8Array,
  protection: KeyFile['protection'],
): Promise<KeyFile> {
  const account: KeyAccount = { name, identity, broker };
  const content = { ...account, sig: await exportPrivate(signer), enc: await exportPrivate(opener) };
  const keys = await new CompactEncrypt(new TextEncoder().encode(JSON.stringify(content)))
    .setProtectedHeader({ alg: 'dir', enc: 'A256GCM' })
    .encrypt(key);
  return { countersign: 'keys/1', account, protection, keys };
}

/** Whole or not at all, durable, and never over what is there. */
async function writeOnce(path: string, text: string): Promise<void> {
  const fresh = `${path}.${randomUUID()}.new`;
  const file = await open(fresh, 'wx', 0o600);
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
  try {
    await link(fresh, path);
  } catch (cause) {
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

function damaged(what: string): CountersignError {
  return new CountersignError('key-file-invalid', `the key file is damaged: ${what}`);
}
