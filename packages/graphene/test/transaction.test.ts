import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { refused } from '../../core/test/refused.ts';
import { RUNS } from '../../core/test/runs.ts';
import { BITSHARES, type Chain } from '../src/chain.ts';
import { MAX_NESTING } from '../src/codec.ts';
import { privateKeyFromBytes } from '../src/keys.ts';
import { recoverKey, signDigest } from '../src/signature.ts';
import {
  decodeTransaction,
  encodeTransaction,
  parseSignedTransaction,
  parseTransaction,
  transactionDigest,
  transactionId,
  transactionToJson,
} from '../src/transaction.ts';

const KEY = 'BTS6MRyAjQq8ud7hVNYcfnVPJqcVpscN5So8BhtHuGYqET5GDW5CV';
const OTHER_KEY = 'BTS73MTSWz2Nks4Eaf8G8F7Nr6jbHorZSM774HFmtrdEuahXqi1ff';
const fee = { amount: 10, asset_id: '1.3.0' };
const nobody = { weight_threshold: 1, account_auths: [], key_auths: [], address_auths: [] };

function transfer(changes: Record<string, unknown> = {}): [number, Record<string, unknown>] {
  const amount = { amount: '9007199254740993', asset_id: '1.3.0' };
  return [0, { fee, from: '1.2.17', to: '1.2.18', amount, extensions: [], ...changes }];
}

function around(...operations: unknown[]): Record<string, unknown> {
  return {
    ref_block_num: 1,
    ref_block_prefix: 2,
    expiration: '2026-11-21T10:00:00',
    operations,
    extensions: [],
  };
}

function update(active: Record<string, unknown>): unknown {
  return around([6, { fee, account: '1.2.17', active: { ...nobody, ...active }, extensions: {} }]);
}

const parse = (json: unknown) => parseTransaction(json, BITSHARES);
const malformed = (place: RegExp) => (error: Error) => {
  refused('transaction-invalid')(error);
  assert.match(error.message, place);
  return true;
};

