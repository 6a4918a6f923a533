/**
 * Key and state stores for Node.
 * @module
 */
export { FileKeyStore, type KeyAccount } from './file-key-store.ts';
export { type AskPassphrase, type KeyProtection, passphraseProtection } from './key-protection.ts';
export { keyringProtection } from './keyring-protection.ts';
export { SqliteStateStore } from './sqlite-state-store.ts';
