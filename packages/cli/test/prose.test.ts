import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { wrapProse } from '../src/prose.ts';

describe('a text on a narrow terminal', () => {
  test('is broken between words, and goes on under where it began', () => {
    assert.equal(wrapProse('A line that is too long', 12), 'A line that\nis too long');
    assert.equal(wrapProse('  name    A rather long name', 20), '  name    A rather\n          long name');
    assert.equal(wrapProse('short\n  as it is', 20), 'short\n  as it is');
  });

  test('has a fingerprint whole, under its name where there is no room beside it', () => {
    const kid = 'MALM-Y7A2-KTMO-22PM-TE6K-TAV2-YNWL';
    assert.equal(wrapProse(`  fingerprint  ${kid}`, 40), `  fingerprint\n    ${kid}`);
    assert.equal(wrapProse(`  fingerprint  ${kid}`, 60), `  fingerprint  ${kid}`);
  });

  test('leaves to the terminal what is copied or scanned', () => {
    for (const line of [
      'countersign:alice@example.com?id=EOIc1YI2vbTnqw7tyolKek8tf&broker=http%3A%2F%2F127.0.0.1',
      'https://broker.example/a-long-path/that-is-one-word',
      'On the new device: countersign device request alice@example.com --pin ABCD',
      '  → countersign device accept MCFI-3EEI   (asks for its code)',
      '{"text":"a long text of a script, which reads it back"}',
      '█▀▀█ ▄▄ █▀▀█ ▄▄ █▀▀█ ▄▄ █▀▀█ ▄▄ █▀▀█',
    ]) {
      assert.equal(wrapProse(line, 20), line);
    }
  });

  test('keeps every letter, in bold too', () => {
    const text =
      '  code  \u001b[1mABCD-EFGH\u001b[22m, to be typed on a device of the account that is in already';
    const letters = (one: string) =>
      one.replace(/\s/g, '').replaceAll('\u001b[1m', '').replaceAll('\u001b[22m', '');
    for (let columns = 8; columns < 90; columns++) {
      assert.equal(letters(wrapProse(text, columns)), letters(text));
    }
  });
});
