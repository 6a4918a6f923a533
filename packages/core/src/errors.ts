/**
 * The one error class of the project, and the closed list of its codes. Callers switch on `code` and never
 * on a message. A message says what was expected and what came, never a secret; `hint` says what to do next.
 * Misuse by the programmer is a `TypeError`, and not in this list.
 * @module
 */
import { makeVisible } from './visible.ts';

/** Codes of everything that outside data can get wrong. Stable: a code, once released, keeps its meaning. */
export const ERROR_CODES = [
  // form
  'encoding-invalid',
  'json-invalid',
  'statement-malformed',
  'statement-type',
  'fingerprint-invalid',
  'name-invalid',
  'link-invalid',
  'text-refused',
  'text-too-long',
  'srml-refused',
  // signatures and keys
  'algorithm-unsupported',
  'key-invalid',
  'signature-invalid',
  'key-file-invalid',
  'passphrase-wrong',
  'passphrase-needed',
  'keyring-unavailable',
  'keyring-entry-missing',
  // accounts and device logs
  'account-unknown',
  'account-exists',
  'account-changed',
  'account-mismatch',
  'log-invalid',
  'log-rollback',
  'log-fork',
  'log-conflict',
  'log-full',
  'device-unknown',
  'device-revoked',
  'device-frozen',
  'device-on-probation',
  'device-not-entitled',
  'last-device',
  'recovery-invalid',
  'recovery-early',
  'checkpoint-invalid',
  'checkpoint-stale',
  'tree-invalid',
  'tree-inconsistent',
  // letting a device in
  'challenge-invalid',
  'pin-wrong',
  'pin-used',
  'pin-expired',
  'pin-cancelled',
  'code-wrong',
  'enrolment-unknown',
  'enrolment-expired',
  'enrolment-settled',
  'enrolment-incomplete',
  'enrolment-mismatch',
  'too-many-enrolments',
  // rooms
  'room-unknown',
  'room-exists',
  'room-key-stale',
  // mutual sessions
  'session-invalid',
  'session-mismatch',
  'value-invalid',
  'session-lifetime',
  'session-early',
  'session-over',
  'card-conflict',
  'picture-invalid',
  'domain-check-invalid',
  'recommendation-conflict',
  'signature-unknown',
  'signature-lifetime',
  'history-invalid',
  // members of an organisation
  'member-conflict',
  'last-owner',
  'role-missing',
  'seat-invalid',
  'seat-over',
  // M-AUTH
  'frame-invalid',
  'handshake-invalid',
  'record-invalid',
  'erase-invalid',
  'gate-unavailable',
  'too-many-pairs',
  'pairing-failed',
  'interface-unknown',
  'interface-exists',
  'host-unreachable',
  // requests
  'request-unknown',
  'request-ambiguous',
  'request-conflict',
  'request-expired',
  'request-early',
  'request-lifetime',
  'request-audience',
  'request-replayed',
  'request-not-pending',
  'request-mismatch',
  'enquirer-unknown',
  'not-permitted',
  'contact-held',
  'contact-unknown',
  'contact-conflict',
  'too-many-pending',
  'too-often',
  // sealing
  'seal-broken',
  'digest-mismatch',
  'epoch-unknown',
  'epoch-stale',
  // answers
  'response-late',
  'response-early',
  'not-shown',
  'passcode-needed',
  'passcode-missing',
  'passcode-wrong',
  'passcode-locked',
  'verification-missing',
  'receipt-invalid',
  // co-signing
  'transaction-invalid',
  // the way to the broker
  'proof-invalid',
  'proof-replayed',
  'broker-unreachable',
  'broker-answer-invalid',
  'broker-changed',
  'body-too-large',
  'input-invalid',
  'route-unknown',
  'push-refused',
  'address-refused',
  'stream-too-slow',
  'cursor-invalid',
  'overloaded',
  'storage-failed',
  'internal',
  // chains, and signing for their accounts
  'chain-unreachable',
  'chain-other',
  'chain-disagrees',
  'chain-refused',
  'chain-answer-invalid',
  'chain-account-unknown',
  'chain-asset-unknown',
  'transaction-expired',
  'authority-missing',
  'cosign-unasked',
  'cosign-refused',
  'cosign-unknown',
  'cosign-not-enrolled',
  'cosign-conflict',
  'memo-mismatch',
  'provider-unreachable',
  'provider-answer-invalid',
  // the command line
  'usage',
  'profile-missing',
  'profile-exists',
] as const;

export type ErrorCode = (typeof ERROR_CODES)[number];

export interface ErrorDetails {
  cause?: unknown;
  /** What the reader can do about it, as a sentence. */
  hint?: string;
  /** When a try may succeed again, in seconds from now. */
  retryAfter?: number;
}

/**
 * Refused outside data. Message and hint may name what came from outside, and end on a terminal: nothing in them
 * acts there, or turns the direction of reading.
 */
export class CountersignError extends Error {
  override readonly name = 'CountersignError';
  readonly code: ErrorCode;
  readonly hint: string | undefined;
  readonly retryAfter: number | undefined;

  constructor(code: ErrorCode, message: string, details: ErrorDetails = {}) {
    super(makeVisible(message), details.cause === undefined ? undefined : { cause: details.cause });
    this.code = code;
    this.hint = details.hint === undefined ? undefined : makeVisible(details.hint);
    this.retryAfter = details.retryAfter;
  }
}

const KNOWN: ReadonlySet<string> = new Set(ERROR_CODES);

/** Whether a code that came over the wire is one of ours. */
export function isErrorCode(value: unknown): value is ErrorCode {
  return typeof value === 'string' && KNOWN.has(value);
}
