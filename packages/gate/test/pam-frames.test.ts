import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { CountersignError } from '@countersign/core';
import fc from 'fast-check';
import { parseAttempt } from '../src/pam/attempt.ts';
import { encodeFrame, FrameReader, MAX_ANSWER, MAX_PAYLOAD } from '../src/pam/frames.ts';

const runs = { numRuns: process.env.SLOW ? 5000 : 200 };
const invalid = (error: unknown) => error instanceof CountersignError && error.code === 'input-invalid';

function frame(type: string, payload: Uint8Array): Buffer {
  const head = Buffer.alloc(3);
  head.write(type, 'latin1');
  head.writeUInt16BE(payload.length, 1);
  return Buffer.concat([head, payload]);
}

const whole = {
  service: 'su',
  user: 'alice',
  mode: 'push',
  conv: 'info',
  qr: 'none',
  timeout: '30',
};

function attempt(fields: readonly string[], version = 'countersign-pam/1'): Buffer {
  return Buffer.from([version, ...fields, ''].join('\0'));
}

const pairs = (fields: Record<string, string>) =>
  Object.entries(fields).map(([name, value]) => `${name}=${value}`);

describe('frames', () => {
  test('come out as they went in, however the stream is cut', () => {
    const one = fc.oneof(
      fc.uint8Array({ maxLength: MAX_PAYLOAD }).map((payload) => ({ type: 'A', payload })),
      fc.uint8Array({ maxLength: MAX_ANSWER }).map((payload) => ({ type: 'R', payload })),
    );
    fc.assert(
      fc.property(fc.array(one, { maxLength: 4 }), fc.array(fc.nat(9000)), (frames, cuts) => {
        const bytes = Buffer.concat(frames.map(({ type, payload }) => frame(type, payload)));
        const places = [
          0,
          ...cuts.map((cut) => Math.min(cut, bytes.length)).sort((a, b) => a - b),
          bytes.length,
        ];
        const reader = new FrameReader();
        const read = places.slice(1).flatMap((end, i) => reader.push(bytes.subarray(places[i], end)));
        assert.deepEqual(
          read.map(({ type, payload }) => ({ type, payload: Uint8Array.from(payload) })),
          frames,
        );
      }),
      runs,
    );
  });

  for (const [what, bytes] of [
    ['of a type that no module sends', frame('V', Buffer.from('granted'))],
    ['of a length that its type does not have', frame('R', Buffer.alloc(MAX_ANSWER + 1))],
  ] as const) {
    test(`a frame ${what} is refused before the rest of it is waited for`, () => {
      assert.throws(() => new FrameReader().push(bytes.subarray(0, 3)), invalid);
    });
  }

  test('whatever comes is read or refused, and nothing else', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 6000 }), (bytes) => {
        try {
          for (const { payload } of new FrameReader().push(Buffer.from(bytes))) parseAttempt(payload);
        } catch (error) {
          assert.ok(invalid(error), String(error));
        }
      }),
      runs,
    );
  });

  test('a text that the module could not hold is the programmer’s mistake', () => {
    assert.throws(() => encodeFrame('I', 'x'.repeat(MAX_PAYLOAD + 1)), TypeError);
    assert.throws(() => encodeFrame('I', 'a\0b'), TypeError);
  });
});

describe('an attempt', () => {
  test('is read with what it may have', () => {
    const more = ['tty=pts/1', 'rhost=198.51.100.7', 'ruser=bob', 'cwd=/root', 'arg=sudo', 'arg=', 'arg=a=b'];
    assert.deepEqual(parseAttempt(attempt([...pairs(whole), ...more])), {
      ...whole,
      timeout: 30,
      tty: 'pts/1',
      rhost: '198.51.100.7',
      ruser: 'bob',
      cwd: '/root',
      arg: ['sudo', '', 'a=b'],
    });
  });

  for (const [what, payload] of Object.entries({
    'of another version': attempt(pairs(whole), 'countersign-pam/2'),
    'that lacks the user': attempt(pairs({ ...whole, user: '' })),
    'with the user twice': attempt([...pairs(whole), 'user=root']),
    'with a field that nobody knows': attempt([...pairs(whole), 'home=/root']),
    'with a field without a name': attempt([...pairs(whole), '=x']),
    'with a field without a value': attempt([...pairs(whole), 'tty']),
    'with an object’s own words as a name': attempt([...pairs(whole), '__proto__=x']),
    'with a mode that there is not': attempt(pairs({ ...whole, mode: 'open' })),
    'that would wait for an hour': attempt(pairs({ ...whole, timeout: '3600' })),
    'that would wait for no time': attempt(pairs({ ...whole, timeout: '0' })),
    'that breaks off': attempt(pairs(whole)).subarray(0, -1),
    'that is not UTF-8': Buffer.concat([attempt([...pairs(whole)]).subarray(0, -1), Buffer.from([0xff, 0])]),
    'that is empty': Buffer.alloc(0),
  })) {
    test(`${what} is refused`, () => {
      assert.throws(() => parseAttempt(payload), invalid);
    });
  }
});
