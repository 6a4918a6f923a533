/**
 * Making an account, and the other entries of its device log.
 * @module
 */
import { decodeBase64url, encodeBase64url } from './base64url.ts';
import type { CryptoProvider, Opener, PublicSealingJwk, Signer } from './crypto-provider.ts';
import { activeDevices, type DeviceLog } from './device-log.ts';
import { CountersignError } from './errors.ts';
import {
  DeviceRevokeEntry,
  EpochEntry,
  type EpochKey,
  GenesisEntry,
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
  /** Seconds since 1970. */
  readonly now: number;
}

/** The first entry of a new account. */
export async function createGenesis(
  crypto: CryptoProvider,
  { name, signer, enc, deviceName, rights = RIGHTS, epoch, now }: Founding,
): Promise<Verified<PayloadOf<typeof GenesisEntry>>> {
  const kid = await keyFingerprint(crypto, signer.publicKey);
  const sealed = { [kid]: await sealEpoch(crypto, name, 0, epoch, { kid, enc }) };
  return signStatement(crypto, GenesisEntry, signer, {
    sub: name,
    iat: now,
    seq: 0,
    device: { sig: signer.publicKey, enc, name: deviceName, rights: [...rights] },
    epoch: { n: 0, key: epoch.key, sealed },
  });
}

/** Shows a device out; an epoch entry should follow in the same append. */
export function createRevocation(
  crypto: CryptoProvider,
  log: DeviceLog,
  signer: Signer,
  kid: string,
  reason: 'retired' | 'lost',
  now: number,
): Promise<Verified<PayloadOf<typeof DeviceRevokeEntry>>> {
  return signStatement(crypto, DeviceRevokeEntry, signer, { ...nextPosition(log, now), kid, reason });
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
