/**
 * The one mapping from error codes to HTTP. What is not in the table is a 400; what is not our error is a 500
 * that says nothing.
 * @module
 */
import { CountersignError, type ErrorCode } from '@countersign/core';

const STATUS: Partial<Record<ErrorCode, number>> = {
  'proof-invalid': 401,
  'proof-replayed': 401,
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
  'recovery-invalid': 403,
  'recovery-early': 403,
  'not-permitted': 403,
  'contact-held': 403,
  'contact-unknown': 403,
  'enquirer-unknown': 403,
  'account-unknown': 404,
  'request-unknown': 404,
  'enrolment-unknown': 404,
  'room-unknown': 404,
  'session-invalid': 404,
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

interface FastifyFailure {
  code?: string;
  statusCode?: number;
}

/** Any failure as one of ours; Fastify's own refusals by their codes, all else as `internal`. */
export function asCountersignError(error: unknown): CountersignError {
  if (error instanceof CountersignError) return error;
  const { code, statusCode } = error as FastifyFailure;
  if (code === 'FST_ERR_CTP_BODY_TOO_LARGE') {
    return new CountersignError('body-too-large', 'the body is larger than this broker reads', {
      cause: error,
    });
  }
  if (code === 'FST_ERR_CTP_INVALID_MEDIA_TYPE') {
    return new CountersignError('input-invalid', 'the body must be application/json', { cause: error });
  }
  if (statusCode !== undefined && statusCode >= 400 && statusCode < 500) {
    return new CountersignError('input-invalid', 'the call is not of the form that this route takes', {
      cause: error,
    });
  }
  return new CountersignError('internal', 'the broker failed: nothing has been decided', {
    cause: error,
    hint: 'try again; if it stays so, tell the operator the time of this call',
  });
}
