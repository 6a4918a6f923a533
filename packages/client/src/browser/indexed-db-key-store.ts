/**
 * Keys in IndexedDB, non-extractable: scripts of the page may use them, nobody can read them out.
 * @module
 */
import { CountersignError } from '@countersign/core';
import { openerOf, signerOf } from '@countersign/core/webcrypto';
import type { DeviceKeys, KeyStore } from '../key-store.ts';
import { database } from './database.ts';

export class IndexedDbKeyStore implements KeyStore {
  readonly exports = false;
  readonly #profile: string;

  /** @param profile tells several accounts in one browser apart */
  constructor(profile = 'default') {
    this.#profile = profile;
  }

  async load(): Promise<DeviceKeys | undefined> {
    const kept = await (await database()).get('keys', this.#profile);
    if (kept === undefined) return undefined;
    const { name, identity, broker, next, ...pairs } = kept;
    return {
      name,
      identity,
      broker,
      ...(await keysOf(pairs)),
      ...(next === undefined ? {} : { next: await keysOf(next) }),
    };
  }

  /** @throws `profile-exists` */
  async save(keys: DeviceKeys): Promise<void> {
    try {
      await (await database()).add('keys', await keptOf(keys), this.#profile);
    } catch (cause) {
      if ((cause as DOMException).name !== 'ConstraintError') throw cause;
      throw new CountersignError('profile-exists', 'this browser has keys for an account already', { cause });
    }
    // Asks that the browser does not drop them when its disk is full.
    await navigator.storage?.persist?.();
  }

  async replace(keys: DeviceKeys): Promise<void> {
    await (await database()).put('keys', await keptOf(keys), this.#profile);
  }

  async discard(): Promise<void> {
    await (await database()).delete('keys', this.#profile);
  }
}

interface Pairs {
  readonly signing: CryptoKeyPair;
  readonly sealing: CryptoKeyPair;
}

async function keptOf({ name, identity, broker, next, ...keys }: DeviceKeys) {
  const kept = { name, identity, broker, ...(await pairsOf(keys)) };
  return next === undefined ? kept : { ...kept, next: await pairsOf(next) };
}

async function pairsOf({ signer, opener }: Pick<DeviceKeys, 'signer' | 'opener'>): Promise<Pairs> {
  const publicKey = await crypto.subtle.importKey('jwk', opener.publicKey, { name: 'X25519' }, true, []);
  return { signing: signer.keyPair, sealing: { publicKey, privateKey: opener.privateKey } };
}

async function keysOf({ signing, sealing }: Pairs) {
  return { signer: await signerOf(signing), opener: await openerOf(sealing) };
}
