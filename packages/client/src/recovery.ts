/**
 * Getting an account back by the printed code, and what else the code does: it freezes a lost device at once, and
 * with a device it thaws one. The code itself is printed, and kept nowhere.
 * @module
 */
import {
  CountersignError,
  type CryptoProvider,
  createDeviceStatement,
  createFreeze,
  createRecovery,
  createRecoveryComplete,
  createRecoveryProof,
  createRecoverySet,
  createThaw,
  type DeviceLog,
  drawRecoveryCode,
  keyFingerprint,
  RECOVERY_KEY,
  type RecoveryProvision,
  RIGHTS,
  type Right,
  readRecoveryCode,
  type SignatureAlgorithm,
} from '@countersign/core';
import { deriveSigner, generateOpener, generateSigner, type WebSigner } from '@countersign/core/webcrypto';
import { AccountBook, type KnownAccount } from './account-book.ts';
import type { Clock } from './clock.ts';
import { followedByEpoch } from './followed-by-epoch.ts';
import type { DeviceKeys, KeyStore } from './key-store.ts';
import { Session } from './session.ts';
import { signersApi } from './signed-entries.ts';
import type { StateStore } from './state-store.ts';

/** How long any device can undo a recovery, where nothing is said, in seconds: three days. */
export const UNDO_SECONDS = 259_200;
const KIND = 'recovery';

interface Stores {
  readonly keyStore: KeyStore;
  readonly state: StateStore;
  readonly crypto: CryptoProvider;
  readonly clock: Clock;
}

/** Where an account is; without an identity, the broker's word is believed. */
export interface AccountPlace {
  readonly name: string;
  readonly broker: string;
  readonly identity?: string;
}

/** What a recovered device remembers: the first checkpoint over its recovery. */
interface Kept {
  readonly from: string;
  readonly at: number;
}

/** A new code to print, and what of it the account's log holds. */
export async function newRecovery(
  crypto: CryptoProvider,
  broker: RecoveryProvision['broker'],
  undo = UNDO_SECONDS,
): Promise<{ code: string; provision: RecoveryProvision }> {
  const code = await drawRecoveryCode(crypto);
  const { publicKey } = await recoverySigner(crypto, code);
  return { code, provision: { key: publicKey as RecoveryProvision['key'], undo, broker } };
}

/** The recovery key. @throws `recovery-invalid` */
export async function recoverySigner(crypto: CryptoProvider, code: string): Promise<WebSigner> {
  return deriveSigner(await readRecoveryCode(crypto, code), RECOVERY_KEY);
}

/**
 * Lets this machine in as a device by the printed code. It counts only after the undo period, if none of the
 * account's devices undoes it until then.
 * @returns until when it can be undone, at the least, in seconds since 1970
 * @throws `recovery-invalid`, `account-unknown`, `profile-exists`, `log-invalid` where a recovery is under way
 */
export async function beginRecovery(
  place: AccountPlace,
  code: string,
  device: { deviceName: string; algorithm?: SignatureAlgorithm; rights?: readonly Right[] },
  { keyStore, state, crypto, clock }: Stores,
): Promise<{ kid: string; until: number }> {
  const { api, book, log, signer: recovery } = await byCode(place, code, { state, crypto, clock });
  const extractable = keyStore.exports;
  const signer = await generateSigner(device.algorithm ?? 'EdDSA', { extractable });
  const opener = await generateOpener({ extractable });
  const now = clock.now();
  const own = await createDeviceStatement(crypto, log, {
    signer,
    enc: opener.publicKey,
    name: device.deviceName,
    now,
  });
  const entry = await createRecovery(
    crypto,
    { signer: recovery, log, now },
    own.jws,
    device.rights ?? RIGHTS,
  );
  const keys: DeviceKeys = { name: log.name, identity: log.identity, broker: place.broker, signer, opener };
  await keyStore.save(keys);
  try {
    await api.appendLog(log.name, [entry.jws]);
  } catch (error) {
    // A lost answer may mean that it is in the log: the keys stay.
    if (!(error instanceof CountersignError) || error.code !== 'broker-unreachable') await keyStore.discard();
    throw error;
  }
  const { at } = await firstCheckpoint(book, state, log.name, log.identity, own.kid, clock);
  return { kid: own.kid, until: at + log.recovery!.undo };
}

/**
 * Ends the probation of this device, once the undo period is over, and begins a new epoch.
 * @throws `recovery-early` with `retryAfter`; `device-revoked` where it was undone
 */
