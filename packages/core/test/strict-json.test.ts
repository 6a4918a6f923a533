import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { MAX_JSON_DEPTH, parseStrictJson } from '../src/strict-json.ts';
import { refused } from './refused.ts';
import { RUNS } from './runs.ts';

const bytes = (text: string) => new TextEncoder().encode(text);

describe('strict JSON', () => {
  test('agrees with JSON.parse on all that JSON.stringify writes', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 8, stringUnit: 'grapheme' }), fc.nat(3), (value, indent) => {
        const text = JSON.stringify(value, undefined, indent);
        assert.deepEqual(parseStrictJson(text), JSON.parse(text));
        assert.deepEqual(parseStrictJson(bytes(text)), JSON.parse(text));
      }),
      RUNS,
    );
  });

  test('never throws anything but a refusal, and never reads what JSON.parse does not', () => {
    const fragment = fc.constantFrom(...'{}[]",:\\u0061ae1-. \n', '\\"', '\\u0061', '"a":', '\ud800');
    fc.assert(
      fc.property(
        fc.array(fragment).map((all) => all.join('')),
        (text) => {
          let value: unknown;
          try {
            value = parseStrictJson(text);
          } catch (error) {
            return refused('json-invalid')(error);
          }
          assert.deepEqual(value, JSON.parse(text));
          return true;
        },
      ),
      RUNS,
    );
  });

  for (const [what, text] of [
    ['at the top', '{"a":1,"a":1}'],
    ['with another value', '{"a":1,"a":2}'],
    ['inside an object', '{"b":{"a":1,"a":1}}'],
    ['inside a list', '[{"a":1,"a":1}]'],
    ['once escaped', '{"a":1,"\\u0061":2}'],
    ['both escaped, in other cases', '{"\\u006A":1,"\\u006a":2}'],
    ['with a space before the colon', '{"a":1,"a" \n:2}'],
    ['with a quote in it', '{"\\"":1,"\\u0022":2}'],
    ['with a backslash in it', '{"\\\\":1,"\\u005c":2}'],
    ['that is empty', '{"":1,"":2}'],
    ['that is __proto__', '{"__proto__":1,"__proto__":2}'],
    ['that is a number', '{"1":1,"1":2}'],
    ['holding objects', '{"a":{"b":1},"a":{"c":1}}'],
  ] as const) {
    test(`a name twice in one object is refused: ${what}`, () => {
      assert.throws(() => parseStrictJson(text), refused('json-invalid'));
    });
  }

  test('any name written twice is refused, wherever it stands', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue(), { minKeys: 1 }), fc.nat(), (object, pick) => {
        const names = Object.keys(object);
        const name = JSON.stringify(names[pick % names.length]);
        const text = `{"deep":[${JSON.stringify(object).slice(0, -1)},${name}:0}]}`;
        JSON.parse(text);
        assert.throws(() => parseStrictJson(text), refused('json-invalid'));
      }),
      RUNS,
    );
  });

  test('strings that look like names are no names', () => {
    for (const text of [
      '["a","a"]',
      '{"a":"\\"a\\":","b":"a:"}',
      '{"a":"b","b":"a"}',
      '["{\\"a\\":1,\\"a\\":1}"]',
    ]) {
      assert.deepEqual(parseStrictJson(text), JSON.parse(text));
    }
  });

  test('a member named __proto__ is a plain member and changes no prototype', () => {
    const value = parseStrictJson('{"__proto__":{"admin":true}}') as object;
    assert.equal(Object.getPrototypeOf(value), Object.prototype);
    assert.deepEqual(Object.keys(value), ['__proto__']);
    assert.equal('admin' in {}, false);
  });

  test(`${MAX_JSON_DEPTH} levels are read, and one more is refused`, () => {
    const nested = (levels: number) => '['.repeat(levels) + ']'.repeat(levels);
    parseStrictJson(nested(MAX_JSON_DEPTH));
    assert.throws(() => parseStrictJson(nested(MAX_JSON_DEPTH + 1)), refused('json-invalid'));
    assert.throws(
      () => parseStrictJson('{"a":'.repeat(17).concat('1', '}'.repeat(17))),
      refused('json-invalid'),
    );
    assert.throws(() => parseStrictJson(nested(100_000)), refused('json-invalid'));
  });

  for (const [what, input] of [
    ['a lone surrogate in a value', '"\\ud800"'],
    ['a lone surrogate in a name', '{"\\udc00":1}'],
    ['a lone surrogate deep inside', '[{"a":["\\ud83d"]}]'],
    ['a lone surrogate unescaped', '"\ud800"'],
    ['a byte order mark', '\ufeff{}'],
    ['a byte order mark in bytes', Uint8Array.of(0xef, 0xbb, 0xbf, 0x7b, 0x7d)],
    ['a byte that is no UTF-8', Uint8Array.of(0x22, 0xff, 0x22)],
    ['an overlong UTF-8 quote', Uint8Array.of(0x22, 0xc0, 0xa2, 0x22)],
    ['a surrogate in UTF-8', Uint8Array.of(0x22, 0xed, 0xa0, 0x80, 0x22)],
    ['UTF-16', Uint8Array.of(0x7b, 0, 0x7d, 0)],
    ['nothing', ''],
    ['two values', '{}{}'],
    ['a comment', '{}//'],
    ['a trailing comma', '[1,]'],
    ['single quotes', "{'a':1}"],
    ['NaN', 'NaN'],
    ['a line break inside a string', '"a\nb"'],
  ] as const) {
    test(`${what} is refused`, () => {
      assert.throws(() => parseStrictJson(input), refused('json-invalid'));
    });
  }

  test('a long string is read in one piece', () => {
    const long = 'a\\'.repeat(200_000);
    assert.deepEqual(parseStrictJson(JSON.stringify({ [long]: long })), { [long]: long });
  });
});
