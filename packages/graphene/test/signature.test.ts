import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { sha256 } from '@noble/hashes/sha2.js';
import fc from 'fast-check';
import { refused } from '../../core/test/refused.ts';
import { RUNS } from '../../core/test/runs.ts';
import { privateKeyFromBytes } from '../src/keys.ts';
import { recoverKey, signDigest } from '../src/signature.ts';
import { oracleSign, oracleVerifies } from './oracle.ts';

const digests = fc.uint8Array({ minLength: 32, maxLength: 32 });
const keys = digests
  .filter((bytes) => bytes.some((byte) => byte > 0) && bytes[0]! < 0xff)
  .map(privateKeyFromBytes);
/** One signature of bitsharesjs costs tens of milliseconds. */
const few = { numRuns: Math.ceil(RUNS.numRuns / 5) };

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}

describe('a signature', () => {
  test('of ours is good for bitsharesjs, and one of its is good for us', () => {
    fc.assert(
      fc.property(digests, keys, (digest, key) => {
        assert.ok(oracleVerifies(digest, signDigest(digest, key), key.publicKey));
        assert.equal(hex(recoverKey(digest, oracleSign(digest, key.bytes))), hex(key.publicKey));
      }),
      few,
    );
  });

  test('has r and s that DER writes in 32 bytes, and a header for a compressed key', () => {
    fc.assert(
      fc.property(digests, keys, (digest, key) => {
        const bytes = Buffer.from(signDigest(digest, key), 'hex');
        assert.equal(bytes.length, 65);
        assert.ok(bytes[0]! >= 31 && bytes[0]! <= 34);
        for (const number of [bytes.subarray(1, 33), bytes.subarray(33)]) {
          assert.equal(derLength(number), 32);
        }
      }),
      RUNS,
    );
  });

  test('is the same each time, and gives back the key that made it', () => {
    fc.assert(
      fc.property(digests, keys, (digest, key) => {
        const signature = signDigest(digest, key);
        assert.equal(signDigest(digest, key), signature);
        assert.equal(hex(recoverKey(digest, signature)), hex(key.publicKey));
      }),
      few,
    );
  });

  test('with any one bit changed is refused, or is by another key', () => {
    const key = privateKeyFromBytes(sha256(Uint8Array.of(1)));
    const digest = sha256(Uint8Array.of(2));
    const good = Buffer.from(signDigest(digest, key), 'hex');
    for (let bit = 0; bit < good.length * 8; bit++) {
      const bad = Buffer.from(good);
      bad[bit >> 3]! ^= 1 << (bit & 7);
      let by: string | undefined;
      try {
        by = hex(recoverKey(digest, bad.toString('hex')));
      } catch (error) {
        refused('signature-invalid')(error);
      }
      assert.notEqual(by, hex(key.publicKey));
    }
  });

  test('that is high in s, or too short for DER, is refused', () => {
    const key = privateKeyFromBytes(sha256(Uint8Array.of(3)));
    const digest = sha256(Uint8Array.of(4));
    const order = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n;
    const good = signDigest(digest, key);
    const high = (order - BigInt(`0x${good.slice(66)}`)).toString(16).padStart(64, '0');
    const header = (Number.parseInt(good.slice(0, 2), 16) ^ 1).toString(16);
    assert.throws(() => recoverKey(digest, header + good.slice(2, 66) + high), refused('signature-invalid'));
    const short = `${good.slice(0, 2)}0001${'11'.repeat(30)}${good.slice(66)}`;
    assert.throws(() => recoverKey(digest, short), refused('signature-invalid'));
    for (const other of ['', 'zz', good.slice(2), `${good}00`, `1b${good.slice(2)}`, `23${good.slice(2)}`]) {
      assert.throws(() => recoverKey(digest, other), refused('signature-invalid'));
    }
  });
});

/** Bytes of a number in DER: no leading zeros but one before a high bit. */
function derLength(number: Uint8Array): number {
  const value = Buffer.from(number)
    .toString('hex')
    .replace(/^(?:00)+/, '');
  return value.length / 2 + (Number.parseInt(value.slice(0, 2), 16) >= 0x80 ? 1 : 0);
}
