/**
 * How the interface's record changes: spec/m-auth.md#the-sign-on, under the result and `done`.
 * @module
 */
import { decodeBase64url, encodeBase64url } from './base64url.ts';
import type { Candidate } from './m-auth-candidates.ts';
import { handshakeId, type InterfaceRecord, nextRatchet, RETIRED_STEPS, tagKeyOf } from './m-auth-record.ts';
import type { Commit } from './m-auth-step.ts';
import type { NoiseCrypto } from './noise.ts';
import type { Channel } from './noise-handshake.ts';

/** The next step, if the record still stands where the run began. */
export function grantStep(
  crypto: NoiseCrypto,
  candidate: Candidate,
  channel: Channel,
  last: InterfaceRecord['last'] & {},
): Commit<InterfaceRecord> {
  const ratchet = encodeBase64url(nextRatchet(crypto, candidate.ratchet!, channel));
  return {
    id: candidate.record.id,
    apply(record) {
      const { before, failed: _, alarms: __, ...kept } = record;
      if (record.disabled || record.step !== candidate.record.step) return undefined;
      if (record.ratchet !== candidate.record.ratchet) return undefined;
      // the step before may have been retired since the attempt was opened
      const { unconfirmed } = candidate;
      if (unconfirmed !== undefined && before?.granted !== unconfirmed) return undefined;
      // what nobody was seen to hold but this side, or what was held before it
      const spent = unconfirmed === undefined ? before?.ratchet : record.ratchet;
      return {
        ...kept,
        step: record.step + 1,
        ratchet,
        before: {
          ratchet: encodeBase64url(candidate.ratchet!),
          granted: handshakeId(channel.hash),
        },
        retired: spent === undefined ? record.retired : retire(crypto, record.retired, spent),
        failed: 0,
        alarms: 0,
        last,
      };
    },
  };
}

/** The record once the validator is known to hold the newest step: the one before is over, on both sides. */
export function confirmStep(
  crypto: NoiseCrypto,
  record: InterfaceRecord,
  granted: string,
): InterfaceRecord | undefined {
  const { before, ...kept } = record;
  if (before?.granted !== granted) return undefined;
  return { ...kept, retired: retire(crypto, record.retired, before.ratchet) };
}

function retire(crypto: NoiseCrypto, retired: readonly string[], ratchet: string): string[] {
  const key = encodeBase64url(tagKeyOf(crypto, decodeBase64url(ratchet)));
  return [key, ...retired].slice(0, RETIRED_STEPS);
}

export function countFailure(id: string, alarm: boolean): Commit<InterfaceRecord> {
  return {
    id,
    apply: (record) => ({
      ...record,
      failed: record.failed + 1,
      alarms: record.alarms + (alarm ? 1 : 0),
    }),
  };
}
