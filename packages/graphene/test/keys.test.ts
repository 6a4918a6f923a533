import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { PrivateKey, PublicKey } from 'bitsharesjs';
import fc from 'fast-check';
import { refused } from '../../core/test/refused.ts';
import { RUNS } from '../../core/test/runs.ts';
import {
  formatAddress,
  formatPublicKey,
  formatWif,
  isPoint,
  keyAddress,
  newPrivateKey,
  parsePublicKey,
  parseWif,
  privateKeyFromBytes,
} from '../src/keys.ts';

/** A key that stands in the chain's own documents. */
const KNOWN_WIF = '5KQwrPbwdL6PhXujxW37FSSQZ1JiwsST4cqQzDeyXtP79zkvFD3';
const KNOWN_PUBLIC = 'BTS6MRyAjQq8ud7hVNYcfnVPJqcVpscN5So8BhtHuGYqET5GDW5CV';
const NULL_KEY = 'BTS1111111111111111111111111111111114T1Anm';

const secrets = fc
  .uint8Array({ minLength: 32, maxLength: 32 })
  .filter((bytes) => bytes.some((byte) => byte > 0) && bytes[0]! < 0xff);

describe('keys in text', () => {
  test('the key of the test networks reads and writes as everywhere', () => {
    const key = parseWif(KNOWN_WIF);
    assert.equal(formatPublicKey(key.publicKey, 'BTS'), KNOWN_PUBLIC);
    assert.equal(formatWif(key), KNOWN_WIF);
  });

  test('agree with bitsharesjs under any prefix, both ways', () => {
    fc.assert(
      fc.property(secrets, fc.constantFrom('BTS', 'TEST', 'GPH', 'PPY', 'X1'), (bytes, prefix) => {
        const ours = privateKeyFromBytes(bytes);
        const theirs = PrivateKey.fromBuffer(Buffer.from(bytes));
        const text = theirs.toPublicKey().toPublicKeyString(prefix);
        assert.equal(formatPublicKey(ours.publicKey, prefix), text);
        assert.deepEqual(parsePublicKey(text, prefix), ours.publicKey);
        assert.equal(PublicKey.fromStringOrThrow(text, prefix).toPublicKeyString(prefix), text);
        assert.equal(
          formatAddress(keyAddress(ours.publicKey), prefix),
          theirs.toPublicKey().toAddressString(prefix),
        );
        assert.equal(formatWif(ours), theirs.toWif());
        assert.deepEqual(parseWif(theirs.toWif()).bytes, ours.bytes);
      }),
      { numRuns: Math.ceil(RUNS.numRuns / 2) },
    );
  });

  test('with any one character changed are refused', () => {
    for (const [text, parse] of [
      [KNOWN_PUBLIC, (changed: string) => parsePublicKey(changed, 'BTS')],
      [KNOWN_WIF, parseWif],
    ] as const) {
      for (let i = 0; i < text.length; i++) {
        const other = text[i] === 'z' ? 'y' : 'z';
        assert.throws(() => parse(text.slice(0, i) + other + text.slice(i + 1)), refused('key-invalid'));
      }
    }
  });

  test('of another chain, too long, too short or in no Base58 are refused', () => {
    for (const text of [
      '',
      'BTS',
      KNOWN_PUBLIC.slice(3),
      `TEST${KNOWN_PUBLIC.slice(3)}`,
      `${KNOWN_PUBLIC}1`,
    ]) {
      assert.throws(() => parsePublicKey(text, 'BTS'), refused('key-invalid'));
    }
    assert.throws(() => parsePublicKey(`BTS${'1'.repeat(10_000)}`, 'BTS'), refused('key-invalid'));
    assert.throws(() => parsePublicKey(`BTS0OIl${KNOWN_PUBLIC.slice(7)}`, 'BTS'), refused('key-invalid'));
    assert.throws(() => parseWif(KNOWN_PUBLIC), refused('key-invalid'));
  });

  test("nobody's key reads as on the chain, and is no point", () => {
    const bytes = parsePublicKey(NULL_KEY, 'BTS');
    assert.deepEqual(bytes, new Uint8Array(33));
    assert.equal(formatPublicKey(bytes, 'BTS'), NULL_KEY);
    assert.equal(isPoint(bytes), false);
    assert.equal(isPoint(newPrivateKey().publicKey), true);
  });

  test('a private key of zero, or beyond the order of the curve, is refused', () => {
    for (const bytes of [new Uint8Array(32), new Uint8Array(32).fill(0xff), new Uint8Array(31).fill(1)]) {
      assert.throws(() => privateKeyFromBytes(bytes), refused('key-invalid'));
    }
  });
});
