/**
 * What this browser is for the organisation: a device of its account.
 * @module
 */
import { createAccount, Device, systemClock } from '@countersign/client';
import {
  browserModel,
  browserSystem,
  IndexedDbKeyStore,
  IndexedDbStateStore,
} from '@countersign/client/browser';
import { CountersignError, parseAccountName } from '@countersign/core';
import { webCrypto } from '@countersign/core/webcrypto';

const PROFILE = 'console';

export const stores = {
  keyStore: new IndexedDbKeyStore(PROFILE),
  state: new IndexedDbStateStore(PROFILE),
  crypto: webCrypto,
  clock: systemClock,
};

export async function ownDevice(): Promise<Device | undefined> {
  const keys = await stores.keyStore.load();
  return keys && new Device({ ...stores, keys });
}

export async function makeAccount(name: string): Promise<Device> {
  const deviceName = `${browserModel()} on ${browserSystem()}`.slice(0, 60);
  const account = { name: parseAccountName(name), broker: location.origin, deviceName };
  const keys = await createAccount({ ...account, ...stores });
  return new Device({ ...stores, keys });
}

/** What to tell the person: what went wrong, and what to do next. */
export function explain(error: unknown): string {
  if (error instanceof CountersignError) return [error.message, error.hint].filter(Boolean).join('. ');
  return error instanceof Error ? error.message : String(error);
}
