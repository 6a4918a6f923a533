/**
 * What `Enquirer` and `Device` share: a device's keys, the broker, the accounts that it knows.
 * @module
 */
import {
  CountersignError,
  type CryptoProvider,
  type DeviceLog,
  keyFingerprint,
  type Opener,
  openEpoch,
} from '@countersign/core';
import { importOpener } from '@countersign/core/webcrypto';
import { AccountBook } from './account-book.ts';
import type { BrokerApi } from './broker-api.ts';
import type { Clock } from './clock.ts';
import type { DeviceKeys, KeyStore } from './key-store.ts';
import { signersApi } from './signed-entries.ts';
import type { StateStore } from './state-store.ts';

export interface SessionOptions {
  readonly keys: DeviceKeys;
  readonly state: StateStore;
  readonly crypto: CryptoProvider;
  readonly clock: Clock;
  /** Where the keys are kept: another process that shares it may put new ones there. */
  readonly keyStore?: KeyStore | undefined;
}

/** Age of its own log that a device works with, in seconds: short, so that it notices its revocation. */
const OWN_LOG_AGE = 60;

export class Session {
  readonly state: StateStore;
  readonly crypto: CryptoProvider;
  readonly clock: Clock;
  readonly api: BrokerApi;
  readonly book: AccountBook;
  readonly keyStore: KeyStore | undefined;
  readonly #epochs = new Map<number, Promise<Opener | undefined>>();
  #keys: DeviceKeys;
  #kid: string | undefined;

  constructor({ keys, state, crypto, clock, keyStore }: SessionOptions) {
    this.#keys = keys;
    this.keyStore = keyStore;
    this.state = state;
    this.crypto = crypto;
    this.clock = clock;
    this.api = signersApi(keys.broker, crypto, state);
    this.book = new AccountBook(this.api, crypto, state, clock);
  }

  get keys(): DeviceKeys {
    return this.#keys;
  }

  /** Goes on with other keys of this device. */
  adopt(keys: DeviceKeys): void {
    this.#keys = keys;
    this.#kid = undefined;
    this.#epochs.clear();
  }

  /** The fingerprint of this device's signing key. */
  async kid(): Promise<string> {
    this.#kid ??= await keyFingerprint(this.crypto, this.keys.signer.publicKey);
    return this.#kid;
  }

  /**
   * This device's own account.
   * @throws `account-changed` where the broker shows another one under its name
   */
  async ownLog(maxAge = OWN_LOG_AGE): Promise<DeviceLog> {
    const { log } = await this.book.find(this.keys.name, maxAge);
    if (log.identity !== this.keys.identity) {
      throw new CountersignError('account-changed', 'the broker shows another account under our own name', {
        hint: 'do not answer anything; tell the broker’s operator',
      });
    }
    return log;
  }

  /** The private key of one of the account's epochs, if it was ever sealed to this device. */
  readonly epochOpener = (n: number): Promise<Opener | undefined> => {
    let opener = this.#epochs.get(n);
    if (opener === undefined) {
      opener = this.#openEpoch(n);
      this.#epochs.set(n, opener);
      opener.then(
        (found) => found === undefined && this.#epochs.delete(n),
        () => this.#epochs.delete(n),
      );
    }
    return opener;
  };

  async #openEpoch(n: number): Promise<Opener | undefined> {
    const known = await this.ownLog();
    // An epoch that we have not heard of may be a minute old.
    const log = known.epochs[n] === undefined ? await this.ownLog(0) : known;
    const epoch = log.epochs[n];
    const kid = await this.kid();
    if (epoch === undefined || !Object.hasOwn(epoch.sealed, kid)) return undefined;
    const jwk = await openEpoch(log.name, epoch, kid, await this.sealingKey(log));
    return importOpener(JSON.parse(jwk) as JsonWebKey);
  }

  /** The sealing key that a log names for this device: another process may have rotated it. */
  async sealingKey(log: DeviceLog): Promise<Opener> {
    const { x } = log.devices.get(await this.kid())?.enc ?? {};
    const named = ({ opener, next }: DeviceKeys) =>
      [opener, next?.opener].find((one) => one?.publicKey.x === x);
    const own = named(this.keys);
    if (own !== undefined) return own;
    const kept = await this.keyStore?.load();
    const other = kept && named(kept);
    if (kept === undefined || other === undefined) return this.keys.opener;
    this.adopt(kept);
    return other;
  }
}
