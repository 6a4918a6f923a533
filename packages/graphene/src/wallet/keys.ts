/**
 * Keys of the chain as a wallet has them, wherever they are kept: a `Vault` in a file, a
 * `BrowserVault` in a page.
 * @module
 */
import type { ChainPrivateKey } from '../keys.ts';

export interface WalletKeys {
  /** Public halves of all the keys of an account, by its name. */
  publicKeys(account: string): readonly string[];
  /** @throws `cosign-not-enrolled` where there is none, `key-file-invalid` where it does not open */
  key(account: string, publicText: string): Promise<ChainPrivateKey>;
}
