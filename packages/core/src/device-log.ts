/**
 * An account's device log: whoever replays the same entries gets the same devices. A log only ever grows, so
 * a reader that kept its newest head notices a shorter log (rollback) and another log (fork).
 * @module
 */

import type { CryptoProvider, PublicSealingJwk, PublicSigningJwk } from './crypto-provider.ts';
import { CountersignError } from './errors.ts';
import {
  DeviceAddEntry,
  DeviceRevokeEntry,
  DeviceStatement,
  EpochEntry,
  type EpochKey,
  GenesisEntry,
  LOG_ENTRIES,
  type LogEntry,
  type Right,
} from './log-entries.ts';
import {
  keyFingerprint,
  type PayloadOf,
  parseStatement,
  type Statement,
  verifyStatement,
} from './statement.ts';

/** Most devices that an account may have at a time. */
export const MAX_DEVICES = 20;

export interface Device {
  readonly kid: string;
  readonly sig: PublicSigningJwk;
  readonly enc: PublicSealingJwk;
  readonly name: string;
  readonly rights: readonly Right[];
  readonly addedAt: { readonly seq: number; readonly iat: number };
  readonly revokedAt?: { readonly seq: number; readonly iat: number; readonly reason: 'retired' | 'lost' };
}

export interface Head {
  readonly seq: number;
  readonly hash: string;
}

/** What a replay knows: a value, never changed. */
export interface DeviceLog {
  readonly name: string;
  /** The hash of the first entry. */
  readonly identity: string;
  readonly head: Head;
  /** By kid, the revoked ones too. */
  readonly devices: ReadonlyMap<string, Device>;
  /** The newest epoch, and every epoch by number; each names the devices that it is sealed to. */
  readonly epoch: EpochKey;
  readonly epochs: readonly EpochKey[];
  /** Hashes by `seq`, and the entries as they were signed. */
  readonly hashes: readonly string[];
  readonly entries: readonly string[];
}

/**
 * Replays a whole log.
 * @throws `log-invalid`, `signature-invalid`, `device-revoked`, `device-unknown`, `device-not-entitled`, and
 *   what reading a statement throws
 */
export async function replayLog(crypto: CryptoProvider, entries: readonly string[]): Promise<DeviceLog> {
  const [first, ...rest] = entries;
  if (first === undefined) throw new CountersignError('log-invalid', 'a log without entries');
  const genesis = await parseStatement(crypto, GenesisEntry, first);
  const { device, epoch, sub, iat } = genesis.payload;
  const kid = await keyFingerprint(crypto, device.sig);
  await verifyStatement(crypto, genesis, device.sig);
  if (!device.rights.includes('admit')) refuse('the first device must have the right to admit others');
  if (epoch.n !== 0) refuse('the first epoch must be number 0');
  checkSealedTo(epoch, [kid]);
  const founder: Device = { kid, ...device, addedAt: { seq: 0, iat } };
  return extendLog(
    crypto,
    {
      name: sub,
      identity: genesis.hash,
      head: { seq: 0, hash: genesis.hash },
      devices: new Map([[kid, founder]]),
      epoch,
      epochs: [epoch],
      hashes: [genesis.hash],
      entries: [first],
    },
    rest,
  );
}

/** Replays further entries onto a log; throws as `replayLog` does. */
export async function extendLog(
  crypto: CryptoProvider,
  log: DeviceLog,
  entries: readonly string[],
): Promise<DeviceLog> {
  let current = log;
  for (const jws of entries) {
    current = await applyEntry(crypto, current, await parseStatement(crypto, LOG_ENTRIES, jws));
  }
  return current;
}

/**
 * What a client makes of entries that a broker gave it for an account that it knows: the log that it pinned
 * and all that follows.
 * @param offered entries from number `from` on, which must be a number that the pinned log has
 * @throws `log-rollback` where the offered head is older than the pinned one; `log-fork` where the offered log
 *   is another one; `account-changed` where even its first entry is
 */
