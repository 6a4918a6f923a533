import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import * as v from 'valibot';
import {
  checkPasscode,
  commitPasscode,
  generatePasscode,
  normalizePasscode,
  PasscodeCommitment,
} from '../src/passcode.ts';
import { webCrypto } from '../src/webcrypto.ts';
import { commitQuickly } from './fixtures.ts';
import { RUNS } from './runs.ts';

describe('a new passcode', () => {
  test('has six digits', () => {
    for (let i = 0; i < 1000; i++) assert.match(generatePasscode(webCrypto), /^\d{6}$/);
  });

  test('has each digit in each place equally often', () => {
    const draws = 20_000;
    const counts = Array.from({ length: 6 }, () => new Array<number>(10).fill(0));
    for (let i = 0; i < draws; i++) {
      for (const [place, digit] of [...generatePasscode(webCrypto)].entries()) {
        counts[place]![Number(digit)]!++;
      }
    }
    for (const place of counts) {
      const expected = draws / 10;
      const chiSquare = place.reduce((sum, n) => sum + (n - expected) ** 2 / expected, 0);
      // 9 degrees of freedom: beyond 50 once in ten million
      assert.ok(chiSquare < 50, `chi-square ${chiSquare}`);
    }
  });

  test('is drawn again where the draw would favour small numbers', () => {
    const drawn = [0xffff_ffff, 4_294_000_000, 4_293_999_999, 7];
    const crypto = {
      ...webCrypto,
      randomBytes() {
        const bytes = new Uint8Array(4);
        new DataView(bytes.buffer).setUint32(0, drawn.shift()!);
        return bytes;
      },
    };
    assert.equal(generatePasscode(crypto), '999999');
    assert.equal(generatePasscode(crypto), '000007');
  });
});

describe('a commitment', () => {
  test('is kept by the passcode and by no other', async () => {
    const commitment = await commitPasscode(webCrypto, '042042');
    assert.ok(v.is(PasscodeCommitment, commitment));
    assert.equal(await checkPasscode(webCrypto, commitment, '042042'), true);
    assert.equal(await checkPasscode(webCrypto, commitment, '042043'), false);
    assert.equal(await checkPasscode(webCrypto, commitment, ''), false);
  });

  test('costs 19 MiB and two passes to try one passcode', async () => {
    const { m, t, p } = await commitPasscode(webCrypto, '042042');
    assert.deepEqual({ m, t, p }, { m: 19_456, t: 2, p: 1 });
  });

  test('to the same passcode is another one each time', async () => {
    const [one, two] = [await commitPasscode(webCrypto, '042042'), await commitPasscode(webCrypto, '042042')];
    assert.notEqual(one.salt, two.salt);
    assert.notEqual(one.hash, two.hash);
  });

  test('is kept by just one of any two passcodes', async () => {
    const digits = fc.nat(999_999).map((n) => String(n).padStart(6, '0'));
    await fc.assert(
      fc.asyncProperty(digits, digits, async (one, two) => {
        const commitment = await commitQuickly(one);
        assert.equal(await checkPasscode(webCrypto, commitment, one), true);
        assert.equal(await checkPasscode(webCrypto, commitment, two), one === two);
      }),
      RUNS,
    );
  });

  test('is kept by a passcode typed with spaces and dashes', async () => {
    const commitment = await commitQuickly('042042');
    for (const typed of ['042 042', '042-042', ' 0 4 2 0 4 2\n']) {
      assert.equal(normalizePasscode(typed), '042042');
      assert.equal(await checkPasscode(webCrypto, commitment, typed), true);
    }
  });

  test('with parameters that Argon2id has not, or that would stop a device, is refused', async () => {
    const good = await commitQuickly('042042');
    for (const changed of [
      { alg: 'argon2i' },
      { m: 7 },
      { m: 8, p: 2 },
      { m: 1_048_577 },
      { m: 8.5 },
      { t: 0 },
      { t: 17 },
      { m: 65_536, t: 3 },
      { p: 0 },
      { p: 17 },
      { salt: '' },
      { salt: 'A'.repeat(21) },
      { salt: `${'A'.repeat(21)}B` },
      { hash: 'A'.repeat(42) },
      { hash: `${'A'.repeat(42)}B` },
      { more: 1 },
    ]) {
      assert.equal(v.is(PasscodeCommitment, { ...good, ...changed }), false, JSON.stringify(changed));
    }
  });
});
