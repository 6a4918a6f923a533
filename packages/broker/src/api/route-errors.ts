/**
 * What calls are refused as, for the description: what any call may meet, and what any signed statement may.
 * Each route names its own beside these.
 * @module
 */
import type { ErrorCode } from '@countersign/core';

/** Any call, whatever its route. */
export const CALL_ERRORS = [
  'input-invalid',
  'json-invalid',
  'body-too-large',
  'storage-failed',
  'internal',
] as const satisfies readonly ErrorCode[];

/** Any statement: its form, and its signature by a device of the account that it is by. */
export const STATEMENT_ERRORS = [
  'encoding-invalid',
  'statement-malformed',
  'statement-type',
  'key-invalid',
  'signature-invalid',
  'device-unknown',
  'device-revoked',
  'device-frozen',
  'device-on-probation',
] as const satisfies readonly ErrorCode[];

/** Entries of a device log. */
export const LOG_ERRORS = [
  ...STATEMENT_ERRORS,
  'account-unknown',
  'account-mismatch',
  'log-invalid',
  'log-conflict',
  'log-full',
  'too-often',
  'device-not-entitled',
  'last-device',
  'enrolment-incomplete',
] as const satisfies readonly ErrorCode[];

/** A proof that the caller is a device of the account. */
export const PROOF_ERRORS = [
  'account-unknown',
  'proof-invalid',
  'proof-replayed',
  'device-unknown',
  'device-revoked',
  'device-frozen',
  'device-on-probation',
] as const satisfies readonly ErrorCode[];

/** A proof that the caller acts for an organisation: one of its devices, or a member. */
export const ACTOR_ERRORS = [
  ...PROOF_ERRORS,
  'seat-over',
  'role-missing',
] as const satisfies readonly ErrorCode[];