export async function followLog(
  crypto: CryptoProvider,
  pinned: DeviceLog,
  offered: readonly string[],
  from = 0,
): Promise<DeviceLog> {
  const known = pinned.hashes.slice(from);
  for (const [i, hash] of known.entries()) {
    const jws = offered[i];
    if (jws === undefined) {
      throw new CountersignError(
        'log-rollback',
        `the device log of ${pinned.name} is shorter than the one seen before`,
        {
          hint: 'the broker hides entries, perhaps a revocation: do not trust it until its operator has explained',
        },
      );
    }
    const entry = await parseStatement(crypto, LOG_ENTRIES, jws);
    if (entry.hash === hash) continue;
    if (from + i === 0) {
      throw new CountersignError('account-changed', `${pinned.name} shows another first entry than before`, {
        hint: 'somebody may be posing as this account; if its owner really began anew, remove the contact and add it from a new link',
      });
    }
    throw new CountersignError(
      'log-fork',
      `the device log of ${pinned.name} differs from the one seen before, at entry ${from + i}`,
      {
        hint: 'the broker shows different logs at different times: do not trust it until its operator has explained',
      },
    );
  }
  return extendLog(crypto, pinned, offered.slice(known.length));
}

/** The device behind a kid, if it is in the account now. */
export function activeDevice(log: DeviceLog, kid: string): Device {
  const device = log.devices.get(kid);
  if (device === undefined) {
    throw new CountersignError('device-unknown', `${log.name} has no device ${kid}`);
  }
  if (device.revokedAt !== undefined) {
    throw new CountersignError('device-revoked', `the device ${device.name} of ${log.name} was revoked`);
  }
  return device;
}

/** The device behind a kid, if it was in the account when the log had its entry of a number as its newest. */
export function deviceAt(log: Pick<DeviceLog, 'name' | 'devices'>, kid: string, seq: number): Device {
  const device = log.devices.get(kid);
  if (device === undefined || device.addedAt.seq > seq) {
    throw new CountersignError('device-unknown', `${log.name} had no device ${kid} then`);
  }
  if (device.revokedAt !== undefined && device.revokedAt.seq <= seq) {
    throw new CountersignError('device-revoked', `the device ${device.name} of ${log.name} had been revoked`);
  }
  return device;
}

/**
 * Checks that the log that a device knew is the one at hand, or the beginning of it.
 * @throws `log-rollback` where the device knew more of it; `log-fork` where it knew another
 */
export function checkKnownHead(head: Head, hashAt: (seq: number) => string | undefined): void {
  const known = hashAt(head.seq);
  if (known === undefined) {
    throw new CountersignError('log-rollback', 'the device knew a longer log than the one at hand', {
      hint: 'read the log again; if it stays so, the broker hides entries',
    });
  }
  if (known !== head.hash) {
    throw new CountersignError('log-fork', 'the device knew another log than the one at hand', {
      hint: 'the broker shows different logs to different readers: do not trust it',
    });
  }
}

/** The devices in the account now. */
export function activeDevices(log: DeviceLog): Device[] {
  return [...log.devices.values()].filter((device) => device.revokedAt === undefined);
}

/** @throws `device-not-entitled` */
export function checkRight(device: Device, right: Right): void {
  if (!device.rights.includes(right)) {
    throw new CountersignError(
      'device-not-entitled',
      `the device ${device.name} has not the right “${right}”`,
    );
  }
}

