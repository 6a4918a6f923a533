import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { encodeFrame, type Frame, MAX_FRAME_BYTES, MAX_TAGS, takeFrame } from '../src/m-auth.ts';
import { refused } from './refused.ts';
import { RUNS } from './runs.ts';

const bytes = (length: number) => fc.uint8Array({ minLength: length, maxLength: length });
const purpose = fc.constantFrom('sign-on', 'pair', 'erase');
const frame: fc.Arbitrary<Frame> = fc.oneof(
  fc.record({
    kind: fc.constant('request'),
    purpose,
    lifetime: fc.nat({ max: 2 ** 32 - 1 }),
    bucket: bytes(16),
    tags: fc.array(bytes(16), { minLength: 1, maxLength: MAX_TAGS }),
  }),
  fc.record({ kind: fc.constant('validate'), purpose, tag: bytes(16), proof: bytes(16) }),
  fc.record({
    kind: fc.constantFrom('handshake', 'transport', 'stale', 'erased'),
    body: fc.uint8Array({ maxLength: 600 }),
  }),
) as fc.Arbitrary<Frame>;

describe('frames', () => {
  test('come out as they went in, and leave what follows', () => {
    fc.assert(
      fc.property(frame, fc.uint8Array(), (one, after) => {
        const encoded = encodeFrame(one);
        const taken = takeFrame(Uint8Array.from([...encoded, ...after]));
        assert.deepEqual({ ...taken!.frame }, { ...one });
        assert.deepEqual(Uint8Array.from(taken!.rest), after);
      }),
      RUNS,
    );
  });

  test('are not taken before they are whole', () => {
    fc.assert(
      fc.property(frame, fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }), (one, share) => {
        const encoded = encodeFrame(one);
        assert.equal(takeFrame(encoded.subarray(0, Math.floor(share * encoded.length))), undefined);
      }),
      RUNS,
    );
  });

  test('whatever bytes come, are a frame, wait for more, or are refused with the one code', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), (any) => {
        try {
          const taken = takeFrame(any);
          if (taken === undefined) return;
          const used = any.length - taken.rest.length;
          assert.deepEqual(encodeFrame(taken.frame), Uint8Array.from(any.subarray(0, used)));
        } catch (error) {
          refused('frame-invalid')(error);
        }
      }),
      { numRuns: RUNS.numRuns * 20 },
    );
  });

  test('of a length, type, version or count that there is not are refused as soon as it shows', () => {
    for (const hex of ['0000', '2001', 'ffff', '001000', '001007', '0021ff', '0021021', '002114']) {
      const shown = Uint8Array.fromHex(hex.length % 2 === 0 ? hex : hex.slice(0, -1));
      if (hex === '0021021') assert.equal(takeFrame(shown), undefined);
      else assert.throws(() => takeFrame(shown), refused('frame-invalid'), hex);
    }
    const validate = encodeFrame({
      kind: 'validate',
      purpose: 'sign-on',
      tag: new Uint8Array(16),
      proof: new Uint8Array(16),
    });
    for (const [index, value] of [
      [3, 2],
      [1, 33],
      [1, 35],
    ] as const) {
      const bad = Uint8Array.from([...validate, 0]);
      bad[index] = value;
      assert.throws(() => takeFrame(bad), refused('frame-invalid'));
    }
    const none = Uint8Array.from([0, 22, 1, 1, ...new Uint8Array(20)]);
    assert.throws(() => takeFrame(none), refused('frame-invalid'));
  });

  test('that nobody may write are misuse', () => {
    const tag = new Uint8Array(16);
    const request = { kind: 'request', purpose: 'pair', lifetime: 1, bucket: tag } as const;
    assert.throws(() => encodeFrame({ ...request, tags: [] }), TypeError);
    assert.throws(() => encodeFrame({ ...request, tags: Array(MAX_TAGS + 1).fill(tag) }), TypeError);
    assert.throws(() => encodeFrame({ ...request, tags: [new Uint8Array(15)] }), TypeError);
    assert.throws(() => encodeFrame({ kind: 'transport', body: new Uint8Array(MAX_FRAME_BYTES) }), TypeError);
  });
});
