/**
 * The broker as a library, for embedding and for tests: `startBroker`.
 * @module
 */
export * from './broker.ts';
export { sodiumCrypto } from './sodium.ts';
