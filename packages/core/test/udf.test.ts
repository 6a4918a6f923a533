import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { fingerprint, matchesFingerprint, parseFingerprint } from '../src/udf.ts';
import { webCrypto } from '../src/webcrypto.ts';
import { refused } from './refused.ts';
import { RUNS } from './runs.ts';

const DATA = new TextEncoder().encode('UDF Data Value');
const WHOLE = 'MDDK-7N6A-727A-JZNO-STRX-XKS7-DJAF';

describe('the fingerprint of the Mesh’s own example', () => {
  for (const [bits, expected] of [
    [100, 'MDDK-7N6A-727A-JZNO-STRX'],
    [140, WHOLE],
    [200, 'MDDK-7N6A-727A-JZNO-STRX-XKS7-DJAF-XI6O-ZSLU-2VOA'],
  ] as const) {
    test(`has ${expected.replaceAll('-', '').length} letters at ${bits} bits`, async () => {
      assert.equal(await fingerprint(webCrypto, 'text/plain', DATA, bits), expected);
    });
  }

  test('has 140 bits where nobody says otherwise', async () => {
    assert.equal(await fingerprint(webCrypto, 'text/plain', DATA), WHOLE);
  });

  test('is another one under another content type', async () => {
    assert.notEqual(await fingerprint(webCrypto, 'text/html', DATA), WHOLE);
  });

  test('the longest, 440 bits, begins with all the shorter ones', async () => {
    const longest = await fingerprint(webCrypto, 'text/plain', DATA, 440);
    for (let bits = 100; bits <= 440; bits += 20) {
      assert.ok(longest.startsWith(await fingerprint(webCrypto, 'text/plain', DATA, bits)));
    }
  });

  test('a precision that is no multiple of 20 from 100 to 440 is the programmer’s mistake', async () => {
    for (const bits of [0, 80, 110, 141, 460, Number.NaN]) {
      await assert.rejects(fingerprint(webCrypto, 'text/plain', DATA, bits), RangeError);
    }
  });
});

describe('a typed fingerprint', () => {
  for (const [how, typed] of [
    ['as it is printed', WHOLE],
    ['in small letters', WHOLE.toLowerCase()],
    ['in groups of five', 'MDDK7-N6A72-7AJZN-OSTRX-XKS7D-JAF'],
    ['without dashes', WHOLE.replaceAll('-', '')],
    ['with spaces for dashes', WHOLE.replaceAll('-', ' ')],
    ['with a slash at its end', `${WHOLE}/`],
    ['with white space around it', `\t ${WHOLE}\n`],
  ] as const) {
    test(`${how} is understood`, () => assert.equal(parseFingerprint(typed), WHOLE));
  }

  test('of letters that Base32 has not is refused', () => {
    for (const typed of ['', '/', '-', 'MDD1', 'MDD0', 'MDDK-8', 'MDÄK', 'MDDK//', 'A'.repeat(89)]) {
      assert.throws(() => parseFingerprint(typed), refused('fingerprint-invalid'), typed);
    }
  });

  test('is understood the same again once it is printed', () => {
    const letters = fc.string({
      unit: fc.constantFrom(...'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'),
      minLength: 1,
      maxLength: 88,
    });
    fc.assert(
      fc.property(letters, (typed) => parseFingerprint(parseFingerprint(typed)) === parseFingerprint(typed)),
      RUNS,
    );
  });

  test('matches what it begins, and nothing else', () => {
    assert.ok(matchesFingerprint(WHOLE, 'MDDK-7N'));
    assert.ok(matchesFingerprint(WHOLE, WHOLE));
    assert.ok(!matchesFingerprint(WHOLE, '7N6A'));
    assert.ok(!matchesFingerprint('MDDK-7N', WHOLE));
  });
});
