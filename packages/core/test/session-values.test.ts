import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import * as v from 'valibot';
import { SessionTerms, sessionChannel } from '../src/session-terms.ts';
import { hardenValues, normalizeValue } from '../src/session-values.ts';
import { refused } from './refused.ts';
import { RUNS } from './runs.ts';
import { harden, quick, TERMS, TEXT_TERMS } from './session-fixtures.ts';

describe('a typed value', () => {
  for (const [type, typed, form] of [
    ['text', '  Ada   Lovelace ', 'ada lovelace'],
    ['text', 'Zoe\u0308', 'zoë'],
    ['text', 'a\u200bb\u202e\ufeff', 'ab'],
    ['text', 'tab\there\u00a0too\nand here', 'tab here too and here'],
    ['text', 'STRASSE Straße', 'strasse straße'],
    ['number', '+49 (0)170 / 123-45.67', '+4901701234567'],
    ['number', '\u202a007\u202c', '007'],
    ['number', '１２３', '123'],
    ['number', "1'234'567", '1234567'],
    ['date', ' 2000-02-29 ', '2000-02-29'],
    ['date', '1999-12-31', '1999-12-31'],
  ] as const) {
    test(`${type} ${JSON.stringify(typed)} is ${form}`, () =>
      assert.equal(normalizeValue(type, typed), form));
  }

  for (const [type, typed] of [
    ['text', ''],
    ['text', ' \u200b '],
    ['text', '\ud800'],
    ['text', 'x'.repeat(257)],
    ['number', ''],
    ['number', '-'],
    ['number', '12a'],
    ['number', '1+2'],
    ['number', '٠١٢'],
    ['number', '\u22125'],
    ['number', '1'.repeat(65)],
    ['date', ''],
    ['date', '1900-02-29'],
    ['date', '2023-04-31'],
    ['date', '2023-13-01'],
    ['date', '2023-00-01'],
    ['date', '2023-01-00'],
    ['date', '0000-01-01'],
    ['date', '31.12.1999'],
    ['date', '99-12-31'],
  ] as const) {
    test(`${type} ${JSON.stringify(typed.slice(0, 20))} is refused`, () => {
      assert.throws(() => normalizeValue(type, typed), refused('value-invalid'));
    });
  }

  test('a form is its own form, and so is the value in capitals or decomposed', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', minLength: 1, maxLength: 20 }), (typed) => {
        let form: string;
        try {
          form = normalizeValue('text', typed);
        } catch (error) {
          return refused('value-invalid')(error);
        }
        assert.equal(normalizeValue('text', form), form);
        assert.equal(normalizeValue('text', typed.normalize('NFD')), form);
        assert.equal(normalizeValue('text', ` ${typed}\n`), form);
        return true;
      }),
      RUNS,
    );
  });

  test('every day of a century is a date, and no other', () => {
    for (let year = 1899; year <= 2001; year++) {
      for (let month = 1; month <= 12; month++) {
        for (let day = 27; day <= 32; day++) {
          const text = `${year}-${String(month).padStart(2, '0')}-${day}`;
          const real = new Date(Date.UTC(year, month - 1, day)).getUTCDate() === day;
          if (real) assert.equal(normalizeValue('date', text), text);
          else assert.throws(() => normalizeValue('date', text), refused('value-invalid'));
        }
      }
    }
  });
});

describe('hardened values', () => {
  test('are 32 bytes, the same for what two people type alike', async () => {
    const one = await hardenValues(quick, TEXT_TERMS, ['Ada Lovelace']);
    assert.equal(one.length, 32);
    assert.deepEqual(await harden(TEXT_TERMS, ' ADA  lovelace'), one);
  });

  test('differ by session, salt, mode and value', async () => {
    const other = 'EBESExQVFhcYGRobHB0eIA';
    const all = await Promise.all([
      harden(TERMS, '1'),
      harden(TERMS, '2'),
      harden({ ...TERMS, salt: other }, '1'),
      harden({ ...TERMS, session: other }, '1'),
      harden({ ...TERMS, mode: 'digest' }, '1'),
    ]);
    assert.equal(new Set(all.map((values) => values.toHex())).size, 5);
  });

  test('a digit cannot move from one field to the next', async () => {
    const fields = [...TERMS.fields, { name: 'Order', type: 'number' as const }];
    const two = { ...TERMS, fields };
    assert.notDeepEqual(await harden(two, '12', '3'), await harden(two, '1', '23'));
  });

  test('too few or too many values are the program’s mistake', async () => {
    await assert.rejects(harden(TERMS), TypeError);
    await assert.rejects(harden(TERMS, '1', '2'), TypeError);
  });
});

describe('terms', () => {
  const field = { name: 'A', type: 'text' as const };
  for (const [what, terms] of [
    ['no field', { fields: [] }],
    ['four fields', { fields: ['A', 'B', 'C', 'D'].map((name) => ({ ...field, name })) }],
    ['two fields of one name', { fields: [field, { ...field, type: 'date' }] }],
    ['another type', { fields: [{ ...field, type: 'password' }] }],
    ['a name that may not be shown', { fields: [{ ...field, name: 'a\u202eb' }] }],
    ['a name of more than 64 bytes', { fields: [{ ...field, name: 'x'.repeat(65) }] }],
    ['a link for a subject', { subject: 'see https://evil.example' }],
    ['a salt of another length', { salt: 'AAAA' }],
    ['another mode', { mode: 'plain' }],
    ['a member more', { extra: 1 }],
  ] as const) {
    test(`with ${what} are refused`, () => assert.ok(!v.is(SessionTerms, { ...TERMS, ...terms })));
  }

  test('each of them is bound', () => {
    const other = 'EBESExQVFhcYGRobHB0eIA';
    const channels = [
      TERMS,
      { ...TERMS, session: other },
      { ...TERMS, mode: 'digest' as const },
      { ...TERMS, broker: 'https://other.example' },
      { ...TERMS, organisation: 'help@bunk.example' },
      { ...TERMS, organisation_id: 'E'.repeat(43) },
      { ...TERMS, subject: 'Another' },
      { ...TERMS, fields: [{ ...TERMS.fields[0]!, name: 'PIN' }] },
      { ...TERMS, fields: [{ ...TERMS.fields[0]!, type: 'text' as const }] },
      { ...TERMS, fields: [{ ...TERMS.fields[0]!, description: 'on your card' }] },
      { ...TERMS, fields: [...TERMS.fields, field] },
    ];
    for (const terms of channels) assert.ok(v.is(SessionTerms, terms));
    assert.equal(new Set(channels.map((terms) => sessionChannel(terms).toHex())).size, channels.length);
  });
});
