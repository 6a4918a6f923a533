/**
 * Making an account, and the other entries of its device log.
 * @module
 */
import { decodeBase64url, encodeBase64url } from './base64url.ts';
import type { CryptoProvider, Opener, PublicSealingJwk, Signer } from './crypto-provider.ts';
import { activeDevices, type DeviceLog } from './device-log.ts';
import { CountersignError } from './errors.ts';
import {
  DeviceAddEntry,
  DeviceFreezeEntry,
  DeviceRevokeEntry,
  DeviceRightsEntry,
  DeviceRotateEntry,
  DeviceThawEntry,
  EpochEntry,
  type EpochKey,
  GenesisEntry,
  RecoveryCompleteEntry,
  RecoveryEntry,
  RecoveryProof,
  type RecoveryProvision,
  RecoverySetEntry,
  RIGHTS,
  type Right,
} from './log-entries.ts';
import { decodeText } from './sealing.ts';
import { keyFingerprint, type PayloadOf, signStatement, type Verified } from './statement.ts';

const PURPOSE = 'countersign epoch 1';

/** An epoch's private key as JSON text, to be sealed; only whoever makes an epoch ever holds it. */
export interface NewEpoch {
  readonly key: PublicSealingJwk;
  readonly privateKey: string;
}

export interface Founding {
  readonly name: string;
  readonly signer: Signer;
  readonly enc: PublicSealingJwk;
  readonly deviceName: string;
  readonly rights?: readonly Right[];
  readonly epoch: NewEpoch;
  /** How the account is got back; absent where it can't be. */
  readonly recovery?: RecoveryProvision | undefined;
  /** Seconds since 1970. */
  readonly now: number;
}

/** The first entry of a new account. */
export async function createGenesis(
  crypto: CryptoProvider,
  { name, signer, enc, deviceName, rights = RIGHTS, epoch, recovery, now }: Founding,
): Promise<Verified<PayloadOf<typeof GenesisEntry>>> {
  const kid = await keyFingerprint(crypto, signer.publicKey);
  const sealed = { [kid]: await sealEpoch(crypto, name, 0, epoch, { kid, enc }) };
  return signStatement(crypto, GenesisEntry, signer, {
    sub: name,
    iat: now,
    seq: 0,
    device: { sig: signer.publicKey, enc, name: deviceName, rights: [...rights] },
    epoch: { n: 0, key: epoch.key, sealed },
    ...(recovery === undefined ? {} : { recovery }),
  });
}

/** Who signs an entry, onto which log, and when, in seconds since 1970. */
export interface Signing {
  readonly signer: Signer;
  readonly log: DeviceLog;
  readonly now: number;
}

/** Lets a device in, and seals the current epoch's key to it. */
export async function createDeviceAdd(
  crypto: CryptoProvider,
  { signer, log, now }: Signing,
  device: { readonly jws: string; readonly kid: string; readonly enc: PublicSealingJwk },
  rights: readonly Right[],
  epoch: NewEpoch,
): Promise<Verified<PayloadOf<typeof DeviceAddEntry>>> {
  return signStatement(crypto, DeviceAddEntry, signer, {
    ...nextPosition(log, now),
    device: device.jws,
    rights: [...rights],
    sealed: await sealEpoch(crypto, log.name, log.epoch.n, epoch, device),
  });
}

/** Changes what a device may do. @param proof where it takes the last one that may admit or recover */
export function createRightsChange(
  crypto: CryptoProvider,
  { signer, log, now }: Signing,
  kid: string,
  rights: readonly Right[],
  proof?: string,
): Promise<Verified<PayloadOf<typeof DeviceRightsEntry>>> {
  const payload = { ...nextPosition(log, now), kid, rights: [...rights] };
  return signStatement(crypto, DeviceRightsEntry, signer, {
    ...payload,
    ...(proof === undefined ? {} : { proof }),
  });
}

/** New keys for the signing device. @param device its statement of the new keys, and their `kid` and `enc` */
export async function createRotation(
  crypto: CryptoProvider,
  { signer, log, now }: Signing,
  device: { readonly jws: string; readonly kid: string; readonly enc: PublicSealingJwk },
  epoch: NewEpoch,
): Promise<Verified<PayloadOf<typeof DeviceRotateEntry>>> {
  return signStatement(crypto, DeviceRotateEntry, signer, {
    ...nextPosition(log, now),
    device: device.jws,
    sealed: await sealEpoch(crypto, log.name, log.epoch.n, epoch, device),
  });
}

/** Stops a device at once. The signer may be the recovery key. */
export function createFreeze(
  crypto: CryptoProvider,
  { signer, log, now }: Signing,
  kid: string,
): Promise<Verified<PayloadOf<typeof DeviceFreezeEntry>>> {
  return signStatement(crypto, DeviceFreezeEntry, signer, { ...nextPosition(log, now), kid });
}

