import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { formatCsv } from '../src/csv.ts';
import { checkHistory, sessionRecords } from '../src/session-history.ts';
import { webCrypto } from '../src/webcrypto.ts';
import { refused } from './refused.ts';

const hashOf = (text: string) => createHash('sha256').update(text).digest('base64url');
const CREATED = {
  event: 'created',
  at: 1_800_000_000,
  by: 'MDDK-7N6A-727A-JZNO-STRX-XKS7-DJAF',
  fields: ['Phone number (number)'],
  subject: null,
  template: null,
  duration: 300,
  prefilled: false,
  mode: 'cpace',
};
const ENDED = {
  event: 'ended',
  at: 1_800_000_100,
  outcome: 'authenticated',
  opened_at: 1_800_000_010,
  filled_at: null,
  seen_at: null,
  revealed_at: null,
  tries: 1,
};

/** The history of so many sessions, each opened and ended. */
function chain(sessions: number): string[] {
  const texts: string[] = [];
  const add = (what: object) => {
    const last = texts.at(-1);
    texts.push(
      JSON.stringify({ seq: texts.length + 1, prev: last === undefined ? null : hashOf(last), ...what }),
    );
  };
  for (let i = 0; i < sessions; i++) {
    add({ sid: `s${i}`, ...CREATED });
    add({ sid: `s${i}`, ...ENDED });
  }
  return texts;
}

describe('the history of sessions', () => {
  test('is good as it was written, and tells of each session', async () => {
    const texts = chain(3);
    const { entries, head } = await checkHistory(webCrypto, texts);
    assert.deepEqual(head, { seq: 6, hash: hashOf(texts[5]!) });
    assert.deepEqual(
      sessionRecords(entries).map(({ created, ended }) => [created.sid, ended?.outcome]),
      [
        ['s0', 'authenticated'],
        ['s1', 'authenticated'],
        ['s2', 'authenticated'],
      ],
    );
    assert.deepEqual(await checkHistory(webCrypto, []), { entries: [] });
  });

  test('shows that any entry but the newest was altered, left out, put in or moved', async () => {
    const texts = chain(3);
    await fc.assert(
      fc.asyncProperty(fc.nat(4), fc.constantFrom('alter', 'drop', 'double', 'swap'), async (at, how) => {
        const tampered =
          how === 'alter'
            ? texts.with(at, texts[at]!.replace('1800000', '1800001'))
            : how === 'drop'
              ? texts.toSpliced(at, 1)
              : how === 'double'
                ? texts.toSpliced(at, 0, texts[at]!)
                : texts.with(at, texts[at + 1]!).with(at + 1, texts[at]!);
        await assert.rejects(checkHistory(webCrypto, tampered), refused('history-invalid'));
      }),
    );
  });

  test('shows by a head that was kept that the newest was altered, or the end cut off', async () => {
    const texts = chain(2);
    const { head } = await checkHistory(webCrypto, texts);
    const altered = texts.with(3, texts[3]!.replace('authenticated', 'expired'));
    await assert.rejects(checkHistory(webCrypto, altered, head), refused('history-invalid'));
    await assert.rejects(checkHistory(webCrypto, texts.slice(0, 2), head), refused('history-invalid'));
    await checkHistory(webCrypto, [...texts], { seq: 2, hash: hashOf(texts[1]!) });
  });

  test('is not good where a line is none', async () => {
    for (const text of ['', '{}', 'null', '{"seq":1,"prev":null,"event":"other"}'])
      await assert.rejects(checkHistory(webCrypto, [text]), refused('history-invalid'));
  });
});

describe('a table for spreadsheets', () => {
  test('keeps commas, quotes and lines inside their cells', () => {
    assert.equal(
      formatCsv([
        ['a', 'b,c'],
        ['say "yes"', 'two\nlines'],
      ]),
      '"a","b,c"\r\n"say ""yes""","two\nlines"\r\n',
    );
  });

  test('holds no formula', () => {
    for (const text of ['=1+1', '+1', '-1', '@SUM(A1)', '\t=1', '\r=1', ' =1', '\uff1d1', '\n=1'])
      assert.equal(formatCsv([[text]]), `"'${text}"\r\n`);
    assert.equal(formatCsv([[-5]]), '"-5"\r\n');
  });
});
