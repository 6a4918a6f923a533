/**
 * What a client in a browser imports beside the library itself: stores in IndexedDB.
 * @module
 */
export { IndexedDbKeyStore } from './indexed-db-key-store.ts';
export { IndexedDbStateStore } from './indexed-db-state-store.ts';
export { browserModel, browserSystem } from './this-browser.ts';
export { eraseBrowserValidator, IndexedDbPairKeys, openBrowserValidator } from './validator.ts';
