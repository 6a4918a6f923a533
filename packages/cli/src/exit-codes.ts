/**
 * What a script learns from the exit status. Only 0 is a yes.
 * @module
 */

import type { Outcome } from '@countersign/client';
import type { CountersignError, ErrorCode } from '@countersign/core';

export const EXIT = {
  ok: 0,
  rejected: 1,
  expired: 2,
  refused: 3,
  cancelled: 4,
  passcodeFailed: 5,
  pending: 6,
  alarm: 7,
  notGood: 8,
  failed: 9,
  usage: 64,
  unreachable: 69,
  internal: 70,
} as const;

export const EXIT_HELP = `
Exit status:
   0  accepted (or: done)
   1  rejected, or reported as fraud
   2  expired
   3  refused: the account takes no questions from you
   4  cancelled, by the asker or the broker
   5  ended by wrong passcodes
   6  still pending
   8  an answer came that is not good: do not go on
   9  any other error; a wrong passcode of yours, while there are tries left
  64  the command was not understood
  69  the broker does not answer
  70  a failure of this program`;

const OUTCOMES: Record<Outcome['outcome'], number> = {
  accepted: EXIT.ok,
  rejected: EXIT.rejected,
  fraud: EXIT.rejected,
  expired: EXIT.expired,
  refused: EXIT.refused,
  'cancelled-by-enquirer': EXIT.cancelled,
  'cancelled-by-broker': EXIT.cancelled,
  'passcode-failed': EXIT.passcodeFailed,
  pending: EXIT.pending,
};

export function exitOfOutcome(outcome: Outcome): number {
  return OUTCOMES[outcome.outcome];
}

const ERRORS: Partial<Record<ErrorCode, number>> = {
  usage: EXIT.usage,
  'broker-unreachable': EXIT.unreachable,
  'not-permitted': EXIT.refused,
  'contact-held': EXIT.refused,
  internal: EXIT.internal,
  'request-expired': EXIT.expired,
  'enrolment-expired': EXIT.expired,
  'pin-wrong': EXIT.refused,
  'pin-used': EXIT.refused,
  'pin-expired': EXIT.refused,
  'pin-cancelled': EXIT.refused,
  'too-many-enrolments': EXIT.refused,
};

const NOT_GOOD: ReadonlySet<ErrorCode> = new Set([
  'encoding-invalid',
  'json-invalid',
  'request-lifetime',
  'request-audience',
  'signature-invalid',
  'request-mismatch',
  'account-mismatch',
  'account-changed',
  'device-unknown',
  'device-revoked',
  'device-frozen',
  'device-on-probation',
  'device-not-entitled',
  'enrolment-mismatch',
  'challenge-invalid',
  'log-invalid',
  'log-rollback',
  'log-fork',
  'checkpoint-invalid',
  'checkpoint-stale',
  'tree-invalid',
  'tree-inconsistent',
  'seal-broken',
  'digest-mismatch',
  'response-late',
  'response-early',
  'passcode-missing',
  'passcode-wrong',
  'verification-missing',
  'receipt-invalid',
  'statement-malformed',
  'statement-type',
  'broker-changed',
  'broker-answer-invalid',
  'contact-conflict',
  'history-invalid',
]);

/** Codes that, where no answer is waited for, are about what the person gave. */
const GIVEN: ReadonlySet<ErrorCode> = new Set(['passcode-wrong', 'verification-missing', 'device-unknown']);

export function exitOfError({ code }: CountersignError, givenHere: boolean): number {
  if (givenHere && GIVEN.has(code)) return EXIT.failed;
  return ERRORS[code] ?? (NOT_GOOD.has(code) ? EXIT.notGood : EXIT.failed);
}
