/**
 * What is known of a new device: the same on both sides, for a person to compare.
 * @module
 */
import type { EnrolmentFacts } from '@countersign/core';
import { useCountdown } from './countdown.ts';
import { clock, say, time } from './words.ts';

export function Facts({ facts }: { facts: EnrolmentFacts }) {
  const { kid, name, model, os, address, askedAt, expiresAt } = facts;
  const left = useCountdown(expiresAt);
  const rows = [
    ['kid', say('fingerprint'), <code key="kid">{kid}</code>],
    ['name', say('device.name'), name],
    ['model', say('device.model'), model],
    ['os', say('device.os'), os],
    ['address', say('device.address'), address],
    ['time', say('device.time'), time(askedAt)],
    ['left', say('device.left'), clock(left)],
  ] as const;
  return (
    <dl class="facts">
      {rows.map(([key, label, value]) => (
        <div key={key}>
          <dt>{label}</dt>
          <dd data-fact={key}>{value}</dd>
        </div>
      ))}
    </dl>
  );
}
