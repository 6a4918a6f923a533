import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { DEFAULT_LIMITS } from '../src/demultiplexer/demultiplexer.ts';
import { type Stranger, Strangers } from '../src/demultiplexer/strangers.ts';
import { WaitingRequests } from '../src/demultiplexer/waiting-requests.ts';

const LIMITS = { total: 6, perAddress: 3, perSecond: 10, burst: 5 };

function stranger(address: string, left: string[] = [], name = ''): Stranger {
  return { address, leave: () => left.push(name) };
}

test('too many from one address: the oldest of that address makes room, nobody else', () => {
  const strangers = new Strangers(LIMITS);
  const left: string[] = [];
  assert.ok(strangers.admit(stranger('192.0.2.1', left, 'other'), 0));
  for (const name of ['a', 'b', 'c', 'd']) assert.ok(strangers.admit(stranger('192.0.2.2', left, name), 0));
  assert.deepEqual(left, ['a']);
  assert.equal(strangers.size, 4);
});

test('too many from everywhere: the oldest of all makes room', () => {
  const strangers = new Strangers(LIMITS);
  const left: string[] = [];
  for (let i = 0; i < 8; i++) assert.ok(strangers.admit(stranger(`192.0.2.${i}`, left, String(i)), 0));
  assert.deepEqual(left, ['0', '1']);
});

test('an address that comes too fast is kept out until time has passed, and others are not', () => {
  const strangers = new Strangers(LIMITS);
  for (let i = 0; i < 5; i++) assert.ok(strangers.admit(stranger('192.0.2.9'), 0));
  assert.ok(!strangers.admit(stranger('192.0.2.9'), 50));
  assert.ok(strangers.admit(stranger('192.0.2.10'), 50));
  assert.ok(strangers.admit(stranger('192.0.2.9'), 150));
});

test('an address that has been quiet is forgotten', () => {
  const strangers = new Strangers(LIMITS);
  const one = stranger('192.0.2.1');
  strangers.admit(one, 0);
  strangers.forget(one);
  strangers.sweep(10_000);
  for (let i = 0; i < 5; i++) assert.ok(strangers.admit(stranger('192.0.2.1'), 10_000));
});

test('an IPv6 subscriber is one address, however many it has', () => {
  const strangers = new Strangers(LIMITS);
  for (let i = 0; i < LIMITS.burst; i++) assert.ok(strangers.admit(stranger(`2001:db8:1:2::${i}`), 0));
  assert.equal(strangers.admit(stranger('2001:db8:1:2:ffff::'), 0), false);
  assert.ok(strangers.admit(stranger('2001:db8:1:3::'), 0), 'another one');
});

describe('requests that wait', () => {
  const tag = (n: number) => new Uint8Array(16).fill(n);
  const request = (tags: Uint8Array[], owner = 'uid 0') => ({
    purpose: 'sign-on' as const,
    tags,
    owner,
    bucket: tags[0]!,
    interface: owner,
  });

  test('are taken once, by any of their tags', () => {
    const waiting = new WaitingRequests<string>({ total: 9, perOwner: 9, perBucket: 9 });
    const one = request([tag(1), tag(2)]);
    assert.ok(waiting.add(one));
    assert.equal(waiting.take('sign-on', tag(2)), one);
    assert.equal(waiting.take('sign-on', tag(1)), undefined);
    assert.equal(waiting.size, 0);
  });

  test('are not taken for another purpose', () => {
    const waiting = new WaitingRequests<string>({ total: 9, perOwner: 9, perBucket: 9 });
    waiting.add(request([tag(1)]));
    assert.equal(waiting.take('pair', tag(1)), undefined);
    assert.equal(waiting.size, 1);
  });

  test('keep their tag: a second request for it is refused', () => {
    const waiting = new WaitingRequests<string>({ total: 9, perOwner: 9, perBucket: 9 });
    const first = request([tag(1)]);
    waiting.add(first);
    assert.ok(!waiting.add(request([tag(2), tag(1)], 'uid 7')));
    assert.equal(waiting.take('sign-on', tag(2)), undefined);
    assert.equal(waiting.take('sign-on', tag(1)), first);
  });

  test('are so many at most, of one owner and of all', () => {
    const waiting = new WaitingRequests<string>({ total: 3, perOwner: 2, perBucket: 9 });
    const second = request([tag(2)]);
    assert.ok(waiting.add(request([tag(1)])));
    assert.ok(waiting.add(second));
    assert.ok(!waiting.add(request([tag(3)])));
    assert.ok(waiting.add(request([tag(3)], 'host b')));
    assert.ok(!waiting.add(request([tag(4)], 'host c')));
    assert.ok(waiting.remove(second));
    assert.ok(!waiting.remove(second));
    assert.ok(waiting.add(request([tag(4)])));
  });

  test('are so many for a busy host, and no host has all places', () => {
    const waiting = new WaitingRequests<string>(DEFAULT_LIMITS.queue);
    const next = (n: number, owner: string) => {
      const unlike = new Uint8Array(16);
      new DataView(unlike.buffer).setUint32(0, n);
      return waiting.add(request([unlike], owner));
    };
    let busy = 0;
    while (next(busy, 'host a')) busy++;
    assert.ok(busy >= 2000, `${busy}`);
    for (let n = 0; n < 2000; n++) assert.ok(next(busy + 1 + n, 'host b'), `${n}`);
    assert.ok(next(2 * busy + 1, 'host c'));
  });

  test('are so many at most for one account', () => {
    const waiting = new WaitingRequests<string>({ total: 9, perOwner: 9, perBucket: 1 });
    assert.ok(waiting.add({ ...request([tag(1)]), bucket: tag(7) }));
    assert.ok(!waiting.add({ ...request([tag(2)]), bucket: tag(7) }));
    assert.ok(waiting.add({ ...request([tag(2)]), bucket: tag(8) }));
    assert.ok(waiting.add({ ...request([tag(3)], 'host b'), bucket: tag(7) }));
    waiting.take('sign-on', tag(1));
    assert.ok(waiting.add({ ...request([tag(4)]), bucket: tag(7) }));
  });
});
