import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { sameJson } from '../src/same-json.ts';

/** Members in another order, all the way down. */
function turned(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(turned);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .reverse()
      .map(([name, one]) => [name, turned(one)]),
  );
}
const json = () => fc.jsonValue().map((value) => JSON.parse(JSON.stringify(value)) as unknown);

test('what Node holds for equal is the same, and nothing else is', () => {
  fc.assert(
    fc.property(json(), json(), (one, other) => {
      assert.equal(sameJson(one, turned(one)), true);
      assert.equal(sameJson(one, other), isDeepStrictEqual(one, other));
    }),
  );
});

test('a list is no object with the same members, and a member that is missing is none that is null', () => {
  assert.equal(sameJson(['a'], { 0: 'a' }), false);
  assert.equal(sameJson({ a: null }, { b: null }), false);
  assert.equal(sameJson({ constructor: 1 }, { a: 1 }), false);
  assert.equal(sameJson(null, {}), false);
});
