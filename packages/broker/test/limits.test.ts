import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { CountersignError, counts, type Device, type ErrorCode, MAX_DEVICES } from '@countersign/core';
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

describe('a log', () => {
  const none = new Map<string, Device>();
  const log = (entries: number, length: number, devices = none) => ({
    entries: Array.from({ length: entries }, () => 'x'.repeat(length)),
    devices,
  });
  const device = (kid: string, more: Partial<Device> = {}) => ({ kid, ...more }) as Device;
  const at = { seq: 1, iat: 1 };

  test('ends, and its last part is kept for recoveries', () => {
    const judge = (entries: number, length: number, recovers = false) =>
      codeOf(() => judgeGrowth(undefined, log(entries, length), recovers));
    assert.equal(judge(1000, 1500), undefined);
    assert.equal(judge(MAX_LOG_ENTRIES, 1500), 'log-full');
    assert.equal(judge(MAX_LOG_ENTRIES, 1500, true), undefined);
    assert.equal(judge(MAX_LOG_ENTRIES + 1, 1500, true), 'log-full');
    assert.equal(judge(100, MAX_LOG_CHARACTERS / 100), 'log-full');
    assert.equal(judge(100, MAX_LOG_CHARACTERS / 100, true), undefined);
  });

  test('that is full lets each device be stopped and shown out, with new epochs, and nothing else', () => {
    const kids = Array.from({ length: MAX_DEVICES }, (_, i) => `device ${i}`);
    fc.assert(
      fc.property(
        fc.array(fc.record({ kid: fc.constantFrom(...kids), out: fc.boolean() }), { maxLength: 100 }),
        fc.boolean(),
        (steps, byCharacters) => {
          const devices = new Map(kids.map((kid) => [kid, device(kid)]));
          let now = log(byCharacters ? 100 : MAX_LOG_ENTRIES, 1, devices);
          const fits = () => codeOf(() => judgeGrowth(undefined, now, false)) === undefined;
          while (!fits()) now = { ...now, entries: now.entries.slice(1) };
          while (byCharacters && fits()) now = { ...now, entries: [...now.entries, 'x'.repeat(1000)] };
          if (byCharacters) now = { ...now, entries: now.entries.slice(1) };
          const grown = (entry: string[], changed = now.devices) => ({
            entries: [...now.entries, ...entry],
            devices: changed,
          });
          for (const { kid, out } of steps) {
            const before = now.devices.get(kid)!;
            if (before.revokedAt !== undefined || (!out && before.freezes !== undefined)) continue;
            const after = device(kid, out ? { revokedAt: { ...at, reason: 'lost' } } : { freezes: [at] });
            const changed = new Map([...now.devices, [kid, after]]);
            const counting = [...changed.values()].filter(counts).length;
            const next = grown(['x'.repeat(1200), 'x'.repeat(1200 + 450 * counting)], changed);
            judgeGrowth(now, next, false);
            now = next;
            assert.ok(now.entries.length <= MAX_LOG_ENTRIES);
            // Who is gone leaves what was kept to stop them.
            if (byCharacters || [...changed.values()].some(({ revokedAt }) => revokedAt)) continue;
            const thawed = new Map([...now.devices, [kid, device(kid)]]);
            assert.equal(
              codeOf(() => judgeGrowth(now, grown(['x'], thawed), false)),
              'log-full',
            );
          }
        },
      ),
      { numRuns: 30 },
    );
  });
});
