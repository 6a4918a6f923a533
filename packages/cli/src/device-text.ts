/**
 * Devices as plain text: the same lines on the new device and on the one that lets it in.
 * @module
 */
import type { Door } from '@countersign/client';
import { counts, type Device, type EnrolmentFacts, isFrozen } from '@countersign/core';
import { secondsText } from './question-text.ts';
import type { Terminal } from './terminal.ts';

/** Where a device that does not count holds the newest epoch's key, and this one may not begin another. */
export const UNSEALABLE =
  'A device of this account was shown out or frozen and could still read: nobody can ask it anything until a device that may admit has begun a new key (`countersign device epoch` there).';

export function factsText(facts: EnrolmentFacts, now: number, { style }: Pick<Terminal, 'style'>): string {
  const { kid, name, model, os, address, askedAt, expiresAt } = facts;
  return [
    `  fingerprint  ${style('bold', kid)}`,
    `  name         ${name}`,
    `  model        ${model}`,
    `  system       ${os}`,
    `  address      ${address}`,
    `  time         ${time(askedAt)}, ${secondsText(expiresAt - now)} left`,
  ].join('\n');
}

const NOTICES = {
  'pin-used':
    'A PIN came a second time; if the first use was not yours, look at `device list` and `device revoke`',
  'pin-cancelled': 'A PIN that was taken back came all the same: whoever has it is no friend of yours',
  'too-many-enrolments': 'Devices were kept from the door, since too many came',
} as const;

/** What was kept from the account's devices, in a line. */
export function noticeText({ kind, count, newest }: Door['notices'][number]): string {
  return `${NOTICES[kind]}: ${count === 1 ? 'once' : `${count} times, the last`} ${time(newest)}`;
}

export type DeviceState = 'active' | 'revoked' | 'frozen' | 'on probation';

export function stateOf(device: Device): DeviceState {
  if (device.revokedAt !== undefined) return 'revoked';
  if (isFrozen(device)) return 'frozen';
  return counts(device) ? 'active' : 'on probation';
}

export function deviceLine(device: Device, own: boolean): string {
  const { name, kid, rights, addedAt, revokedAt } = device;
  const until = revokedAt === undefined ? '' : `, ${revokedAt.reason} ${time(revokedAt.iat)}`;
  const what = `${stateOf(device).padEnd(12)}  ${kid}  ${name}${own ? ' (this device)' : ''}`;
  const lines = [what, `              ${rights.join(', ')}; since ${time(addedAt.iat)}${until}`];
  if (stateOf(device) === 'on probation' && !own) {
    lines.push(
      `  → countersign device revoke ${kid.slice(0, 9)}   (it came by the recovery code; undoes that)`,
    );
  }
  return lines.join('\n');
}

export function time(seconds: number): string {
  return new Date(seconds * 1000).toISOString().replace('.000', '').replace('T', ' ');
}