describe("a transaction in the chain's JSON", () => {
  test('keeps amounts beyond 2^53 exactly', () => {
    const [operation] = parse(around(transfer())).operations;
    assert.equal(operation?.name === 'transfer' && operation.value.amount.amount, 9007199254740993n);
    assert.deepEqual(transactionToJson(parse(around(transfer()))), around(transfer()));
  });

  test('is signed in the order of the chain, whatever order the wallet wrote', () => {
    const accounts = [
      ['1.2.100', 1],
      ['1.2.9', 2],
    ];
    const keys = [
      [KEY, 1],
      [OTHER_KEY, 1],
    ];
    const one = parse(update({ account_auths: accounts, key_auths: keys }));
    const two = parse(update({ account_auths: accounts.toReversed(), key_auths: keys.toReversed() }));
    assert.deepEqual(one, two);
    const [operation] = one.operations;
    assert.deepEqual(operation?.name === 'account_update' && operation.value.active?.account_auths[0], [
      '1.2.9',
      2,
    ]);
  });

  const cases: [string, unknown, RegExp][] = [
    ['no object', 'transaction', /an object is meant/],
    ['a field that is not known', { ...around(transfer()), memo: 'x' }, /^memo: unknown/],
    [
      'a field of an operation that is not known',
      around(transfer({ note: 'x' })),
      /operations\[0\]\.transfer\.note: unknown/,
    ],
    ['a field that is missing', around([0, { fee }]), /operations\[0\]\.transfer\.from: missing/],
    ['an operation that is not known', around([200, {}]), /no kind 200 is known/],
    ['an operation by its name', around(['transfer', {}]), /no kind "transfer"/],
    [
      'an amount with a fraction',
      around(transfer({ fee: { ...fee, amount: 1.5 } })),
      /fee\.amount: a whole number/,
    ],
    [
      'an amount beyond 2^53 as a number',
      around(transfer({ fee: { ...fee, amount: 2 ** 53 } })),
      /fee\.amount/,
    ],
    [
      'an amount beyond 64 bits',
      around(transfer({ fee: { ...fee, amount: '9223372036854775808' } })),
      /fee\.amount/,
    ],
    [
      'an amount in another way of writing',
      around(transfer({ fee: { ...fee, amount: '0x10' } })),
      /fee\.amount/,
    ],
    ['an amount with leading zeros', around(transfer({ fee: { ...fee, amount: '010' } })), /fee\.amount/],
    ['an id of another kind', around(transfer({ to: '1.3.0' })), /an id that begins with 1\.2\./],
    ['an id with leading zeros', around(transfer({ to: '1.2.00' })), /transfer\.to/],
    ['an id beyond 48 bits', around(transfer({ to: '1.2.281474976710656' })), /transfer\.to/],
    ['a name for an id', around(transfer({ to: 'alice' })), /transfer\.to/],
    [
      'extensions of the future',
      around(transfer({ extensions: [[0, {}]] })),
      /extensions that are not known/,
    ],
    ['a time with its zone', { ...around(transfer()), expiration: '2026-11-21T10:00:00Z' }, /^expiration/],
    ['a day that is not', { ...around(transfer()), expiration: '2026-02-30T10:00:00' }, /^expiration/],
    [
      'a time after the year 2106',
      { ...around(transfer()), expiration: '2107-01-01T00:00:00' },
      /^expiration/,
    ],
    ['a number beyond its bits', { ...around(transfer()), ref_block_num: 65536 }, /^ref_block_num/],
    ['a key of another chain', update({ key_auths: [[`TEST${KEY.slice(3)}`, 1]] }), /begins with BTS/],
    [
      'one account twice in an authority',
      update({
        account_auths: [
          ['1.2.9', 1],
          ['1.2.9', 2],
        ],
      }),
      /the same twice/,
    ],
    ['a weight that is no number', update({ account_auths: [['1.2.9', '1']] }), /account_auths\[0\]\[1\]/],
    [
      'an extension that is not known',
      around([6, { fee, account: '1.2.17', extensions: { x: 1 } }]),
      /extensions\.x: unknown/,
    ],
  ];
  for (const [what, json, place] of cases) {
    test(`with ${what} is refused`, () => assert.throws(() => parse(json), malformed(place)));
  }

  test('with proposals nested beyond the limit is refused, in JSON and in bytes', () => {
    const nest = (depth: number): unknown => {
      const inner = depth === 0 ? transfer() : nest(depth - 1);
      const proposal = { fee, fee_paying_account: '1.2.17', expiration_time: '2026-11-21T10:00:00' };
      return [22, { ...proposal, proposed_ops: [{ op: inner }], extensions: [] }];
    };
    assert.ok(parse(around(nest(MAX_NESTING - 1))));
    assert.throws(() => parse(around(nest(MAX_NESTING))), malformed(/nested deeper/));
    assert.throws(() => parse(around(nest(5000))), malformed(/nested deeper/));
    const fits = Buffer.from(encodeTransaction(parse(around(nest(MAX_NESTING - 1))), BITSHARES)).toString(
      'hex',
    );
    const level = '16' + '0a00000000000000' + '00' + '11';
    assert.ok(fits.includes(level));
    const time = fits.slice(12, 20);
    const deeper = `${fits.replace(level, `${level}${time}01${level}`)}0000`;
    assert.throws(() => decodeTransaction(Buffer.from(deeper, 'hex'), BITSHARES), malformed(/nested deeper/));
  });

  test('with more members than any transaction holds is refused before they are looked at', () => {
    const keys = Array.from({ length: 5000 }, () => [KEY, 1]);
    assert.throws(() => parse(update({ key_auths: keys })), malformed(/more than 4096 items/));
  });

  test('larger than the limit is refused', () => {
    assert.throws(() => parse(around(...Array.from({ length: 4000 }, () => transfer()))), malformed(/bytes/));
  });
});

