/**
 * What `assert.throws` and `assert.rejects` are given: the one error that counts as a refusal.
 * @module
 */
import assert from 'node:assert/strict';
import { CountersignError, type ErrorCode } from '../src/errors.ts';

/** Holds for a `CountersignError` with one of these codes; with none given, for any. */
export function refused(...codes: ErrorCode[]): (error: unknown) => true {
  return (error) => {
    assert.ok(error instanceof CountersignError, `not a CountersignError: ${error}`);
    if (codes.length > 0) assert.ok(codes.includes(error.code), `${error.code}: ${error.message}`);
    return true;
  };
}