async function applyEntry(
  crypto: CryptoProvider,
  log: DeviceLog,
  entry: Statement<LogEntry>,
): Promise<DeviceLog> {
  if (isKind(entry, GenesisEntry)) refuse('a second first entry');
  const { sub, seq, prev } = entry.payload as { sub: string; seq: number; prev: string };
  if (sub !== log.name) refuse(`an entry of ${sub} in the log of ${log.name}`);
  if (seq !== log.head.seq + 1) refuse(`entry ${seq} after entry ${log.head.seq}`);
  if (prev !== log.head.hash) refuse(`entry ${seq} follows another entry than the one before it`);
  const signer = activeDevice(log, entry.kid);
  await verifyStatement(crypto, entry, signer.sig);
  const next = {
    ...log,
    head: { seq, hash: entry.hash },
    hashes: [...log.hashes, entry.hash],
    entries: [...log.entries, entry.jws],
  };
  if (isKind(entry, DeviceAddEntry)) {
    const device = await admittedDevice(crypto, log, signer, entry);
    const epoch = { ...log.epoch, sealed: { ...log.epoch.sealed, [device.kid]: entry.payload.sealed } };
    const devices = new Map([...log.devices, [device.kid, device]]);
    return { ...next, devices, epoch, epochs: log.epochs.with(-1, epoch) };
  }
  if (isKind(entry, DeviceRevokeEntry)) return { ...next, devices: revokeDevice(log, signer, entry) };
  if (isKind(entry, EpochEntry)) {
    const epoch = nextEpoch(log, signer, entry);
    return { ...next, epoch, epochs: [...log.epochs, epoch] };
  }
  return refuse('an entry of unknown kind');
}

async function admittedDevice(
  crypto: CryptoProvider,
  log: DeviceLog,
  signer: Device,
  { payload }: Statement<PayloadOf<typeof DeviceAddEntry>>,
): Promise<Device> {
  checkRight(signer, 'admit');
  for (const right of payload.rights) checkRight(signer, right);
  if (activeDevices(log).length >= MAX_DEVICES) refuse(`more than ${MAX_DEVICES} devices`);
  const own = await parseStatement(crypto, DeviceStatement, payload.device);
  await verifyStatement(crypto, own, own.payload.sig);
  if (own.payload.sub !== log.name || own.payload.sub_id !== log.identity) {
    throw new CountersignError('account-mismatch', 'the new device asked to belong to another account');
  }
  if (log.devices.has(own.kid)) refuse('a device that was in the account before: a key comes in once');
  const { sig, enc, name } = own.payload;
  const addedAt = { seq: payload.seq, iat: payload.iat };
  return { kid: own.kid, sig, enc, name, rights: payload.rights, addedAt };
}

function revokeDevice(
  log: DeviceLog,
  signer: Device,
  { payload }: Statement<PayloadOf<typeof DeviceRevokeEntry>>,
): ReadonlyMap<string, Device> {
  const device = activeDevice(log, payload.kid);
  if (device.kid !== signer.kid) checkRight(signer, 'admit');
  const { seq, iat, reason } = payload;
  return new Map([...log.devices, [device.kid, { ...device, revokedAt: { seq, iat, reason } }]]);
}

function nextEpoch(
  log: DeviceLog,
  signer: Device,
  { payload: { epoch } }: Statement<PayloadOf<typeof EpochEntry>>,
): EpochKey {
  checkRight(signer, 'admit');
  if (epoch.n !== log.epoch.n + 1) refuse(`epoch ${epoch.n} after epoch ${log.epoch.n}`);
  checkSealedTo(
    epoch,
    activeDevices(log).map(({ kid }) => kid),
  );
  return epoch;
}

/** An epoch is sealed to the devices that are there, each of them, and to no other. */
function checkSealedTo(epoch: EpochKey, kids: readonly string[]): void {
  const sealed = Object.keys(epoch.sealed);
  if (sealed.length !== kids.length || !kids.every((kid) => Object.hasOwn(epoch.sealed, kid))) {
    refuse('an epoch key that is not sealed to exactly the devices of the account');
  }
}

function isKind<K extends (typeof LOG_ENTRIES)[number]>(
  entry: Statement<unknown>,
  kind: K,
): entry is Statement<PayloadOf<K>> {
  return entry.typ === kind.typ;
}

function refuse(what: string): never {
  throw new CountersignError('log-invalid', what);
}
