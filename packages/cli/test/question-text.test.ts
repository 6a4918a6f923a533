import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Question } from '@countersign/core';
import { questionLine, questionText } from '../src/question-text.ts';

const plain = { style: (_: unknown, text: string) => text };
const question = (heading: string, name: string): Question => ({
  kind: 'approval',
  salt: 'AAAAAAAAAAAAAAAAAAAAAA',
  parts: [
    { type: 'h1', text: heading },
    { type: 'p', text: '1111 2222' },
  ],
  fields: [{ name, value: '3333 4444' }],
});

describe('a question on a terminal', () => {
  test('has what is written from right to left apart from the digits beside it', () => {
    const asked = question('אישור', 'לחשבון');
    assert.equal(questionLine(asked), '\u2068אישור\u2069 · 1111 2222');
    assert.equal(
      questionText(asked, plain),
      '  \u2068אישור\u2069\n  1111 2222\n  \u2068לחשבון\u2069  3333 4444',
    );
    const arabic = question('شراء', 'إلى');
    assert.equal(questionLine(arabic), '\u2068شراء\u2069 · 1111 2222');
  });

  test('has no invisible character where all is written from left to right', () => {
    const asked = question('Überweisen? 漢字', 'An');
    assert.equal(questionLine(asked), 'Überweisen? 漢字 · 1111 2222');
    assert.equal(questionText(asked, plain), '  Überweisen? 漢字\n  1111 2222\n  An  3333 4444');
  });
});