export async function completeRecovery(options: Stores): Promise<void> {
  const { keyStore, state, crypto, clock } = options;
  const keys = await keyStore.load();
  if (keys === undefined) throw new CountersignError('profile-missing', 'no recovery was begun here');
  const session = new Session({ keys, state, crypto, clock });
  const kid = await session.kid();
  const known = await session.book.find(keys.name, 0);
  const kept = await firstCheckpoint(session.book, state, keys.name, keys.identity, kid, clock);
  const { log, checkpoint } = known;
  const device = log.devices.get(kid);
  if (device?.revokedAt !== undefined) {
    throw new CountersignError('device-revoked', 'the recovery was undone by a device of the account', {
      hint: 'if that was not you, somebody has one of your devices: `countersign device lost <id>` freezes it by the code',
    });
  }
  const left = kept.at + log.recovery!.undo - clock.now();
  if (left > 0) {
    const until = new Date((kept.at + log.recovery!.undo) * 1000)
      .toISOString()
      .slice(0, 16)
      .replace('T', ' ');
    throw new CountersignError('recovery-early', `the recovery can be undone until ${until} UTC`, {
      retryAfter: left,
      hint: 'until then this device counts nowhere; come back after that',
    });
  }
  const by = { signer: keys.signer, log, now: clock.now() };
  const complete = await createRecoveryComplete(crypto, by, kept.from, checkpoint);
  const mayBegin = device!.rights.includes('admit');
  const entries = mayBegin ? await followedByEpoch(crypto, by, complete) : [complete.jws];
  await session.api.appendLog(log.name, entries);
  await state.delete(KIND, keys.identity);
}

/** Stops a device at once, by the code alone: from any machine, and without one of the account's devices. */
export async function freezeByCode(
  place: AccountPlace,
  code: string,
  pick: (log: DeviceLog) => string,
  stores: Omit<Stores, 'keyStore'>,
): Promise<void> {
  const { crypto, clock } = stores;
  const { api, log, signer } = await byCode(place, code, stores);
  const frozen = await createFreeze(crypto, { signer, log, now: clock.now() }, pick(log));
  await api.appendLog(log.name, [frozen.jws]);
}

/** Thaws this very device, by its own key and the code together. */
export async function thawByCode(session: Session, code: string): Promise<void> {
  const { crypto, keys, clock, api } = session;
  const log = await session.ownLog(0);
  const by = { signer: keys.signer, log, now: clock.now() };
  const proof = await recoveryProof(session, code, log);
  const kid = await session.kid();
  const thawed = await createThaw(crypto, by, kid, proof);
  const mayBegin = log.devices.get(kid)?.rights.includes('admit');
  const entries = mayBegin ? await followedByEpoch(crypto, by, thawed) : [thawed.jws];
  await api.appendLog(log.name, entries);
}

/** Proof that the code is at hand, for the next entry of a log, which this device signs. */
export async function recoveryProof(session: Session, code: string, log: DeviceLog): Promise<string> {
  const { crypto } = session;
  const signer = await recoverySigner(crypto, code);
  await checkIsOf(crypto, log, signer);
  return createRecoveryProof(crypto, signer, log, await session.kid());
}

/** Puts a new code in the place of the one before, which is worth nothing from then on. */
export async function replaceRecovery(session: Session, undo?: number): Promise<string> {
  const { crypto, keys, clock, api, book } = session;
  const log = await session.ownLog(0);
  const { code, provision } = await newRecovery(
    crypto,
    await book.brokerKey(),
    undo ?? log.recovery?.undo ?? UNDO_SECONDS,
  );
  const by = { signer: keys.signer, log, now: clock.now() };
  const { jws } = await createRecoverySet(crypto, by, provision);
  await api.appendLog(log.name, [jws]);
  return code;
}

/**
 * The code of an account as it was made. Where a first try had made the account, and its code was lost with the
 * answer, a new one takes its place.
 */
export async function recoveryInForce(
  session: Session,
  { code, provision }: { code: string; provision: RecoveryProvision },
): Promise<string> {
  const log = await session.ownLog();
  const own =
    log.recovery !== undefined && JSON.stringify(log.recovery.key) === JSON.stringify(provision.key);
  return own ? code : replaceRecovery(session, provision.undo);
}

async function byCode(
  { name, broker, identity }: AccountPlace,
  code: string,
  { state, crypto, clock }: Omit<Stores, 'keyStore'>,
) {
  const signer = await recoverySigner(crypto, code);
  const api = signersApi(broker, crypto, state);
  const book = new AccountBook(api, crypto, state, clock);
  const { log } = identity === undefined ? await book.find(name, 60) : await book.bind(name, identity, 'own');
  await checkIsOf(crypto, log, signer);
  return { api, book, log, signer };
}

async function checkIsOf(crypto: CryptoProvider, log: DeviceLog, signer: WebSigner): Promise<void> {
  const own = log.recovery && (await keyFingerprint(crypto, log.recovery.key));
  if (own === (await keyFingerprint(crypto, signer.publicKey))) return;
  throw new CountersignError('recovery-invalid', `this is not the recovery code of ${log.name}`, {
    hint: 'look for the newest print: a code is worth nothing once another was made',
  });
}

/** The first checkpoint over a log that has this device's recovery: from it, the undo period is measured. */
async function firstCheckpoint(
  book: AccountBook,
  state: StateStore,
  name: string,
  identity: string,
  kid: string,
  clock: Clock,
): Promise<Kept> {
  const kept = await state.get<Kept>(KIND, identity);
  if (kept !== undefined) return kept;
  const { log, checkpoint }: KnownAccount = await book.find(name, 0);
  if (log.devices.get(kid)?.probation === undefined) {
    throw new CountersignError('recovery-invalid', 'no recovery by this device is under way');
  }
  return state.update<Kept>(KIND, identity, (old) => old ?? { from: checkpoint, at: clock.now() });
}
