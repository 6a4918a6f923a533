/**
 * The provider's one mapping from error codes to HTTP. What is not in the table is a 400; what is not our error is
 * a 500 that says nothing.
 * @module
 */
import type { CountersignError, ErrorCode } from '@countersign/core';
import { asCountersignError } from '@countersign/http';

const STATUS: Partial<Record<ErrorCode, number>> = {
  'signature-invalid': 403,
  'authority-missing': 403,
  'cosign-unasked': 403,
  'passcode-wrong': 403,
  'not-permitted': 403,
  'contact-held': 403,
  'account-unknown': 404,
  'chain-account-unknown': 404,
  'cosign-unknown': 404,
  'cosign-not-enrolled': 404,
  'route-unknown': 404,
  'account-changed': 409,
  'cosign-conflict': 409,
  'chain-other': 409,
  'transaction-expired': 410,
  'body-too-large': 413,
  'too-many-pending': 429,
  'too-often': 429,
  'passcode-locked': 429,
  internal: 500,
  'broker-unreachable': 503,
  'chain-unreachable': 503,
  'chain-disagrees': 503,
};

export function statusOf(code: ErrorCode): number {
  return STATUS[code] ?? 400;
}

/** Any failure as one of ours. */
export function asProviderError(error: unknown): CountersignError {
  return asCountersignError(error, {
    server: 'provider',
    failed: 'the provider failed: nothing has been signed',
  });
}
