/**
 * Devices as plain text: the same lines on the new device and on the one that lets it in.
 * @module
 */
import { counts, type Device, type EnrolmentFacts, isFrozen } from '@countersign/core';
import { secondsText } from './question-text.ts';
import type { Terminal } from './terminal.ts';

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
  return `${what}\n              ${rights.join(', ')}; since ${time(addedAt.iat)}${until}`;
}

export function time(seconds: number): string {
  return new Date(seconds * 1000).toISOString().replace('.000', '').replace('T', ' ');
}
