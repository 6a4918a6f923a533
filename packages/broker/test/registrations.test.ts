import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { CountersignError } from '@countersign/core';
import { networkOf, Registrations } from '../src/registrations.ts';

describe('the network of an address', () => {
  for (const [address, network] of [
    ['192.0.2.1', '192.0.2.1'],
    ['::ffff:192.0.2.1', '192.0.2.1'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2'],
    ['2001:0DB8:0001:0002::', '2001:db8:1:2'],
    ['2001:db8::6', '2001:db8:0:0'],
    ['::1', '0:0:0:0'],
    ['fe80::1%eth0', 'fe80:0:0:0'],
    ['unknown', 'unknown'],
  ] as const) {
    test(`of ${address} is ${network}`, () => assert.equal(networkOf(address), network));
  }
});

test('what is refused is not counted: whoever waits as long as told may register', () => {
  const registrations = new Registrations(3);
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
