import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { decodeBase32, encodeBase32, groupBase32, ungroupBase32 } from '../src/base32.ts';
import { RUNS } from './runs.ts';

describe('Base32', () => {
  test('is that of RFC 4648 section 10, without padding', () => {
    for (const [text, letters] of [
      ['', ''],
      ['f', 'MY'],
      ['fo', 'MZXQ'],
      ['foo', 'MZXW6'],
      ['foob', 'MZXW6YQ'],
      ['fooba', 'MZXW6YTB'],
      ['foobar', 'MZXW6YTBOI'],
    ] as const) {
      assert.equal(encodeBase32(new TextEncoder().encode(text)), letters);
      assert.equal(new TextDecoder().decode(decodeBase32(letters)), text);
    }
  });

  test('gives back the bytes that it took, however they were grouped and typed', () => {
    const bytes = fc.uint8Array({ maxLength: 64 });
    const spelt = fc.constantFrom(
      (text: string) => text,
      (text: string) => text.toLowerCase(),
      (text: string) => ` ${text.replaceAll('-', ' ')}\n`,
      (text: string) => text.replaceAll('-', ''),
    );
    fc.assert(
      fc.property(bytes, spelt, (data, spell) => {
        const typed = spell(groupBase32(encodeBase32(data)));
        assert.deepEqual(decodeBase32(ungroupBase32(typed)), new Uint8Array(data));
      }),
      RUNS,
    );
  });

  test('stands in groups of four', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 64 }), (data) => {
        assert.match(groupBase32(encodeBase32(data)), /^(?:[A-Z2-7]{4}-)*[A-Z2-7]{1,4}$/);
      }),
      RUNS,
    );
  });

  test('has no letters but its own', () => {
    for (const letters of ['A0', 'A1', 'A8', 'A9', 'a', 'A-', 'A=', 'É', 'AB CD', '\u0000']) {
      assert.equal(decodeBase32(letters), undefined, letters);
    }
  });
});
