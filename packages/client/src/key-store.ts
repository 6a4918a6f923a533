/**
 * Where a device keeps its keys, as an interface: an encrypted file under Node, IndexedDB in a browser, memory
 * in tests. Keys are made on the device and used through `Signer` and `Opener`; no other part sees their bytes.
 * @module
 */
import type { WebOpener, WebSigner } from '@countersign/core/webcrypto';

/** A device's keys, and the account that it belongs to. */
export interface DeviceKeys {
  readonly name: string;
  /** Hash of the account's first log entry. */
  readonly identity: string;
  /** Origin of the account's broker. */
  readonly broker: string;
  readonly signer: WebSigner;
  readonly opener: WebOpener;
  /** Keys that are about to take the place of these: kept before the log names them, so that none are lost. */
  readonly next?: { readonly signer: WebSigner; readonly opener: WebOpener };
}

export interface KeyStore {
  /** Whether new keys must be extractable, since this store writes them down, sealed. */
  readonly exports: boolean;
  load(): Promise<DeviceKeys | undefined>;
  save(keys: DeviceKeys): Promise<void>;
  /** Puts keys of the same account in the place of the ones that are kept; those are gone then. */
  replace(keys: DeviceKeys): Promise<void>;
  /** Removes keys whose account the broker refused to make. */
  discard(): Promise<void>;
}

export class MemoryKeyStore implements KeyStore {
  readonly exports = false;
  #keys: DeviceKeys | undefined;

  async load(): Promise<DeviceKeys | undefined> {
    return this.#keys;
  }

  async save(keys: DeviceKeys): Promise<void> {
    this.#keys = keys;
  }

  async replace(keys: DeviceKeys): Promise<void> {
    this.#keys = keys;
  }

  async discard(): Promise<void> {
    this.#keys = undefined;
  }
}
