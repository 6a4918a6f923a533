/**
 * The statements that a device log is made of.
 * @module
 */
import * as v from 'valibot';
import { AccountName } from './account-name.ts';
import { isDisplayLine } from './display-text.ts';
import { Hash, Kid, PublicSealingKey, PublicSigningKey, SealedBytes, Seconds, wholeFrom } from './keys.ts';
import { statementKind } from './statement.ts';

/** What a device may do for its account. `answer` covers logins and approvals, `pay` payments. */
export const RIGHTS = ['ask', 'answer', 'pay', 'admit', 'recover'] as const;
export const Right = v.picklist(RIGHTS);
export type Right = v.InferOutput<typeof Right>;

const Rights = v.pipe(
  v.array(Right),
  v.minLength(1),
  v.check((rights) => new Set(rights).size === rights.length, 'a right named twice'),
);

const DeviceName = v.pipe(
  v.string(),
  v.check((name) => isDisplayLine(name, 64), 'a device name that may not be shown'),
);

/** The account's encryption key of a time, sealed to each device that then was in the account. */
const Epoch = v.strictObject({
  n: wholeFrom(0),
  key: PublicSealingKey,
  sealed: v.record(Kid, SealedBytes),
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

/** Shows a device out. Signed by a device with the right `admit`, or by the device itself. */
export const DeviceRevokeEntry = statementKind(
  'device-revoke',
  v.strictObject({ ...position, kid: Kid, reason: v.picklist(['retired', 'lost']) }),
);

/** A new account encryption key, sealed to every device that remains. */
export const EpochEntry = statementKind('epoch', v.strictObject({ ...position, epoch: Epoch }));

export const LOG_ENTRIES = [GenesisEntry, DeviceAddEntry, DeviceRevokeEntry, EpochEntry] as const;

export type Genesis = v.InferOutput<typeof GenesisEntry.schema>;
export type LogEntry = v.InferOutput<(typeof LOG_ENTRIES)[number]['schema']>;
export type EpochKey = v.InferOutput<typeof Epoch>;
