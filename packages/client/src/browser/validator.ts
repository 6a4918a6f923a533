/**
 * A validator in a browser. The private key of each pair is a `CryptoKey` that scripts can use and nobody can read out;
 * its record, with the ratchet, stands beside it as text: without the key it opens nothing.
 * @module
 */
import { decodeBase64url, encodeBase64url } from '@countersign/core';
import type { NoiseKey } from '@countersign/core/noise';
import { generateNoiseKey, noiseKeyOf, webNoise } from '@countersign/core/noise-web';
import { type PairKeys, ValidatorBook } from '../m-auth/validator-book.ts';
import { DURABLE, database } from './database.ts';
import { IndexedDbStateStore } from './indexed-db-state-store.ts';

const PROFILE = 'validator';

export class IndexedDbPairKeys implements PairKeys {
  async create(): Promise<NoiseKey> {
    const key = await generateNoiseKey();
    const transaction = (await database()).transaction('pairs', 'readwrite', DURABLE);
    await transaction.store.add(key.privateKey, encodeBase64url(key.publicKey));
    await transaction.done;
    // Asks that the browser does not drop them when its disk is full.
    await navigator.storage?.persist?.();
    return key;
  }

  async load(publicKey: string): Promise<NoiseKey | undefined> {
    const privateKey = await (await database()).get('pairs', publicKey);
    return privateKey && noiseKeyOf(decodeBase64url(publicKey), privateKey);
  }

  async forget(publicKey: string): Promise<void> {
    const transaction = (await database()).transaction('pairs', 'readwrite', DURABLE);
    await transaction.store.delete(publicKey);
    await transaction.done;
  }
}

/** This browser’s validator; an empty one, where nothing was paired. */
export function openBrowserValidator(): ValidatorBook {
  return new ValidatorBook(new IndexedDbStateStore(PROFILE), new IndexedDbPairKeys(), webNoise);
}

/** Removes every key and record of this browser’s validator, in one step. The hosts still have their side. */
export async function eraseBrowserValidator(): Promise<void> {
  const transaction = (await database()).transaction(['pairs', 'state'], 'readwrite', DURABLE);
  await Promise.all([
    transaction.objectStore('pairs').clear(),
    transaction.objectStore('state').delete(IDBKeyRange.bound([PROFILE, '', ''], [PROFILE, [], []])),
    transaction.done,
  ]);
}
