import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { cbc } from '@noble/ciphers/aes.js';
import { Aes, PrivateKey, PublicKey } from 'bitsharesjs';
import fc from 'fast-check';
import { RUNS } from '../../core/test/runs.ts';
import { newPrivateKey, privateKeyFromBytes } from '../src/keys.ts';
import {
  memoReader,
  memoSecret,
  memoShared,
  openMemo,
  openSharedMemo,
  readMemo,
  readPlainMemo,
  sealMemo,
} from '../src/memo.ts';

const alice = privateKeyFromBytes(new Uint8Array(32).fill(3));
const bob = privateKeyFromBytes(new Uint8Array(32).fill(4));
const theirs = (key: typeof alice) => PrivateKey.fromBuffer(Buffer.from(key.bytes));
const theirPublic = (key: typeof alice) => PublicKey.fromBuffer(Buffer.from(key.publicKey));
const texts = fc.string({ unit: 'grapheme', maxLength: 60 });
const nonces = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n });
const few = { numRuns: Math.ceil(RUNS.numRuns / 2) };

describe('a memo', () => {
  test('agrees with bitsharesjs both ways', () => {
    fc.assert(
      fc.property(texts, nonces, (text, nonce) => {
        const memo = sealMemo(text, alice, bob.publicKey, 'BTS', nonce);
        const message = Buffer.from(text, 'utf8');
        const encrypted = Aes.encrypt_with_checksum(theirs(alice), theirPublic(bob), String(nonce), message);
        assert.equal(memo.message, encrypted.toString('hex'));
        const opened = Aes.decrypt_with_checksum(
          theirs(bob),
          theirPublic(alice),
          String(nonce),
          memo.message,
        );
        assert.equal(opened.toString('utf8'), text);
      }),
      few,
    );
  });

  test('is read by the holder of either key, and by nobody else', () => {
    const memo = sealMemo('for the rent', alice, bob.publicKey, 'BTS');
    assert.equal(readMemo(memo, alice, 'BTS'), 'for the rent');
    assert.equal(readMemo(memo, bob, 'BTS'), 'for the rent');
    assert.equal(readMemo(memo, newPrivateKey(), 'BTS'), undefined);
  });

  test('is opened by its own secret, and by that of no other memo', () => {
    const memo = sealMemo('one', alice, bob.publicKey, 'BTS', 1n);
    assert.equal(openMemo(memo, memoSecret(bob, alice.publicKey, 1n)), 'one');
    assert.equal(openMemo(memo, memoSecret(bob, alice.publicKey, 2n)), undefined);
  });

  test('that was changed, or is no whole block, is not read', () => {
    const memo = sealMemo('for the rent', alice, bob.publicKey, 'BTS');
    const changed = `${memo.message.slice(0, 2) === 'ff' ? '00' : 'ff'}${memo.message.slice(2)}`;
    for (const message of ['', 'ab', memo.message.slice(2), changed]) {
      assert.equal(readMemo({ ...memo, message }, bob, 'BTS'), undefined);
    }
  });

  test('to oneself is read', () => {
    assert.equal(readMemo(sealMemo('note', alice, alice.publicKey, 'BTS'), alice, 'BTS'), 'note');
  });

  test('between keys of nobody is in clear', () => {
    const nobody = 'BTS1111111111111111111111111111111114T1Anm';
    const message = `2cf24dba${Buffer.from('hello').toString('hex')}`;
    const memo = { from: nobody, to: nobody, nonce: 0n, message };
    assert.equal(readPlainMemo(memo, 'BTS'), 'hello');
    assert.equal(readPlainMemo({ ...memo, message: `00${message.slice(2)}` }, 'BTS'), undefined);
    assert.equal(readPlainMemo(sealMemo('x', alice, bob.publicKey, 'BTS'), 'BTS'), undefined);
  });

  test('is opened by what its keys share, as bitsharesjs reckons it, and by what no others share', () => {
    fc.assert(
      fc.property(texts, nonces, (text, nonce) => {
        const shared = theirs(alice).get_shared_secret(theirPublic(bob));
        assert.deepEqual(new Uint8Array(shared), memoShared(alice, bob.publicKey));
        const message = Aes.encrypt_with_checksum(
          theirs(alice),
          theirPublic(bob),
          String(nonce),
          Buffer.from(text, 'utf8'),
        );
        const memo = {
          ...sealMemo('', alice, bob.publicKey, 'BTS', nonce),
          message: message.toString('hex'),
        };
        assert.equal(openSharedMemo(memo, shared), text);
        assert.equal(openSharedMemo({ ...memo, nonce: nonce ^ 1n }, shared), undefined);
        assert.equal(openSharedMemo(memo, memoShared(newPrivateKey(), bob.publicKey)), undefined);
      }),
      few,
    );
  });

  test('of one block can be made to say anything by its secret alone, and not by what its keys share', () => {
    const memo = sealMemo('to alice', alice, bob.publicKey, 'BTS', 7n);
    // Whoever hands over key and start of the chaining chooses the start so that their own text comes out.
    const lie = sealMemo('to mallet', alice, bob.publicKey, 'BTS', 7n);
    const key = newPrivateKey().bytes;
    const block = (hex: string) => Uint8Array.from(Buffer.from(hex, 'hex'));
    const raw = (bytes: Uint8Array) => cbc(key, new Uint8Array(16), { disablePadding: true }).decrypt(bytes);
    const wanted = cbc(
      memoSecret(alice, bob.publicKey, 7n).subarray(0, 32),
      memoSecret(alice, bob.publicKey, 7n).subarray(32, 48),
      { disablePadding: true },
    ).decrypt(block(lie.message));
    const start = raw(block(memo.message)).map((byte, at) => byte ^ wanted[at]!);
    const forged = Uint8Array.from([...key, ...start, ...new Uint8Array(16)]);
    assert.equal(openMemo(memo, forged), 'to mallet');
    assert.equal(openSharedMemo(memo, forged), undefined);
    assert.equal(openSharedMemo(memo, memoShared(alice, bob.publicKey)), 'to alice');
  });

  test('is read by the one of several secrets that is its own, which is told', () => {
    const memo = sealMemo('one', alice, bob.publicKey, 'BTS', 1n);
    const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');
    const secrets = [hex(memoShared(newPrivateKey(), bob.publicKey)), hex(memoShared(bob, alice.publicKey))];
    const used: string[] = [];
    assert.equal(memoReader(secrets, (one) => used.push(one))(memo), 'one');
    assert.deepEqual(used, [secrets[1]]);
    assert.equal(memoReader(secrets.slice(0, 1))(memo), undefined);
  });
});
