import assert from 'node:assert/strict';
import { test } from 'node:test';
import { WaitingRequests } from '../src/demultiplexer/waiting-requests.ts';

const tag = (byte: number) => new Uint8Array(16).fill(byte);
const requestOf = (...tags: number[]) => ({
  purpose: 'sign-on' as const,
  tags: tags.map(tag),
  owner: 'uid 0',
  bucket: tag(0),
  interface: undefined,
});

test('a request that names one tag twice is not queued, and leaves nothing behind', () => {
  const waiting = new WaitingRequests<undefined>({ total: 2, perOwner: 2, perBucket: 2 });
  assert.equal(waiting.add(requestOf(1, 2, 1)), false);
  assert.equal(waiting.size, 0);
  assert.equal(waiting.take('sign-on', tag(1)), undefined);
  assert.equal(waiting.take('sign-on', tag(2)), undefined);
  assert.ok(waiting.add(requestOf(1, 2)));
});

test('a tag belongs to who announced it first, and to one purpose', () => {
  const waiting = new WaitingRequests<undefined>({ total: 4, perOwner: 4, perBucket: 4 });
  const first = requestOf(1, 2);
  assert.ok(waiting.add(first));
  assert.equal(waiting.add(requestOf(3, 2)), false);
  assert.equal(waiting.take('sign-on', tag(3)), undefined);
  assert.ok(waiting.add({ ...requestOf(1), purpose: 'pair' }));
  assert.equal(waiting.take('sign-on', tag(2)), first);
  assert.equal(waiting.take('sign-on', tag(1)), undefined);
  assert.equal(waiting.size, 1);
});
