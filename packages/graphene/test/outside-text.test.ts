import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { isDisplayLine } from '@countersign/core';
import fc from 'fast-check';
import { RUNS } from '../../core/test/runs.ts';
import { quoteText } from '../src/outside-text.ts';

const MISLEADING = [
  'https://example.com',
  'www.example.com',
  'javascript:alert(1)',
  'mailto:a@b.c',
  'https：／／example.com',
  'pay \u202egnp.exe',
  'zero\u200bwidth',
  'a\u0000b',
  'line\nline',
  'far      right',
  'e\u0301 not composed',
  'Z\u0335\u0335\u0335\u0335\u0335',
  '\u0301',
  '”, from bob',
  '<202E>',
  '\u{F0000}',
  '🏴\u{E0067}\u{E007F}',
  '   ',
];

/** Texts as strangers write them: ordinary ones, and bits of those that mislead. */
const texts = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 30 }),
  fc
    .array(fc.constantFrom(...MISLEADING, ':', '/', '.', ' ', '<', '>', 'w', 'data'), { maxLength: 5 })
    .map((all) => all.join('')),
);

describe('a text of a stranger', () => {
  test('is shown as it stands where nothing in it misleads', () => {
    for (const text of [
      'rent for May',
      'für die Miete',
      '家賃',
      'a.b-c',
      'ratio 3:4',
      ' spaces at the ends ',
      '👩‍👩‍👧',
    ]) {
      assert.equal(quoteText(text), `“${text}”`);
    }
    assert.equal(quoteText(''), 'empty');
  });

  test('that could mislead is written out', () => {
    for (const text of MISLEADING) {
      assert.match(quoteText(text), /^written out “/, JSON.stringify(text));
    }
    assert.equal(quoteText('https://example.com'), 'written out “https<3A><2F><2F>example<2E>com”');
    assert.equal(quoteText('pay \u202egnp'), 'written out “pay <202E>gnp”');
  });

  test('may always be shown, whatever it is', () => {
    fc.assert(
      fc.property(texts, (text) => {
        const words = `key weight ${quoteText(text)}, from key`;
        assert.ok(isDisplayLine(words, 100_000), words);
      }),
      { numRuns: RUNS.numRuns * 20 },
    );
  });

  test('is never said in the words of another', () => {
    fc.assert(
      fc.property(texts, texts, (one, other) => {
        assert.equal(quoteText(one) === quoteText(other), one === other);
      }),
      { numRuns: RUNS.numRuns * 20 },
    );
  });
});
