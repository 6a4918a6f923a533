import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { drawRecoveryCode, RECOVERY_KEY, readRecoveryCode } from '../src/recovery-code.ts';
import { deriveSigner, webCrypto } from '../src/webcrypto.ts';
import { refused } from './refused.ts';

const LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';
const read = (typed: string) => readRecoveryCode(webCrypto, typed);

/** The code of a secret, which is all that the draw draws. */
const codeOf = (secret: Uint8Array<ArrayBuffer>) =>
  drawRecoveryCode({ ...webCrypto, randomBytes: () => secret });

describe('a recovery code', () => {
  test('holds 128 random bits in seven groups of four letters, and gives them back', async () => {
    for (let i = 0; i < 20; i++) {
      const secret = webCrypto.randomBytes(16);
      const code = await codeOf(secret);
      assert.match(code, /^(?:[A-Z2-7]{4}-){6}[A-Z2-7]{4}$/);
      assert.deepEqual(await read(code), secret);
    }
  });

  test('is taken in any case and any groups', async () => {
    const secret = webCrypto.randomBytes(16);
    const code = await codeOf(secret);
    for (const typed of [code.toLowerCase(), code.replaceAll('-', ''), ` ${code.replaceAll('-', ' ')}\n`]) {
      assert.deepEqual(await read(typed), secret);
    }
  });

  test('with a letter mistyped is caught, at whatever place, but for one time in four thousand', async () => {
    const code = (await codeOf(new Uint8Array(16).fill(7))).replaceAll('-', '');
    let [tried, missed] = [0, 0];
    for (let place = 0; place < code.length; place++) {
      for (const letter of LETTERS) {
        if (letter === code[place]) continue;
        tried++;
        const found = read(code.slice(0, place) + letter + code.slice(place + 1));
        await found.then(() => missed++, refused('recovery-invalid'));
      }
    }
    assert.equal(tried, 28 * 31);
    assert.ok(missed <= 1, `${missed} of ${tried} were missed`);
  });

  test('with two neighbours exchanged is caught', async () => {
    const code = (await codeOf(new Uint8Array(16).map((_, i) => i * 31))).replaceAll('-', '');
    for (let i = 0; i + 1 < code.length; i++) {
      if (code[i] === code[i + 1]) continue;
      const swapped = code.slice(0, i) + code[i + 1] + code[i] + code.slice(i + 2);
      await assert.rejects(read(swapped), refused('recovery-invalid'), swapped);
    }
  });

  test('too short, too long, or of other letters is none', async () => {
    const code = await codeOf(webCrypto.randomBytes(16));
    for (const typed of ['', code.slice(1), `${code}A`, `${code.slice(0, -1)}1`, `${code.slice(0, -1)}é`]) {
      await assert.rejects(read(typed), refused('recovery-invalid'), typed);
    }
  });

  test('makes one key, always the same, and another code another', async () => {
    const key = async (code: string) => (await deriveSigner(await read(code), RECOVERY_KEY)).publicKey;
    const code = await codeOf(new Uint8Array(16));
    assert.deepEqual(await key(code), await key(code.toLowerCase()));
    assert.notDeepEqual(await key(code), await key(await codeOf(new Uint8Array(16).fill(1))));
  });
});
