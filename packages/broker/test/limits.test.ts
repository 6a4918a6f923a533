import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { CountersignError, type ErrorCode } from '@countersign/core';
import fc from 'fast-check';
import {
  afterAnswer,
  afterFraud,
  afterIgnored,
  judgeGrowth,
  judgePost,
  LONGEST_PAUSE,
  MAX_LOG_CHARACTERS,
  MAX_LOG_ENTRIES,
  MAX_PER_HOUR,
  MAX_PER_MINUTE,
  STRANGER,
  type Standing,
} from '../src/limits.ts';

const FRIEND: Standing = { ...STRANGER, policy: 'allow' };
const NOBODY = { own: 0, strangers: 0 };

function codeOf(work: () => unknown): ErrorCode | undefined {
  try {
    work();
    return undefined;
  } catch (error) {
    assert.ok(error instanceof CountersignError);
    return error.code;
  }
}

describe('limits', () => {
  test('whatever the times of posting, no minute has more than five and no hour more than twenty', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 600 }), { maxLength: 120 }), (gaps) => {
        let standing = FRIEND;
        let now = 10_000;
        const posted: number[] = [];
        for (const gap of gaps) {
          now += gap;
          try {
            standing = judgePost(standing, NOBODY, now).next;
            posted.push(now);
          } catch (error) {
            assert.equal((error as CountersignError).code, 'too-often');
            assert.ok((error as CountersignError).retryAfter! > 0);
          }
        }
        for (const end of posted) {
          assert.ok(posted.filter((time) => time > end - 60 && time <= end).length <= MAX_PER_MINUTE);
          assert.ok(posted.filter((time) => time > end - 3600 && time <= end).length <= MAX_PER_HOUR);
        }
        assert.ok(standing.recent.length <= MAX_PER_HOUR, 'what is kept does not grow');
      }),
    );
  });

  test('whoever waits as long as told may post', () => {
    let standing = FRIEND;
    let now = 1000;
    for (let i = 0; i < 60; i++) {
      try {
        standing = judgePost(standing, NOBODY, now).next;
      } catch (error) {
        now += (error as CountersignError).retryAfter!;
        standing = judgePost(standing, NOBODY, now).next;
      }
    }
  });

  test('a pause doubles with each ignored question up to an hour, and an answer ends the row', () => {
    let standing = FRIEND;
    const pauses: number[] = [];
    for (let i = 0; i < 14; i++) {
      standing = afterIgnored(standing, 0);
      pauses.push(standing.pausedUntil);
    }
    assert.deepEqual(pauses.slice(0, 4), [5, 10, 20, 40]);
    assert.equal(pauses.at(-1), LONGEST_PAUSE);
    assert.equal(afterIgnored(afterAnswer(standing), 4000).pausedUntil, 4005);
  });

  test('a fraud report pauses, and an answer does not lift it', () => {
    const reported = afterAnswer(afterFraud(FRIEND, 100));
    assert.equal(
      codeOf(() => judgePost(reported, NOBODY, 101)),
      'too-often',
    );
    assert.equal(
      codeOf(() => judgePost(reported, NOBODY, 3701)),
      undefined,
    );
  });

  test('the blocked, the waiting and the crowd are told apart', () => {
    assert.equal(
      codeOf(() => judgePost({ ...FRIEND, policy: 'block' }, NOBODY, 0)),
      'not-permitted',
    );
    assert.equal(
      codeOf(() => judgePost(STRANGER, { own: 1, strangers: 1 }, 0)),
      'contact-held',
    );
    assert.equal(
      codeOf(() => judgePost(STRANGER, { own: 0, strangers: 10 }, 0)),
      'too-many-pending',
    );
    assert.equal(
      codeOf(() => judgePost(FRIEND, { own: 3, strangers: 0 }, 0)),
      'too-many-pending',
    );
    assert.equal(judgePost(STRANGER, NOBODY, 0).held, true);
    assert.equal(judgePost(FRIEND, { own: 2, strangers: 10 }, 0).held, false);
  });
});

test('a log ends, and devices can be shown out of a full one', () => {
  const log = (entries: number, length: number) => Array.from({ length: entries }, () => 'x'.repeat(length));
  assert.equal(
    codeOf(() => judgeGrowth(log(1000, 1500), false)),
    undefined,
  );
  assert.equal(
    codeOf(() => judgeGrowth(log(MAX_LOG_ENTRIES, 1500), false)),
    'log-full',
  );
  assert.equal(
    codeOf(() => judgeGrowth(log(MAX_LOG_ENTRIES, 1500), true)),
    undefined,
  );
  assert.equal(
    codeOf(() => judgeGrowth(log(MAX_LOG_ENTRIES + 1, 1500), true)),
    'log-full',
  );
  assert.equal(
    codeOf(() => judgeGrowth(log(100, MAX_LOG_CHARACTERS / 100), false)),
    'log-full',
  );
});
