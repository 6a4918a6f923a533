/**
 * What a broker, or the line to it, may say after it did what it was asked: whether it did is not known.
 * @module
 */
import { CountersignError, type ErrorCode } from '@countersign/core';

const CODES: ReadonlySet<ErrorCode> = new Set([
  'broker-unreachable',
  'broker-answer-invalid',
  'overloaded',
  'storage-failed',
  'internal',
]);

export function isAnswerLost(error: CountersignError): boolean {
  return CODES.has(error.code);
}

/** The same failure, with what to do about it. */
export function answerLost(cause: CountersignError, hint: string): CountersignError {
  return new CountersignError(cause.code, cause.message, { cause, hint });
}
