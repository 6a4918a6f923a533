/**
 * Who signed an entry of a device log, whom it is about, and what all entries share.
 * @module
 */
import type { CryptoProvider } from './crypto-provider.ts';
import { type At, activeDevice, checkRight, type Device, type DeviceLog } from './device-log.ts';
import { CountersignError } from './errors.ts';
import type { LogEntry, Right } from './log-entries.ts';
import { keyFingerprint, type Statement, verifyStatement } from './statement.ts';

/** Who signed an entry: a device, whatever has become of it, or the holder of the printed code. */
export type Author = { readonly device: Device } | { readonly device?: undefined };

/** What an entry changes. */
export type Change = Partial<Pick<DeviceLog, 'devices' | 'epoch' | 'epochs' | 'epochSince' | 'recovery'>>;

/** @throws `device-unknown`, `device-revoked`, `signature-invalid` */
export async function verifyAuthor(
  crypto: CryptoProvider,
  log: DeviceLog,
  entry: Statement<LogEntry>,
): Promise<Author> {
  const device = log.devices.get(entry.kid);
  const byCode =
    device === undefined &&
    log.recovery !== undefined &&
    (await keyFingerprint(crypto, log.recovery.key)) === entry.kid;
  if (byCode) {
    await verifyStatement(crypto, entry, log.recovery!.key);
    return {};
  }
  // Says so where there is no such device, or it was shown out; a frozen one may still do this or that.
  if (device === undefined || device.revokedAt !== undefined) activeDevice(log, entry.kid);
  await verifyStatement(crypto, entry, device!.sig);
  return { device: device! };
}

/** The author as a device that counts. */
export function counting(log: DeviceLog, { device }: Author): Device {
  if (device === undefined) {
    throw new CountersignError('device-not-entitled', 'the printed code alone may not do this');
  }
  return activeDevice(log, device.kid);
}

/** The author as a device that counts and has a right. */
export function entitled(log: DeviceLog, author: Author, right: Right): Device {
  const signer = counting(log, author);
  checkRight(signer, right);
  return signer;
}

/** A device that was not shown out, be it frozen or on probation. */
export function presentDevice(log: DeviceLog, kid: string): Device {
  const device = log.devices.get(kid);
  if (device === undefined || device.revokedAt !== undefined) return activeDevice(log, kid);
  return device;
}

export function withDevice(log: DeviceLog, device: Device): DeviceLog['devices'] {
  return new Map([...log.devices, [device.kid, device]]);
}

export function at({ seq, iat }: At): At {
  return { seq, iat };
}

export function refuse(what: string): never {
  throw new CountersignError('log-invalid', what);
}
