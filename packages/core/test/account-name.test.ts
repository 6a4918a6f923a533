import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import * as v from 'valibot';
import { AccountName, parseAccountName } from '../src/account-name.ts';
import { refused } from './refused.ts';
import { RUNS } from './runs.ts';

describe('an account name', () => {
  for (const name of ['alice@example.com', 'a@b', 'a.b+c_d-e@x-1.example', '1@2.3', `${'a'.repeat(64)}@b`]) {
    test(`may be ${name}`, () => assert.equal(parseAccountName(name), name));
  }

  for (const typed of ['Alice@Example.COM', ' alice@example.com\n', 'alice@example.com/']) {
    test(`typed as ${JSON.stringify(typed)} is alice@example.com`, () => {
      assert.equal(parseAccountName(typed), 'alice@example.com');
    });
  }

  for (const [what, name] of [
    ['nothing', ''],
    ['no @', 'alice'],
    ['nothing before the @', '@example.com'],
    ['nothing after the @', 'alice@'],
    ['two @', 'alice@bob@example.com'],
    ['a dot at its begin', '.alice@example.com'],
    ['a dot before the @', 'alice.@example.com'],
    ['two dots in a row', 'al..ice@example.com'],
    ['an empty label', 'alice@example..com'],
    ['a dot at its end', 'alice@example.com.'],
    ['a label that begins with a dash', 'alice@-example.com'],
    ['a label that ends with a dash', 'alice@example-.com'],
    ['a label of 64 letters', `alice@${'a'.repeat(64)}`],
    ['65 letters before the @', `${'a'.repeat(65)}@b`],
    ['255 letters', `alice@${'a.'.repeat(124)}a`],
    ['a space inside', 'ali ce@example.com'],
    ['a line break inside', 'alice@example.com\nbob@example.com'],
    ['a Cyrillic letter', 'аlice@example.com'],
    ['an invisible letter', 'ali\u200bce@example.com'],
    ['a full-width letter', 'alice＠example.com'],
    ['quotes', '"alice"@example.com'],
    ['two slashes', 'alice@example.com//'],
    ['a percent sign', 'alice%40@example.com'],
  ] as const) {
    test(`with ${what} is refused`, () => {
      assert.throws(() => parseAccountName(name), refused('name-invalid'));
    });
  }

  test('in a statement has capitals nowhere: one account has one name', () => {
    assert.equal(v.is(AccountName, 'Alice@example.com'), false);
    assert.equal(v.is(AccountName, 'alice@example.com\n'), false);
  });

  test('whatever is accepted is plain ASCII, and read again the same', () => {
    const fragment = fc.constantFrom(
      'a',
      'Z',
      '0',
      '@',
      '.',
      '-',
      '+',
      '_',
      '/',
      ' ',
      'K',
      'İ',
      'ß',
      '\u202e',
    );
    fc.assert(
      fc.property(
        fc.array(fragment, { minLength: 3 }).map((all) => all.join('')),
        (text) => {
          try {
            const name = parseAccountName(text);
            assert.match(name, /^[a-z0-9@.+_-]+$/);
            assert.equal(parseAccountName(name), name);
          } catch (error) {
            refused('name-invalid')(error);
          }
        },
      ),
      RUNS,
    );
  });
});
