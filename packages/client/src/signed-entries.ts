/**
 * Which entries of its account's log this device signed itself: written down before they go out, so that an
 * entry by a copy of its key is told from its own.
 * @module
 */
import { type CryptoProvider, LOG_ENTRIES, parseStatement } from '@countersign/core';
import { BrokerApi } from './broker-api.ts';
import type { StateStore } from './state-store.ts';

const KIND = 'signed-entry';

/** Calls to a broker by whoever signs entries: each is written down. */
export function signersApi(origin: string, crypto: CryptoProvider, state: StateStore): BrokerApi {
  return new BrokerApi(origin, {
    async onAppend(entries) {
      for (const jws of entries) {
        const { hash } = await parseStatement(crypto, LOG_ENTRIES, jws);
        await state.update<true>(KIND, hash, () => true);
      }
    },
  });
}

/** @param hash of the entry */
export async function wasSignedHere(state: StateStore, hash: string): Promise<boolean> {
  return (await state.get<true>(KIND, hash)) === true;
}
