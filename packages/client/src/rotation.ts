/**
 * New keys for a device, again and again: what a thief of today's device finds opens nothing of last month. The new
 * keys are kept before the log names them; whatever fails in between, the next try settles it.
 * @module
 */
import {
  CLOCK_SKEW,
  CountersignError,
  counts,
  createDeviceStatement,
  createRotation,
  type DeviceLog,
  isSealable,
  keyFingerprint,
  LONGEST_LIFETIME,
  openEpoch,
  parseRequest,
} from '@countersign/core';
import { generateOpener, generateSigner } from '@countersign/core/webcrypto';
import type { Devices } from './devices.ts';
import type { DeviceKeys, KeyStore } from './key-store.ts';
import { awaitsAnswer } from './posted-questions.ts';
import type { Rooms } from './rooms.ts';
import type { Session } from './session.ts';

/** After so long an epoch ends, in seconds. */
export const EPOCH_LIFE = 7 * 86_400;

/** Age of the log by which it is judged whether anything is due, in seconds: what is read anew when it is told is newer. */
const SEEN_AGE = 3600;

/** Of so many pending questions nobody looks further: an old key is erased another time. */
const LOOKED_AT = 100;

/** Remembered: the epoch in which this device's sealing key was new. */
const KIND = 'sealing-key-since';

/** Until when one process alone changes keys; it may have been killed meanwhile. */
const LEASE_KIND = 'changing-keys';
const LEASE = 600;

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
  const privateKey = await openEpoch(log.name, log.epoch, own.kid, await session.sealingKey(log));
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
 * What a device does now and then, so that nobody has to think of it: begins a new epoch after seven days, or where a
 * device that was shown out could still read by the newest one, if it may; and gives itself a new sealing key once an
 * epoch has changed and nothing waits that needs the old one. Of the processes that share a state store, one does it.
 * @returns what was done
 */
export async function maintain(
  session: Session,
  devices: Devices,
  rooms: Rooms,
  keyStore: KeyStore,
): Promise<{ epoch: boolean; rotated: boolean }> {
  const seen = await session.ownLog(SEEN_AGE);
  const idle = { epoch: false, rotated: false };
  const since = async () => (await session.state.get<number>(KIND, session.keys.identity)) ?? 0;
  const now = session.clock.now();
  const kid = await session.kid();
  if (!isEpochDue(seen, kid, now) && (await since()) >= seen.epoch.n && session.keys.next === undefined) {
    return idle;
  }
  return alone(session, idle, async () => {
    // Another process may have been here meanwhile.
    const kept = await keyStore.load();
    if (kept !== undefined) session.adopt(kept);
    await settleRotation(session, rooms, keyStore);
    let log = await session.ownLog();
    const own = log.devices.get(await session.kid());
    if (own === undefined || !counts(own)) return idle;
    const epoch = isEpochDue(log, own.kid, now);
    if (epoch) {
      await devices.beginEpoch((newest) => isEpochDue(newest, own.kid, now));
      log = await session.ownLog(0);
    }
    const rotated = (await since()) < log.epoch.n && !(await needsOlder(session, log));
    // Room keys are opened by the epochs: read first what is there.
    if (rotated) {
      await rooms.read();
      await rotateKeys(session, rooms, keyStore, 'sealing');
    }
    return { epoch, rotated };
  });
}

/** Whether a new epoch should begin, and this device may begin it. */
function isEpochDue(log: DeviceLog, kid: string, now: number): boolean {
  const own = log.devices.get(kid);
  if (own === undefined || !counts(own) || !own.rights.includes('admit')) return false;
  return now - log.epochSince >= EPOCH_LIFE || !isSealable(log);
}

/** Does what two processes with the same keys must not do at once: the second does nothing. */
async function alone<T>({ state, keys, clock }: Session, otherwise: T, work: () => Promise<T>): Promise<T> {
  const now = clock.now();
  let mine = false;
  await state.update<number>(LEASE_KIND, keys.identity, (until = 0) => {
    mine = until <= now || until > now + LEASE;
    return mine ? now + LEASE : until;
  });
  if (!mine) return otherwise;
  try {
    return await work();
  } finally {
    await state.delete(LEASE_KIND, keys.identity);
  }
}

/**
 * Whether something waits that is sealed to an epoch before, and is read later: a question, one that is held, or an
 * answer to a question of ours. All of it was there when the epoch began: nobody can keep an old key for long.
 */
async function needsOlder({ api, keys, crypto, clock, state }: Session, log: DeviceLog): Promise<boolean> {
  const before = log.epochSince + CLOCK_SKEW;
  const now = clock.now();
  if (now > before + LONGEST_LIFETIME + CLOCK_SKEW) return false;
  if (await awaitsAnswer(state, crypto, before, now)) return true;
  const { requests } = await api.list(keys.signer, keys.name, 'pending', { max: LOOKED_AT });
  if (requests.length === LOOKED_AT) return true;
  for (const { request, posted_at: postedAt } of requests) {
    if (postedAt > before) continue;
    if (request === undefined) return true;
    const { payload } = await parseRequest(crypto, request);
    if ('sealed' in payload && payload.sealed.epoch !== log.epoch.n) return true;
  }
  return false;
}
