/** What is typed as an argument is read, or is said to be not understood. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CountersignError, drawRecoveryCode, RIGHTS } from '@countersign/core';
import { webCrypto } from '@countersign/core/webcrypto';
import { InvalidArgumentError } from 'commander';
import fc from 'fast-check';
import { duration, durationWithin, rights } from '../src/arguments.ts';
import { joinShares, splitCode } from '../src/recovery-shares.ts';

function understood<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    assert.ok(error instanceof InvalidArgumentError, `${error}`);
    return undefined;
  }
}

test('a time is whole seconds from 1, in any unit; all else is not understood', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 10_000 }), (n) => {
      assert.deepEqual([`${n}s`, `${n}m`, `${n}h`].map(duration), [n, n * 60, n * 3600]);
    }),
  );
  const typed = fc.oneof(fc.string({ maxLength: 200 }), fc.stringMatching(/^-?\d{1,120} ?[a-z]{0,7}$/));
  fc.assert(
    fc.property(typed, (text) => {
      const seconds = understood(() => duration(text));
      assert.ok(seconds === undefined || (Number.isSafeInteger(seconds) && seconds >= 1), String(seconds));
    }),
  );
  for (const longest of ['1'.repeat(120), '400000000y', '9007199254740992s']) {
    assert.equal(
      understood(() => duration(longest)),
      undefined,
      longest,
    );
  }
  const day = durationWithin(60, 86_400);
  assert.deepEqual(
    ['59s', '1m', '24h', '25h'].map((text) => understood(() => day(text))),
    [undefined, 60, 86_400, undefined],
  );
});

test('rights are those that there are, each once', () => {
  fc.assert(
    fc.property(fc.array(fc.constantFrom(...RIGHTS), { minLength: 1 }), (named) => {
      assert.deepEqual(rights(named.join(', ')), [...new Set(named)]);
    }),
  );
  fc.assert(
    fc.property(fc.string(), (text) => {
      const read = understood(() => rights(text)) ?? [];
      assert.ok(read.every((right) => RIGHTS.includes(right)));
    }),
  );
});

test('so many shares make the code again, in any case and order; one that is mistyped is refused', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 2, max: 4 }),
      fc.nat(31),
      fc.string({ maxLength: 40 }),
      async (n, at, text) => {
        const code = await drawRecoveryCode(webCrypto);
        const shares = await splitCode(webCrypto, code, n + 1, n);
        assert.equal(await joinShares(webCrypto, shares.slice(1).reverse()), code);
        assert.equal(
          await joinShares(
            webCrypto,
            shares.slice(1).map((one) => one.toLowerCase()),
          ),
          code,
        );
        const [first, ...rest] = shares as [string, ...string[]];
        const letters = first.replaceAll('-', '');
        const slip = letters.slice(0, at) + (letters[at] === 'A' ? 'B' : 'A') + letters.slice(at + 1);
        for (const wrong of [slip, text]) {
          const joined = joinShares(webCrypto, [wrong, ...rest]);
          await assert.rejects(
            joined,
            (error) => error instanceof CountersignError && error.code === 'recovery-invalid',
          );
        }
      },
    ),
    { numRuns: 20 },
  );
});
