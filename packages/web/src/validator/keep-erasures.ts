/**
 * What kills the pairs of this page's validator, kept for the account's other devices. Apart from the validator, which
 * a host serves to telephones without any account.
 * @module
 */
import { Device, type Responder } from '@countersign/client';
import { keepErasures } from '@countersign/client/m-auth';
import { counts, isFrozen } from '@countersign/core';
import type { KeepErasures } from './keep-for-devices.tsx';

/** @returns nothing where the account has no other device that could read it */
export async function erasureKeeper({ session }: Responder): Promise<KeepErasures | undefined> {
  const own = await session.kid();
  const { devices } = await session.ownLog();
  const others = [...devices.values()].filter((one) => one.kid !== own && counts(one) && !isFrozen(one));
  if (others.length === 0) return undefined;
  return (records) => keepErasures(new Device(session).rooms, own, records);
}