describe('a signed transaction', () => {
  const key = privateKeyFromBytes(new Uint8Array(32).fill(7));
  const signature = signDigest(transactionDigest(parse(around(transfer())), BITSHARES), key);

  test('carries its signatures beside what they sign', () => {
    const signed = parseSignedTransaction({ ...around(transfer()), signatures: [signature] }, BITSHARES);
    assert.deepEqual(signed.signatures, [signature]);
    assert.deepEqual(
      transactionDigest(signed, BITSHARES),
      transactionDigest(parse(around(transfer())), BITSHARES),
    );
    assert.deepEqual(transactionToJson(signed).signatures, [signature]);
    assert.deepEqual(parseSignedTransaction(around(transfer()), BITSHARES).signatures, []);
  });

  test('with signatures of another form is refused', () => {
    for (const signatures of ['x', [1], ['00'], [signature, `${signature}00`], Array(100).fill(signature)]) {
      assert.throws(
        () => parseSignedTransaction({ ...around(transfer()), signatures }, BITSHARES),
        malformed(/signatures/),
      );
    }
  });
});

describe('the bytes of a transaction', () => {
  const bytes = encodeTransaction(
    parse(
      update({
        account_auths: [
          ['1.2.9', 1],
          ['1.2.300', 1],
        ],
      }),
    ),
    BITSHARES,
  );

  test('too few or too many are refused', () => {
    for (let length = 0; length < bytes.length; length++) {
      assert.throws(
        () => decodeTransaction(bytes.subarray(0, length), BITSHARES),
        refused('transaction-invalid'),
      );
    }
    assert.throws(
      () => decodeTransaction(Uint8Array.of(...bytes, 0), BITSHARES),
      malformed(/1 bytes too many/),
    );
  });

  test("in another order than the chain's, or packed longer than need be, are refused", () => {
    const hex = Buffer.from(bytes).toString('hex');
    const swapped = hex.replace('090100ac020100', 'ac0201' + '00090100');
    assert.notEqual(swapped, hex);
    assert.throws(
      () => decodeTransaction(Buffer.from(swapped, 'hex'), BITSHARES),
      malformed(/not in the chain's order/),
    );
    const longer = hex.replace('090100ac020100', '89000100ac020100');
    assert.throws(
      () => decodeTransaction(Buffer.from(longer, 'hex'), BITSHARES),
      malformed(/longer than it need be/),
    );
  });

  test('whatever is read packs to the same bytes again', () => {
    fc.assert(
      fc.property(fc.nat(bytes.length - 1), fc.nat(255), (at, value) => {
        const changed = Uint8Array.from(bytes);
        changed[at] = value;
        try {
          assert.deepEqual(encodeTransaction(decodeTransaction(changed, BITSHARES), BITSHARES), changed);
        } catch (error) {
          if ((error as Error).name === 'AssertionError') throw error;
          refused('transaction-invalid')(error);
        }
      }),
      { numRuns: RUNS.numRuns * 20 },
    );
  });
});

describe('the digest', () => {
  const key = privateKeyFromBytes(new Uint8Array(32).fill(9));
  const signed = parse(around(transfer()));
  const digest = transactionDigest(signed, BITSHARES);
  const by = (other: Uint8Array, signature: string) =>
    Buffer.from(recoverKey(other, signature)).toString('hex');

  test('of another chain has another signer', () => {
    const other: Chain = {
      ...BITSHARES,
      id: '39f5e2ede1f8bc1a3a54a7914414e3779e33193f1f5693510e73cb7a87617447',
    };
    const signature = signDigest(digest, key);
    assert.equal(by(digest, signature), Buffer.from(key.publicKey).toString('hex'));
    assert.notEqual(by(transactionDigest(signed, other), signature), by(digest, signature));
    assert.equal(transactionId(signed, other), transactionId(signed, BITSHARES));
  });

  test('changes with every bit of the transaction', () => {
    const bytes = encodeTransaction(signed, BITSHARES);
    const seen = new Set([Buffer.from(digest).toString('hex')]);
    let decoded = 0;
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      const changed = Uint8Array.from(bytes);
      changed[bit >> 3]! ^= 1 << (bit & 7);
      let other: ReturnType<typeof decodeTransaction>;
      try {
        other = decodeTransaction(changed, BITSHARES);
      } catch (error) {
        refused('transaction-invalid')(error);
        continue;
      }
      decoded++;
      seen.add(Buffer.from(transactionDigest(other, BITSHARES)).toString('hex'));
    }
    assert.ok(decoded > 100);
    assert.equal(seen.size, decoded + 1);
  });
});
