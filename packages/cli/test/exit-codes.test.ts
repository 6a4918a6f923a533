import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CountersignError } from '@countersign/core';
import { EXIT, exitOfError } from '../src/exit-codes.ts';

test('a wrong passcode is an answer that is not good for who asked, and a slip for who answers', () => {
  for (const code of ['passcode-wrong', 'verification-missing'] as const) {
    const error = new CountersignError(code, 'words');
    assert.equal(exitOfError(error, false), EXIT.notGood);
    assert.equal(exitOfError(error, true), EXIT.failed);
  }
});

test('a device that nobody knows is an answer that is not good, but for who named it', () => {
  const error = new CountersignError('device-unknown', 'words');
  assert.deepEqual([exitOfError(error, false), exitOfError(error, true)], [EXIT.notGood, EXIT.failed]);
});

test('a statement that is not good is so for both', () => {
  for (const answering of [false, true]) {
    assert.equal(exitOfError(new CountersignError('signature-invalid', 'words'), answering), EXIT.notGood);
  }
});
