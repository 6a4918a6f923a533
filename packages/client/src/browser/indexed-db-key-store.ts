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
    const { name, identity, broker, signing, sealing } = kept;
    return { name, identity, broker, signer: await signerOf(signing), opener: await openerOf(sealing) };
  }

  /** @throws `profile-exists` */
  async save({ name, identity, broker, signer, opener }: DeviceKeys): Promise<void> {
    const publicKey = await crypto.subtle.importKey('jwk', opener.publicKey, { name: 'X25519' }, true, []);
    const sealing = { publicKey, privateKey: opener.privateKey };
    const kept = { name, identity, broker, signing: signer.keyPair, sealing };
    try {
      await (await database()).add('keys', kept, this.#profile);
    } catch (cause) {
      if ((cause as DOMException).name !== 'ConstraintError') throw cause;
      throw new CountersignError('profile-exists', 'this browser has keys for an account already', { cause });
    }
    // Asks that the browser does not drop them when its disk is full.
    await navigator.storage?.persist?.();
  }

  async discard(): Promise<void> {
    await (await database()).delete('keys', this.#profile);
  }
}
