/**
 * What a device does beside answering: it looks who is before the account's door, and keeps its keys young. Loaded
 * after the first screen stands.
 * @module
 */
import { Device, type Door, type Responder } from '@countersign/client';
import { isSealable, type Device as LogDevice } from '@countersign/core';
import { renewSubscription } from './notices.ts';
import { stores } from './own.ts';

export interface Doorway extends Door {
  /** Devices that came in by the recovery code, and can still be shown out. */
  readonly recoveries: readonly LogDevice[];
  /** Whether anybody can ask this account. */
  readonly sealable: boolean;
}

export async function readDoorway({ session }: Responder): Promise<Doorway> {
  const device = new Device(session);
  const door = await device.devices.door();
  await device.maintain(stores.keyStore).catch(() => {});
  const log = await session.ownLog();
  const recoveries = [...log.devices.values()].filter((one) => one.probation && one.revokedAt === undefined);
  return { ...door, recoveries, sealable: isSealable(log) };
}

/** Says anew where notices go; ends an epoch that is old, and erases the keys of older ones, for as long as it is open. */
export async function maintain({ session }: Responder, signal: AbortSignal): Promise<void> {
  await renewSubscription(session).catch(() => {});
  await new Device(session).maintainHourly(stores.keyStore, signal);
}
