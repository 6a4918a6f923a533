/**
 * New keys for a device, again and again: what a thief of today's device finds opens nothing of last month. The new
 * keys are kept before the log names them; whatever fails in between, the next try settles it.
 * @module
 */
import {
  CountersignError,
  createDeviceStatement,
  createRotation,
  type DeviceLog,
  keyFingerprint,
  openEpoch,
} from '@countersign/core';
import { generateOpener, generateSigner } from '@countersign/core/webcrypto';
import type { Devices } from './devices.ts';
import type { DeviceKeys, KeyStore } from './key-store.ts';
import type { Rooms } from './rooms.ts';
import type { Session } from './session.ts';

/** After so long an epoch ends, in seconds. */
export const EPOCH_LIFE = 7 * 86_400;

/** Remembered: the epoch in which this device's sealing key was new. */
const KIND = 'sealing-key-since';

/** Of which of a device's keys: the sealing key alone, by which it keeps its fingerprint, or both. */
export type Which = 'sealing' | 'both';

/**
 * Gives a device new keys, and erases the old ones.
 * @throws what `activeDevice` throws; `log-conflict` where another device was quicker
 */
export async function rotateKeys(
  session: Session,
  rooms: Rooms,
  keyStore: KeyStore,
  which: Which,
): Promise<void> {
  await settleRotation(session, rooms, keyStore);
  const { crypto, keys, clock, api } = session;
  const log = await session.ownLog(0);
  const own = log.devices.get(await session.kid());
  if (own === undefined) throw new CountersignError('device-unknown', 'this device is not in its account');
  const extractable = keyStore.exports;
  const signer =
    which === 'both' ? await generateSigner(keys.signer.algorithm, { extractable }) : keys.signer;
  const opener = await generateOpener({ extractable });
  const privateKey = await openEpoch(log.name, log.epoch, own.kid, keys.opener);
  await keyStore.replace({ ...keys, next: { signer, opener } });
  session.adopt({ ...keys, next: { signer, opener } });
  await rooms.resealTo(opener);
  const now = clock.now();
  const device = { signer, enc: opener.publicKey, name: own.name, now };
  const { jws, kid } = await createDeviceStatement(crypto, log, device);
  const entry = await createRotation(
    crypto,
    { signer: keys.signer, log, now },
    { jws, kid, enc: opener.publicKey },
    { key: log.epoch.key, privateKey },
  );
  await api.appendLog(log.name, [entry.jws]);
  await settleRotation(session, rooms, keyStore);
  await session.state.update<number>(KIND, keys.identity, () => log.epoch.n);
}

/** Goes on with the keys that the log names, of the ones at hand; the others are erased. */
export async function settleRotation(session: Session, rooms: Rooms, keyStore: KeyStore): Promise<void> {
  const { next, ...keys } = session.keys;
  if (next === undefined) return;
  const log = await session.ownLog(0);
  const current: DeviceKeys = (await isNamed(session, log, next)) ? { ...keys, ...next } : keys;
  const gone = current.opener === keys.opener ? next.opener : keys.opener;
  await keyStore.replace(current);
  session.adopt(current);
  await rooms.forget(gone);
}

async function isNamed(
  { crypto }: Session,
  log: DeviceLog,
  { signer, opener }: NonNullable<DeviceKeys['next']>,
): Promise<boolean> {
  const device = log.devices.get(await keyFingerprint(crypto, signer.publicKey));
  return device?.enc.x === opener.publicKey.x;
}

/**
 * What a device does now and then, so that nobody has to think of it: begins a new epoch after seven days, where
 * it may; and gives itself a new sealing key once an epoch has changed and nothing waits that needs the old one.
 * @param pendingEpochs epochs that pending questions are sealed to
 * @returns what was done
 */
export async function maintain(
  session: Session,
  devices: Devices,
  rooms: Rooms,
  keyStore: KeyStore,
  pendingEpochs: readonly number[],
): Promise<{ epoch: boolean; rotated: boolean }> {
  await settleRotation(session, rooms, keyStore);
  let log = await session.ownLog();
  const kid = await session.kid();
  const own = log.devices.get(kid);
  if (own === undefined) return { epoch: false, rotated: false };
  const due = session.clock.now() - log.epochSince >= EPOCH_LIFE && own.rights.includes('admit');
  if (due) {
    await devices.beginEpoch();
    log = await session.ownLog(0);
  }
  const since = (await session.state.get<number>(KIND, session.keys.identity)) ?? 0;
  const rotated = since < log.epoch.n && pendingEpochs.every((n) => n === log.epoch.n);
  // Room keys are opened by the epochs: read first what is there.
  if (rotated) {
    await rooms.read();
    await rotateKeys(session, rooms, keyStore, 'sealing');
  }
  return { epoch: due, rotated };
}
