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
import { answerLost, isAnswerLost } from './answer-lost.ts';
import { BrokerApi } from './broker-api.ts';
import type { Clock } from './clock.ts';
import type { DeviceKeys, KeyStore } from './key-store.ts';
import { type Begun, KIND, placeOf } from './registration.ts';
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
 * Makes an account and registers it. The keys are kept before the broker hears of them, and until it has refused
 * them, so that no failure leaves an account without keys; called again for the same name, it goes on where the
 * answer was lost.
 * @throws `account-exists`, `profile-exists`, `broker-unreachable`, `name-invalid`
 */
export async function createAccount(options: NewAccountOptions): Promise<DeviceKeys> {
  const { name, broker, keyStore, state, crypto, clock } = options;
  const api = new BrokerApi(broker);
  const { origin } = await api.wellKnown();
  if (origin !== broker) {
    throw new CountersignError('broker-answer-invalid', `the broker at ${broker} calls itself ${origin}`, {
      hint: `use that address, if it is the broker that you mean: --broker ${origin}`,
    });
  }
  const place = placeOf(options);
  const { keys, jws } = (await begun(options, place)) ?? (await begin(options, place));
  try {
    await api.register([jws]);
  } catch (cause) {
    if (!(cause instanceof CountersignError)) throw cause;
    if (isAnswerLost(cause)) {
      throw answerLost(
        cause,
        'the account may have been made: its keys are kept; do the same again to go on',
      );
    }
    await keyStore.discard();
    await state.delete(KIND, place);
    throw cause;
  }
  await new AccountBook(api, crypto, state, clock).bind(name, keys.identity, 'own');
  await state.delete(KIND, place);
  return keys;
}

/** Where an answer was lost: the keys and the entry of that time. */
async function begun({ keyStore, state }: NewAccountOptions, place: string) {
  const before = await state.get<Begun>(KIND, place);
  const keys = before && (await keyStore.load());
  return keys?.identity === before?.identity && keys !== undefined ? { keys, jws: before!.jws } : undefined;
}

async function begin(options: NewAccountOptions, place: string) {
  const { name, broker, deviceName, algorithm = 'EdDSA', recovery } = options;
  const { keyStore, state, crypto, clock } = options;
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
  const { jws, hash: identity } = genesis;
  const keys: DeviceKeys = { name, identity, broker, signer, opener };
  await keyStore.save(keys);
  await state.update<Begun>(KIND, place, () => ({ identity, jws }));
  return { keys, jws };
}

/** A new account encryption key. Its private half is sealed to the devices, and then forgotten here. */
export async function newEpoch(): Promise<NewEpoch> {
  const opener = await generateOpener({ extractable: true });
  return { key: opener.publicKey, privateKey: JSON.stringify(await exportPrivate(opener)) };
}
