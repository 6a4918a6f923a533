/**
 * An entry, and the new epoch that must follow it in the same append: what is sent from then on is sealed to exactly
 * the devices that count after the entry.
 * @module
 */
import { type CryptoProvider, createEpoch, extendLog, type Signing } from '@countersign/core';
import { newEpoch } from './create-account.ts';

/** @param signing what the entry was signed with */
export async function followedByEpoch(
  crypto: CryptoProvider,
  { signer, log, now }: Signing,
  entry: { readonly jws: string },
): Promise<string[]> {
  const after = await extendLog(crypto, log, [entry.jws]);
  const epoch = await createEpoch(crypto, after, signer, await newEpoch(), now);
  return [entry.jws, epoch.jws];
}
