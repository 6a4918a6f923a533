/**
 * An account's device log: whoever replays the same entries gets the same devices. A log only ever grows, so
 * a reader that kept its newest head notices a shorter log (rollback) and another log (fork).
 * @module
 */
import type { PublicSealingJwk, PublicSigningJwk } from './crypto-provider.ts';
import { CountersignError } from './errors.ts';
import type { EpochKey, RecoveryProvision, Right } from './log-entries.ts';

/** A place in a log, and the time that its entry names, in seconds since 1970. */
export interface At {
  readonly seq: number;
  readonly iat: number;
}

export interface Device {
  readonly kid: string;
  readonly sig: PublicSigningJwk;
  readonly enc: PublicSealingJwk;
  readonly name: string;
  readonly rights: readonly Right[];
  /** What it might do before, each until an entry of a number; the oldest first. */
  readonly formerRights?: readonly { readonly rights: readonly Right[]; readonly until: number }[];
  /** Since when it counts; of a device on probation, since when it waits. */
  readonly addedAt: At;
  readonly revokedAt?: At & { readonly reason: 'retired' | 'lost' | 'undone' | 'rotated' };
  /** The key that took this one's place, where it was rotated. */
  readonly successor?: string;
  /** When it was stopped, the oldest first; with `until`, the entry that thawed it. */
  readonly freezes?: readonly (At & { readonly until?: number })[];
  /** Came in by recovery, and does not count yet. */
  readonly probation?: true;
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
  /** When the newest epoch began, by the entry that began it. */
  readonly epochSince: number;
  readonly recovery?: RecoveryProvision;
  /** Hashes by `seq`, and the entries as they were signed. */
  readonly hashes: readonly string[];
  readonly entries: readonly string[];
}

/**
 * The device behind a kid, if it counts now.
 * @throws `device-unknown`, `device-revoked`, `device-frozen`, `device-on-probation`
 */
export function activeDevice(log: Pick<DeviceLog, 'name' | 'devices'>, kid: string): Device {
  const device = log.devices.get(kid);
  if (device === undefined) {
    throw new CountersignError('device-unknown', `${log.name} has no device ${kid}`, {
      hint: 'a new device is let in by an old one; then `countersign device complete` on the new one goes in',
    });
  }
  if (device.revokedAt !== undefined) {
    throw new CountersignError('device-revoked', `the device ${device.name} of ${log.name} was revoked`, {
      hint: 'it can come in again as a new device: `countersign device request`, in a new profile',
    });
  }
  if (isFrozen(device)) {
    throw new CountersignError('device-frozen', `the device ${device.name} of ${log.name} is frozen`, {
      hint: 'another device of the account can thaw it: `countersign device thaw`',
    });
  }
  if (device.probation) {
    throw new CountersignError(
      'device-on-probation',
      `the device ${device.name} of ${log.name} came in by recovery, and does not count yet`,
    );
  }
  return device;
}

/** Whether a device counts: neither shown out, nor frozen, nor on probation. */
export function counts(device: Device): boolean {
  return device.revokedAt === undefined && !isFrozen(device) && device.probation === undefined;
}

export function isFrozen({ freezes }: Device): boolean {
  const last = freezes?.at(-1);
  return last !== undefined && last.until === undefined;
}

/**
 * The device behind a kid as it was when the log had its entry of a number as its newest: with the rights that it
 * had then.
 * @throws `device-unknown`, `device-revoked`, `device-frozen`
 */
export function deviceAt(log: Pick<DeviceLog, 'name' | 'devices'>, kid: string, seq: number): Device {
  const device = log.devices.get(kid);
  if (device === undefined || device.addedAt.seq > seq || device.probation) {
    throw new CountersignError('device-unknown', `${log.name} had no device ${kid} then`);
  }
  if (device.revokedAt !== undefined && device.revokedAt.seq <= seq) {
    throw new CountersignError('device-revoked', `the device ${device.name} of ${log.name} had been revoked`);
  }
  if (device.freezes?.some((freeze) => freeze.seq <= seq && (freeze.until ?? seq + 1) > seq)) {
    throw new CountersignError('device-frozen', `the device ${device.name} of ${log.name} was frozen then`);
  }
  const former = device.formerRights?.find(({ until }) => until > seq);
  return former === undefined ? device : { ...device, rights: former.rights };
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

/**
 * Checks that what a device said once still stands: one that was lost or undone, or is frozen, takes its words with
 * it; one that was retired does not. One that was rotated goes by its newer keys, too: else its thief would save by
 * new keys what they had signed.
 * @throws `device-revoked`, `device-frozen`
 */
export function checkWordsStand(log: Pick<DeviceLog, 'devices'>, device: Device): void {
  const keys = keysSince(log, device);
  if (keys.some(isLost)) {
    throw new CountersignError('device-revoked', 'the device that signed was lost: anybody may have signed');
  }
  if (keys.some(isFrozen)) throw new CountersignError('device-frozen', 'the device that signed is frozen');
}

/** Whether what a device said once still stands, as `checkWordsStand` says it. */
export function wordsStand(log: Pick<DeviceLog, 'devices'>, device: Device): boolean {
  return !keysSince(log, device).some((key) => isLost(key) || isFrozen(key));
}

/** A device by one of its keys, and by each that took its place since. */
function keysSince(log: Pick<DeviceLog, 'devices'>, device: Device): Device[] {
  const next = device.successor === undefined ? undefined : log.devices.get(device.successor);
  return next === undefined ? [device] : [device, ...keysSince(log, next)];
}

function isLost({ revokedAt }: Device): boolean {
  return revokedAt?.reason === 'lost' || revokedAt?.reason === 'undone';
}

/** The devices that count now. */
export function activeDevices(log: Pick<DeviceLog, 'devices'>): Device[] {
  return [...log.devices.values()].filter(counts);
}

/** Whether every device that holds the newest epoch's key may still read by it. */
export function isSealable({ epoch, devices }: Pick<DeviceLog, 'epoch' | 'devices'>): boolean {
  return Object.keys(epoch.sealed).every((kid) => counts(devices.get(kid)!));
}

/**
 * The epoch that a question may be sealed to: one that every device that holds its key may still read by.
 * @throws `epoch-stale` where a device that was shown out or frozen holds it, and no new one has begun
 */
export function sealingEpoch(log: DeviceLog): EpochKey {
  if (isSealable(log)) return log.epoch;
  throw new CountersignError(
    'epoch-stale',
    `a device of ${log.name} was shown out, and the account has no new key yet`,
    { hint: 'a device of the account must begin a new epoch: `countersign device epoch`' },
  );
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
