import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import {
  BASE64URL_16_BYTES,
  BASE64URL_32_BYTES,
  decodeBase64url,
  encodeBase64,
  encodeBase64url,
} from '../src/base64url.ts';
import { refused } from './refused.ts';
import { RUNS } from './runs.ts';

const anyText = fc.string({
  unit: fc.constantFrom(...'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'),
});

describe('base64url', () => {
  test('comes back as the same bytes, and is what Node writes', () => {
    fc.assert(
      fc.property(fc.uint8Array(), (data) => {
        const text = encodeBase64url(data);
        assert.equal(text, Buffer.from(data).toString('base64url'));
        assert.deepEqual(decodeBase64url(text), new Uint8Array(data));
      }),
      RUNS,
    );
  });

  test('is the same where the engine has no methods for it', (t) => {
    const methods = { from: Uint8Array.fromBase64, to: Uint8Array.prototype.toBase64 };
    t.after(() => {
      Uint8Array.fromBase64 = methods.from;
      Uint8Array.prototype.toBase64 = methods.to;
    });
    Reflect.deleteProperty(Uint8Array, 'fromBase64');
    Reflect.deleteProperty(Uint8Array.prototype, 'toBase64');
    fc.assert(
      fc.property(fc.uint8Array(), (data) => {
        const text = encodeBase64url(data);
        assert.equal(text, Buffer.from(data).toString('base64url'));
        assert.deepEqual(decodeBase64url(text), new Uint8Array(data));
        assert.equal(encodeBase64(data), Buffer.from(data).toString('base64'));
      }),
      RUNS,
    );
    for (const bad of ['A', 'AB', 'AA==', 'A A', '+/8', 'A!', 'ÄÖ', '\n']) {
      assert.throws(() => decodeBase64url(bad), refused('encoding-invalid'));
    }
  });

  test('no two texts stand for the same bytes', () => {
    fc.assert(
      fc.property(anyText, (text) => {
        try {
          assert.equal(encodeBase64url(decodeBase64url(text)), text);
        } catch (error) {
          refused('encoding-invalid')(error);
        }
      }),
      RUNS,
    );
  });

  test('is read where writing it again gives the same text, and nowhere else', () => {
    const odd = fc.string({ unit: fc.constantFrom(...'ABQgwEIMz0_-+/= \n\t=A') });
    fc.assert(
      fc.property(odd, (text) => {
        let canonical: boolean;
        try {
          canonical = encodeBase64url(Uint8Array.fromBase64(text, { alphabet: 'base64url' })) === text;
        } catch {
          canonical = false;
        }
        if (canonical) decodeBase64url(text);
        else assert.throws(() => decodeBase64url(text), refused('encoding-invalid'));
      }),
      RUNS,
    );
  });

  for (const [what, text] of [
    ['padding', 'AA=='],
    ['padding alone', '='],
    ['the other alphabet, +', 'AA+A'],
    ['the other alphabet, /', 'AA/A'],
    ['a space', 'AA AA'],
    ['a line break', 'AAAA\n'],
    ['stray bits after one byte', 'AB'],
    ['stray bits after two bytes', 'AAB'],
    ['one letter alone', 'A'],
    ['a letter beyond ASCII', 'AAAÄ'],
    ['a NUL', 'AAA\0'],
  ] as const) {
    test(`with ${what} is refused`, () => {
      assert.throws(() => decodeBase64url(text), refused('encoding-invalid'));
    });
  }

  test('16 and 32 bytes have one text each that the patterns take', () => {
    for (const [length, pattern] of [
      [16, BASE64URL_16_BYTES],
      [32, BASE64URL_32_BYTES],
    ] as const) {
      fc.assert(
        fc.property(fc.uint8Array({ minLength: length, maxLength: length }), anyText, (data, letters) => {
          const text = encodeBase64url(data);
          assert.match(text, pattern);
          for (const last of letters) {
            const other = text.slice(0, -1) + last;
            if (pattern.test(other)) assert.equal(encodeBase64url(decodeBase64url(other)), other);
          }
          assert.doesNotMatch(`${text}\n`, pattern);
        }),
        RUNS,
      );
    }
  });
});
