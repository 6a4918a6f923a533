import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CountersignError, ERROR_CODES, isErrorCode } from '../src/errors.ts';

test('no code stands twice in the list', () => {
  assert.equal(new Set(ERROR_CODES).size, ERROR_CODES.length);
});

test('every code is small letters and dashes, fit for a URL and a log', () => {
  for (const code of ERROR_CODES) assert.match(code, /^[a-z]+(?:-[a-z]+)*$/);
});

test('only codes of the list are known: a code from the wire is no property name', () => {
  for (const code of ERROR_CODES) assert.ok(isErrorCode(code));
  for (const other of ['', 'toString', '__proto__', 'Usage', 'usage ', undefined, null, 1, ['usage'], {}]) {
    assert.equal(isErrorCode(other), false);
  }
});

test('an error keeps its code, its cause, its hint and when to try again', () => {
  const cause = new Error('below');
  const error = new CountersignError('too-often', 'why', { cause, hint: 'wait', retryAfter: 3 });
  assert.ok(error instanceof Error);
  const { name, code, message, hint, retryAfter } = error;
  assert.deepEqual(
    { name, code, message, cause: error.cause, hint, retryAfter },
    { name: 'CountersignError', code: 'too-often', message: 'why', cause, hint: 'wait', retryAfter: 3 },
  );
});

test('an error without a cause has none, not an undefined one', () => {
  assert.equal('cause' in new CountersignError('internal', 'why'), false);
});
