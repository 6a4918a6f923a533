import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CountersignError } from '@countersign/core';
import { RecentLimit } from '../src/recent-limit.ts';

test('what is refused is not counted: whoever waits as long as told may register', () => {
  const registrations = new RecentLimit('accounts registered', 3);
  let now = 1000;
  for (let i = 0; i < 20; i++) {
    try {
      registrations.count('192.0.2.1', now);
    } catch (error) {
      assert.ok(error instanceof CountersignError && error.code === 'too-often');
      now += error.retryAfter!;
      registrations.count('192.0.2.1', now);
    }
  }
  registrations.count('192.0.2.2', 1000);
});
