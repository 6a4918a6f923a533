/**
 * Key and state stores for Node.
 * @module
 */
export { FileKeyStore, type KeyAccount } from './file-key-store.ts';
export { type AskPassphrase, type KeyProtection, passphraseProtection } from './key-protection.ts';
export { keyringProtection } from './keyring-protection.ts';
export { lookAtDomain } from './look-at-domain.ts';
export { nodeNoise } from './noise.ts';
export { reachHost } from './reach.ts';
export { connectSocket, socketDuplex } from './socket-duplex.ts';
export { SqliteStateStore } from './sqlite-state-store.ts';
export { defaultValidatorFolder, type OpenValidator, ValidatorFolder } from './validator-folder.ts';