/** Ends a freeze. @param proof where the frozen device itself signs */
export function createThaw(
  crypto: CryptoProvider,
  { signer, log, now }: Signing,
  kid: string,
  proof?: string,
): Promise<Verified<PayloadOf<typeof DeviceThawEntry>>> {
  const payload = { ...nextPosition(log, now), kid };
  return signStatement(crypto, DeviceThawEntry, signer, {
    ...payload,
    ...(proof === undefined ? {} : { proof }),
  });
}

/**
 * Proof that the printed code is at hand, for the log's next entry.
 * @param recovery signer made from the code
 * @param kid the device that will sign the entry
 */
export async function createRecoveryProof(
  crypto: CryptoProvider,
  recovery: Signer,
  log: DeviceLog,
  kid: string,
): Promise<string> {
  const { seq, prev } = nextPosition(log, 0);
  const payload = { sub_id: log.identity, seq, prev, kid };
  return (await signStatement(crypto, RecoveryProof, recovery, payload)).jws;
}

/** Lets a device in by the printed code, on probation. The signer is the recovery key. */
export function createRecovery(
  crypto: CryptoProvider,
  { signer, log, now }: Signing,
  device: string,
  rights: readonly Right[] = RIGHTS,
): Promise<Verified<PayloadOf<typeof RecoveryEntry>>> {
  return signStatement(crypto, RecoveryEntry, signer, {
    ...nextPosition(log, now),
    device,
    rights: [...rights],
  });
}

/** Ends a probation, by two checkpoints that are the undo period apart. */
export function createRecoveryComplete(
  crypto: CryptoProvider,
  { signer, log, now }: Signing,
  from: string,
  to: string,
): Promise<Verified<PayloadOf<typeof RecoveryCompleteEntry>>> {
  return signStatement(crypto, RecoveryCompleteEntry, signer, { ...nextPosition(log, now), from, to });
}

/** Puts another printed code in the place of the one before. */
export function createRecoverySet(
  crypto: CryptoProvider,
  { signer, log, now }: Signing,
  recovery: RecoveryProvision,
): Promise<Verified<PayloadOf<typeof RecoverySetEntry>>> {
  return signStatement(crypto, RecoverySetEntry, signer, { ...nextPosition(log, now), recovery });
}

/** Shows a device out, or says of one that retired or was rotated that it was lost; an epoch entry should follow in the same append. */
export function createRevocation(
  crypto: CryptoProvider,
  log: DeviceLog,
  signer: Signer,
  kid: string,
  reason: 'retired' | 'lost' | 'undone',
  now: number,
  proof?: string,
): Promise<Verified<PayloadOf<typeof DeviceRevokeEntry>>> {
  const payload = { ...nextPosition(log, now), kid, reason };
  return signStatement(crypto, DeviceRevokeEntry, signer, {
    ...payload,
    ...(proof === undefined ? {} : { proof }),
  });
}

/** A new epoch, sealed to every device that is in the account. */
export async function createEpoch(
  crypto: CryptoProvider,
  log: DeviceLog,
  signer: Signer,
  epoch: NewEpoch,
  now: number,
): Promise<Verified<PayloadOf<typeof EpochEntry>>> {
  const n = log.epoch.n + 1;
  const sealed: Record<string, string> = {};
  for (const device of activeDevices(log)) {
    sealed[device.kid] = await sealEpoch(crypto, log.name, n, epoch, device);
  }
  return signStatement(crypto, EpochEntry, signer, {
    ...nextPosition(log, now),
    epoch: { n, key: epoch.key, sealed },
  });
}

/** Seals an epoch's private key to one device. */
export async function sealEpoch(
  crypto: CryptoProvider,
  account: string,
  n: number,
  epoch: NewEpoch,
  to: { readonly kid: string; readonly enc: PublicSealingJwk },
): Promise<string> {
  const text = new TextEncoder();
  const box = await crypto.seal(
    to.enc,
    text.encode(epoch.privateKey),
    text.encode(PURPOSE),
    text.encode(JSON.stringify([account, n, to.kid])),
  );
  return encodeBase64url(box);
}

/** The JSON text of an epoch's private key, opened by a device; throws `epoch-unknown`, `seal-broken`, `json-invalid`. */
export async function openEpoch(
  account: string,
  epoch: EpochKey,
  kid: string,
  opener: Opener,
): Promise<string> {
  const box = epoch.sealed[kid];
  if (box === undefined) {
    throw new CountersignError('epoch-unknown', `epoch ${epoch.n} is not sealed to this device`);
  }
  const text = new TextEncoder();
  const bytes = await opener.open(
    decodeBase64url(box),
    text.encode(PURPOSE),
    text.encode(JSON.stringify([account, epoch.n, kid])),
  );
  return decodeText(bytes);
}

function nextPosition(log: DeviceLog, now: number) {
  return { sub: log.name, iat: now, seq: log.head.seq + 1, prev: log.head.hash };
}
