/**
 * What this browser is: its stores, and the device that its keys make it.
 * @module
 */
import { Device, systemClock, type WaitingDevice, waitingDevice } from '@countersign/client';
import {
  browserModel,
  browserSystem,
  IndexedDbKeyStore,
  IndexedDbStateStore,
} from '@countersign/client/browser';
import { webCrypto } from '@countersign/core/webcrypto';

export const stores = {
  keyStore: new IndexedDbKeyStore(),
  state: new IndexedDbStateStore(),
  crypto: webCrypto,
  clock: systemClock,
};

/** How long a link stands by which the next device comes before the door, in seconds. */
const LINK_LIFE = 365 * 86_400;

/** Where this browser stands. */
export type Standing =
  | { readonly at: 'outside' }
  | { readonly at: 'door'; readonly waiting: WaitingDevice }
  | { readonly at: 'inside'; readonly device: Device };

export async function standing(): Promise<Standing> {
  const keys = await stores.keyStore.load();
  if (keys === undefined) return { at: 'outside' };
  const waiting = await waitingDevice(stores.state, keys.identity);
  if (waiting !== undefined) return { at: 'door', waiting };
  return { at: 'inside', device: new Device({ ...stores, keys }) };
}

export function linkLife(): { lifetime: number } {
  return { lifetime: LINK_LIFE };
}

export function thisBrowser(email: string) {
  const model = browserModel();
  const os = browserSystem();
  return { deviceName: `${email.split('@')[0]}’s ${model} on ${os}`.slice(0, 60), model, os };
}
