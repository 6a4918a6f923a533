/**
 * What this browser is: its stores, and the device that its keys make it.
 * @module
 */
import {
  begunRegistration,
  Responder,
  systemClock,
  type WaitingDevice,
  waitingDevice,
} from '@countersign/client';
import {
  browserModel,
  browserSystem,
  IndexedDbKeyStore,
  IndexedDbStateStore,
} from '@countersign/client/browser';
import { webCrypto } from '@countersign/core/webcrypto';

const PROFILE = 'authenticator';

export const stores = {
  keyStore: new IndexedDbKeyStore(PROFILE),
  state: new IndexedDbStateStore(PROFILE),
  crypto: webCrypto,
  clock: systemClock,
};

/** Where this browser stands. */
export type Standing =
  /** With a name where an account was begun, and nobody knows whether it was made. */
  | { readonly at: 'outside'; readonly begun?: string }
  | { readonly at: 'door'; readonly waiting: WaitingDevice }
  | { readonly at: 'inside'; readonly responder: Responder };

export async function standing(): Promise<Standing> {
  const keys = await stores.keyStore.load();
  if (keys === undefined) return { at: 'outside' };
  const begun = await begunRegistration(stores.state, keys);
  if (begun !== undefined) return { at: 'outside', begun };
  const waiting = await waitingDevice(stores.state, keys.identity);
  if (waiting !== undefined) return { at: 'door', waiting };
  return { at: 'inside', responder: new Responder({ ...stores, keys }) };
}

/** How its owner will know this browser; they may say better. */
export function thisBrowser() {
  const model = browserModel();
  const os = browserSystem();
  return { deviceName: `${model}, ${os}`.slice(0, 60), model, os };
}

/** Things that this browser alone remembers, by name. */
export const SETTINGS = 'settings';
/** Whether the device's lock is asked for before every accept. */
export const ALWAYS_VERIFY = 'always-verify';

export async function mustVerify(): Promise<boolean> {
  return (await stores.state.get<boolean>(SETTINGS, ALWAYS_VERIFY)) === true;
}
