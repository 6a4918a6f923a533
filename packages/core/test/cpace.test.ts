import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { ristretto255 } from '@noble/curves/ed25519.js';
import fc from 'fast-check';
import {
  type CpaceInputs,
  calculateGenerator,
  generatorString,
  sampleScalar,
  scalarMult,
  startCpace,
} from '../src/cpace.ts';
import { lvCat } from '../src/length-value.ts';
import { webCrypto } from '../src/webcrypto.ts';
import { refused } from './refused.ts';
import { RUNS } from './runs.ts';

const bytes = fc.uint8Array({ maxLength: 200 });
const inputs = fc.record({ password: bytes, channel: bytes, session: bytes });

/** Both keys of a run, in hexadecimal. */
function run(a: CpaceInputs, b: CpaceInputs, dataA = new Uint8Array(), dataB = new Uint8Array()) {
  const initiator = startCpace(webCrypto, 'initiator', a, dataA);
  const responder = startCpace(webCrypto, 'responder', b, dataB);
  const [one, two] = [initiator.finish(responder.sent), responder.finish(initiator.sent)];
  return { one: one.isk.toHex(), two: two.isk.toHex(), initiator: one, responder: two };
}

describe('CPace', () => {
  test('equal inputs give equal keys, another one each run', () => {
    fc.assert(
      fc.property(inputs, bytes, bytes, (both, dataA, dataB) => {
        const { one, two } = run(both, both, dataA, dataB);
        assert.equal(one, two);
        assert.notEqual(run(both, both, dataA, dataB).one, one);
      }),
      RUNS,
    );
  });

  for (const name of ['password', 'channel', 'session'] as const) {
    test(`another ${name} gives two keys`, () => {
      fc.assert(
        fc.property(inputs, bytes, (both, other) => {
          fc.pre(both[name].toHex() !== other.toHex());
          const { one, two } = run(both, { ...both, [name]: other });
          assert.notEqual(one, two);
        }),
        RUNS,
      );
    });
  }

  test('bytes cannot move from one input to its neighbour', () => {
    const [empty, byte] = [new Uint8Array(), Uint8Array.of(7)];
    const a = { password: byte, channel: empty, session: empty };
    const b = { password: empty, channel: byte, session: empty };
    const c = { password: empty, channel: empty, session: byte };
    const elements = new Set([a, b, c].map((one) => calculateGenerator(one).toHex()));
    assert.equal(elements.size, 3);
  });

  test('data that was altered on its way gives two keys', () => {
    const both = { password: Uint8Array.of(1), channel: Uint8Array.of(2), session: Uint8Array.of(3) };
    const initiator = startCpace(webCrypto, 'initiator', both, Uint8Array.of(4));
    const responder = startCpace(webCrypto, 'responder', both, Uint8Array.of(5));
    const one = initiator.finish({ ...responder.sent, data: Uint8Array.of(6) });
    assert.notEqual(one.isk.toHex(), responder.finish(initiator.sent).isk.toHex());
  });

  test('two who take the same role get two keys', () => {
    const both = { password: Uint8Array.of(1), channel: Uint8Array.of(2), session: Uint8Array.of(3) };
    const [a, b] = [1, 2].map(() => startCpace(webCrypto, 'initiator', both, new Uint8Array()));
    assert.notEqual(a!.finish(b!.sent).isk.toHex(), b!.finish(a!.sent).isk.toHex());
  });

  test('a tag holds for its key and its parts alone', () => {
    const both = { password: Uint8Array.of(1), channel: Uint8Array.of(2), session: Uint8Array.of(3) };
    const { initiator, responder } = run(both, both);
    const part = Uint8Array.of(1, 2);
    const tag = initiator.tag(part);
    assert.equal(tag.length, 64);
    assert.ok(responder.isTag(tag, part));
    assert.equal(responder.isTag(tag, Uint8Array.of(1), Uint8Array.of(2)), false);
    assert.equal(run(both, both).responder.isTag(tag, part), false);
  });

  test('what is no element, or the neutral one, ends the run', () => {
    const both = { password: Uint8Array.of(1), channel: Uint8Array.of(2), session: Uint8Array.of(3) };
    const order = ristretto255.Point.Fn.ORDER;
    assert.equal(order, 2n ** 252n + 27742317777372353535851937790883648493n);
    for (const share of [
      new Uint8Array(32),
      new Uint8Array(32).fill(0xff),
      Uint8Array.fromHex(`01${'00'.repeat(31)}`),
      // a field element that is not in its canonical form (RFC 9496 appendix A.2)
      Uint8Array.fromHex(`f3${'ff'.repeat(30)}7f`),
      // negative
      Uint8Array.fromHex('ed57ffd8c914fb201471d1c3d245ce3c746fcbe63a3679d51b6a516ebebe0e20'),
      new Uint8Array(31),
      new Uint8Array(),
    ]) {
      const party = startCpace(webCrypto, 'initiator', both, new Uint8Array());
      assert.throws(() => party.finish({ share, data: new Uint8Array() }), refused('session-invalid'));
    }
  });

  test('scalars have 252 bits, and a source that draws none is refused', () => {
    const ones = { randomBytes: (length: number) => new Uint8Array(length).fill(0xff) };
    assert.equal(sampleScalar(ones).toHex(), `${'ff'.repeat(31)}0f`);
    const zeros = { randomBytes: (length: number) => new Uint8Array(length) };
    const both = { password: Uint8Array.of(1), channel: Uint8Array.of(2), session: Uint8Array.of(3) };
    assert.throws(() => startCpace(zeros, 'initiator', both, new Uint8Array()), RangeError);
    assert.throws(() => scalarMult(sampleScalar(zeros), calculateGenerator(both)), RangeError);
  });

  test('the secret fills the first block of the hash, whatever its length', () => {
    const rest = { channel: Uint8Array.of(2), session: Uint8Array.of(3) };
    const lengths = [0, 1, 32, 100].map(
      (length) => generatorString({ password: new Uint8Array(length), ...rest }).length,
    );
    assert.equal(new Set(lengths).size, 1);
  });
});

describe('lists of byte strings', () => {
  test('no two give the same bytes', () => {
    fc.assert(
      fc.property(fc.array(bytes, { maxLength: 4 }), fc.array(bytes, { maxLength: 4 }), (a, b) => {
        const same = a.length === b.length && a.every((part, i) => part.toHex() === b[i]!.toHex());
        assert.equal(lvCat(...a).toHex() === lvCat(...b).toHex(), same);
      }),
      RUNS,
    );
  });
});
