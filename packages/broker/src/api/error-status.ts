/**
 * The one mapping from error codes to HTTP. What is not in the table is a 400; what is not our error is a 500
 * that says nothing.
 * @module
 */
import type { CountersignError, ErrorCode } from '@countersign/core';
import { asCountersignError } from '@countersign/http';

const STATUS: Partial<Record<ErrorCode, number>> = {
  'proof-invalid': 401,
  'proof-replayed': 401,
  'seat-over': 401,
  'signature-invalid': 403,
  'device-unknown': 403,
  'device-revoked': 403,
  'device-frozen': 403,
  'device-on-probation': 403,
  'device-not-entitled': 403,
  'enrolment-incomplete': 403,
  'pin-wrong': 403,
  'pin-used': 403,
  'pin-expired': 403,
  'pin-cancelled': 403,
  'recovery-invalid': 403,
  'recovery-early': 403,
  'not-permitted': 403,
  'contact-held': 403,
  'contact-unknown': 403,
  'push-refused': 403,
  'role-missing': 403,
  'seat-invalid': 403,
  'address-refused': 403,
  'enquirer-unknown': 403,
  'account-unknown': 404,
  'request-unknown': 404,
  'enrolment-unknown': 404,
  'room-unknown': 404,
  'session-invalid': 404,
  'signature-unknown': 404,
  'route-unknown': 404,
  'account-exists': 409,
  'account-changed': 409,
  'account-mismatch': 409,
  'log-conflict': 409,
  'log-full': 409,
  'last-device': 409,
  'session-early': 409,
  'session-over': 409,
  'card-conflict': 409,
  'member-conflict': 409,
  'last-owner': 409,
  'recommendation-conflict': 409,
  'room-exists': 409,
  'room-key-stale': 409,
  'epoch-stale': 409,
  'enrolment-settled': 409,
  'enrolment-mismatch': 409,
  'contact-conflict': 409,
  'request-conflict': 409,
  'request-mismatch': 409,
  'request-not-pending': 409,
  'request-expired': 410,
  'enrolment-expired': 410,
  'cursor-invalid': 410,
  'body-too-large': 413,
  'too-many-pending': 429,
  'too-often': 429,
  'too-many-enrolments': 429,
  internal: 500,
  overloaded: 503,
  'storage-failed': 503,
};

export function statusOf(code: ErrorCode): number {
  return STATUS[code] ?? 400;
}

/** Any failure as one of ours. */
export function asBrokerError(error: unknown): CountersignError {
  return asCountersignError(error, {
    server: 'broker',
    failed: 'the broker failed: nothing has been decided',
    hint: 'try again; if it stays so, tell the operator the time of this call',
  });
}
