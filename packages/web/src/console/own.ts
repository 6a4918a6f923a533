/**
 * What this browser is for the organisation: a device of its account, or the seat of a member who signed in.
 * @module
 */
import { createAccount, Device, type DeviceKeys, forgetAsked, systemClock } from '@countersign/client';
import {
  browserModel,
  browserSystem,
  IndexedDbKeyStore,
  IndexedDbStateStore,
} from '@countersign/client/browser';
import { parseAccountName, type Seat } from '@countersign/core';
import { webCrypto } from '@countersign/core/webcrypto';

const PROFILE = 'console';
const SEAT = 'seat';
const OWN = 'own';

export const stores = {
  keyStore: new IndexedDbKeyStore(PROFILE),
  state: new IndexedDbStateStore(PROFILE),
  crypto: webCrypto,
  clock: systemClock,
};

/** As what this browser acts. Without a seat it is one of the organisation's devices. */
export interface Own {
  readonly device: Device;
  readonly seat?: Seat;
}

export async function ownPlace(): Promise<Own | undefined> {
  const keys = await stores.keyStore.load();
  if (keys === undefined) return undefined;
  const device = new Device({ ...stores, keys });
  const seat = await stores.state.get<Seat>(SEAT, OWN);
  return seat === undefined ? { device } : { device, seat };
}

export async function makeAccount(name: string): Promise<Own> {
  const deviceName = `${browserModel()}, ${browserSystem()}`.slice(0, 60);
  const account = { name: parseAccountName(name), broker: location.origin, deviceName };
  const keys = await createAccount({ ...account, ...stores });
  return { device: new Device({ ...stores, keys }) };
}

/** Keeps the seat that a member gave this browser; an older one's key is gone. */
export async function takePlace(seat: Seat, keys: DeviceKeys): Promise<Own> {
  // First of all: keys with nothing beside them are a device's, and are never removed.
  await stores.state.update<Seat>(SEAT, OWN, () => seat);
  await stores.keyStore.replace(keys);
  return { device: new Device({ ...stores, keys }), seat };
}

/** Forgets a seat, with its key and what was asked by it: nobody reads that here later. */
export async function leavePlace(): Promise<void> {
  if ((await stores.state.get<Seat>(SEAT, OWN)) === undefined) return;
  await stores.keyStore.discard();
  await forgetAsked(stores.state);
  await stores.state.delete(SEAT, OWN);
}
