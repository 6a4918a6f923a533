/**
 * The statements that a device log is made of.
 * @module
 */
import * as v from 'valibot';
import { AccountName } from './account-name.ts';
import { DisplayLine } from './display-line.ts';
import { Hash, Kid, PublicSealingKey, PublicSigningKey, SealedBytes, Seconds, wholeFrom } from './keys.ts';
import { statementKind } from './statement.ts';

/** What a device may do for its account. `answer` covers logins and approvals, `pay` payments. */
export const RIGHTS = ['ask', 'answer', 'pay', 'admit', 'recover'] as const;
export const Right = v.picklist(RIGHTS);
export type Right = v.InferOutput<typeof Right>;

/** The shortest and the longest time in which a recovery can be undone: an hour, 30 days. */
export const MIN_UNDO = 3600;
export const MAX_UNDO = 2_592_000;

export const Rights = v.pipe(
  v.array(Right),
  v.minLength(1),
  v.check((rights) => new Set(rights).size === rights.length, 'a right named twice'),
);

export const DeviceName = DisplayLine(64);

/** The account's encryption key of a time, sealed to each device that then was in the account. */
const Epoch = v.strictObject({
  n: wholeFrom(0),
  key: PublicSealingKey,
  sealed: v.record(Kid, SealedBytes),
});

/** A statement inside another. */
const Inner = v.pipe(v.string(), v.maxLength(4096));

/** How an account is got back when its devices are gone: fixed by whoever may say so, before it is needed. */
const Recovery = v.strictObject({
  /** Public half of the key that the printed code makes. */
  key: PublicSigningKey,
  /** Seconds in which any device can undo a recovery. */
  undo: v.pipe(v.number(), v.integer(), v.minValue(MIN_UNDO), v.maxValue(MAX_UNDO)),
  /** Whose checkpoints measure that time. */
  broker: PublicSigningKey,
});

const position = {
  sub: AccountName,
  iat: Seconds,
  seq: wholeFrom(1),
  prev: Hash,
};

/** A device's own word that it holds its keys and wants to belong to an account. Signed by the device. */
export const DeviceStatement = statementKind(
  'device',
  v.strictObject({
    sub: AccountName,
    sub_id: Hash,
    iat: Seconds,
    sig: PublicSigningKey,
    enc: PublicSealingKey,
    name: DeviceName,
  }),
);

/** The first entry, signed by the account's first device. Its hash is the account's identity. */
export const GenesisEntry = statementKind(
  'genesis',
  v.strictObject({
    sub: AccountName,
    iat: Seconds,
    seq: v.literal(0),
    device: v.strictObject({
      sig: PublicSigningKey,
      enc: PublicSealingKey,
      name: DeviceName,
      rights: Rights,
    }),
    epoch: Epoch,
    /** Absent where the account can't be recovered. */
    recovery: v.optional(Recovery),
  }),
);

/** Lets a device in. Signed by a device with the right `admit`; it gives no right that it lacks. */
export const DeviceAddEntry = statementKind(
  'device-add',
  v.strictObject({
    ...position,
    /** The new device's own statement: its keys, and the proof that it holds them. */
    device: v.pipe(v.string(), v.maxLength(4096)),
    rights: Rights,
    /** The current epoch's private key, sealed to the new device. */
    sealed: SealedBytes,
  }),
);

/**
 * Shows a device out. Signed by a device with the right `admit`, or by the device itself; where it came in by
 * recovery and is still on probation, by any device, a frozen one too, or by the recovery key.
 */
export const DeviceRevokeEntry = statementKind(
  'device-revoke',
  v.strictObject({
    ...position,
    kid: Kid,
    reason: v.picklist(['retired', 'lost', 'undone']),
    /** Where this takes the last device that may admit or recover: the proof that the code is at hand. */
    proof: v.optional(Inner),
  }),
);

/**
 * Stops a device at once, until it is thawed or shown out. Signed by a device with the right `admit`, by the
 * device itself, or by the recovery key alone.
 */
export const DeviceFreezeEntry = statementKind('device-freeze', v.strictObject({ ...position, kid: Kid }));

/**
 * Ends a freeze. Signed by another device with the right `admit`; or by the frozen one, with the proof that the
 * printed code is at hand: neither a thief of the device nor a thief of the code has both.
 */
export const DeviceThawEntry = statementKind(
  'device-thaw',
  v.strictObject({ ...position, kid: Kid, proof: v.optional(Inner) }),
);

/** Changes what a device may do. Signed by a device with the right `admit`; it gives no right that it lacks. */
export const DeviceRightsEntry = statementKind(
  'device-rights',
  v.strictObject({ ...position, kid: Kid, rights: Rights, proof: v.optional(Inner) }),
);

/** New keys for a device, which keeps its place: its sealing key, or both. Signed by the device's old key. */
export const DeviceRotateEntry = statementKind(
  'device-rotate',
  v.strictObject({
    ...position,
    /** The device's statement of its new keys. */
    device: Inner,
    /** The current epoch's private key, sealed to the new sealing key. */
    sealed: SealedBytes,
  }),
);

/** A new account encryption key, sealed to every device that remains. Signed by a device with `admit`. */
export const EpochEntry = statementKind('epoch', v.strictObject({ ...position, epoch: Epoch }));

/** Lets a device in by the printed code. Signed by the recovery key. The device is on probation. */
export const RecoveryEntry = statementKind(
  'recovery',
  v.strictObject({ ...position, device: Inner, rights: Rights }),
);

/**
 * Ends a probation that nobody undid. Signed by the device on probation, which shows two checkpoints, at least
 * the undo period apart, both of them over a log that has its `recovery` entry.
 */
export const RecoveryCompleteEntry = statementKind(
  'recovery-complete',
  v.strictObject({ ...position, from: Inner, to: Inner }),
);

/**
 * Another printed code. Signed by a device with the right `recover`; with every right, where it names another
 * broker than before or a shorter time.
 */
export const RecoverySetEntry = statementKind(
  'recovery-set',
  v.strictObject({ ...position, recovery: Recovery }),
);

/**
 * Proof that whoever uses a device holds the printed code: signed by the recovery key, for one place in one log,
 * and for the device that signs the entry there. A broker that keeps the entry back has no use for the proof.
 */
export const RecoveryProof = statementKind(
  'recovery-proof',
  v.strictObject({ sub_id: Hash, seq: position.seq, prev: Hash, kid: Kid }),
);

export const LOG_ENTRIES = [
  GenesisEntry,
  DeviceAddEntry,
  DeviceRevokeEntry,
  DeviceFreezeEntry,
  DeviceThawEntry,
  DeviceRightsEntry,
  DeviceRotateEntry,
  EpochEntry,
  RecoveryEntry,
  RecoveryCompleteEntry,
  RecoverySetEntry,
] as const;

export type Genesis = v.InferOutput<typeof GenesisEntry.schema>;
export type LogEntry = v.InferOutput<(typeof LOG_ENTRIES)[number]['schema']>;
export type EpochKey = v.InferOutput<typeof Epoch>;
export type RecoveryProvision = v.InferOutput<typeof Recovery>;
