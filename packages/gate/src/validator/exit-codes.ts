/**
 * What a script learns from the exit status: the numbers of `countersign`. Only 0 is a yes.
 * @module
 */
import type { CountersignError, ErrorCode } from '@countersign/core';
import type { SignOnEnd } from '@countersign/core/m-auth';

export const EXIT = {
  ok: 0,
  rejected: 1,
  expired: 2,
  refused: 3,
  alarm: 7,
  unknown: 8,
  failed: 9,
  usage: 64,
  unreachable: 69,
  internal: 70,
} as const;

export const EXIT_HELP = `
Exit status:
   0  signed on (or: done)
   1  denied: by you, by your rules, or by an approver
   2  expired: the acknowledgement window closed
   3  refused: the interface knows no sign-on with this passcode
   7  ALARM: what answered is not the interface, or a copy of this validator is in use
   8  accepted, and no result came: whether you are in, the interface knows
   9  any other error
  64  the command was not understood
  69  the host does not answer
  70  a failure of this program`;

const ENDS: Record<SignOnEnd['outcome'], number> = {
  granted: EXIT.ok,
  refused: EXIT.rejected,
  answered: EXIT.rejected,
  late: EXIT.expired,
  'not-recognised': EXIT.refused,
  forged: EXIT.alarm,
  stale: EXIT.alarm,
  copied: EXIT.alarm,
  mismatch: EXIT.alarm,
  'unknown-forged': EXIT.alarm,
  unknown: EXIT.unknown,
  'record-changed': EXIT.failed,
  withdrawn: EXIT.failed,
};

export function exitOfEnd({ outcome }: SignOnEnd): number {
  return ENDS[outcome];
}

const ERRORS: Partial<Record<ErrorCode, number>> = {
  usage: EXIT.usage,
  'host-unreachable': EXIT.unreachable,
  internal: EXIT.internal,
};

export function exitOfError({ code }: CountersignError): number {
  return ERRORS[code] ?? EXIT.failed;
}
