/**
 * Making an account: its first device's keys, its first epoch, its first log entry.
 * @module
 */
import {
  CountersignError,
  type CryptoProvider,
  createGenesis,
  type NewEpoch,
  type RecoveryProvision,
  type SignatureAlgorithm,
} from '@countersign/core';
import { exportPrivate, generateOpener, generateSigner } from '@countersign/core/webcrypto';
import { AccountBook } from './account-book.ts';
import { BrokerApi } from './broker-api.ts';
import type { Clock } from './clock.ts';
import type { DeviceKeys, KeyStore } from './key-store.ts';
import type { StateStore } from './state-store.ts';

export interface NewAccountOptions {
  readonly name: string;
  /** Origin of the broker. */
  readonly broker: string;
  /** How the person knows this device, say `alice’s laptop`. */
  readonly deviceName: string;
  readonly algorithm?: SignatureAlgorithm;
  /** Made by `newRecovery`; absent where the account can't be got back. */
  readonly recovery?: RecoveryProvision | undefined;
  readonly keyStore: KeyStore;
  readonly state: StateStore;
  readonly crypto: CryptoProvider;
  readonly clock: Clock;
}

/**
 * Makes an account and registers it. The keys are kept before the broker hears of them, so that no failure
 * leaves an account without keys.
 * @throws `account-exists`, `profile-exists`, `broker-unreachable`, `name-invalid`
 */
export async function createAccount(options: NewAccountOptions): Promise<DeviceKeys> {
  const { name, broker, deviceName, algorithm = 'EdDSA', recovery } = options;
  const { keyStore, state, crypto, clock } = options;
  const api = new BrokerApi(broker);
  const { origin } = await api.wellKnown();
  if (origin !== broker) {
    throw new CountersignError('broker-answer-invalid', `the broker at ${broker} calls itself ${origin}`, {
      hint: `use that address, if it is the broker that you mean: --broker ${origin}`,
    });
  }
  const signer = await generateSigner(algorithm, { extractable: keyStore.exports });
  const opener = await generateOpener({ extractable: keyStore.exports });
  const genesis = await createGenesis(crypto, {
    name,
    signer,
    enc: opener.publicKey,
    deviceName,
    epoch: await newEpoch(),
    recovery,
    now: clock.now(),
  });
  const keys: DeviceKeys = { name, identity: genesis.hash, broker, signer, opener };
  await keyStore.save(keys);
  try {
    await api.register([genesis.jws]);
  } catch (error) {
    await keyStore.discard();
    throw error;
  }
  await new AccountBook(api, crypto, state, clock).bind(name, genesis.hash, 'own');
  return keys;
}

/** A new account encryption key. Its private half is sealed to the devices, and then forgotten here. */
export async function newEpoch(): Promise<NewEpoch> {
  const opener = await generateOpener({ extractable: true });
  return { key: opener.publicKey, privateKey: JSON.stringify(await exportPrivate(opener)) };
}
