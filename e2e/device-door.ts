/**
 * A device before its account's door, and how it is let in.
 * @module
 */
import type { Device, KnockingDevice } from '@countersign/client';
import { newcomer } from './parties.ts';
import type { World } from './world.ts';

export const accept = (device: Device, knocking: KnockingDevice, code?: string) =>
  device.devices.accept(knocking, code, { rights: ['answer', 'pay'] });

/** Alice, and a phone of hers before her door. */
export async function knocking(world: World) {
  const alice = await world.party('alice');
  const phone = newcomer(world.clock);
  const link = await alice.device.devices.invite('knock');
  const waiting = await phone.knock(link);
  const { waiting: seen } = await alice.device.devices.door();
  return { alice, phone, link, waiting, seen: seen[0]! };
}
