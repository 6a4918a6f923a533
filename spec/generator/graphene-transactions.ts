/**
 * Vectors of transactions of a Graphene chain: JSON, bytes, digest, id and signatures.
 * @module
 */
import {
  encodeTransaction,
  parseTransaction,
  signDigest,
  transactionDigest,
  transactionId,
} from '../../packages/graphene/src/index.ts';
import { ALICE, around, BOB, CHAIN, CHAIN_JSON, FEE, keyText, REQUIRE, TRANSFER } from './graphene-world.ts';
import { invalid, type Loose, type Vector, type VectorFile, valid } from './vector.ts';

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');

function good(name: string, comment: string, transaction: Record<string, unknown>): Vector {
  const parsed = parseTransaction(transaction, CHAIN);
  return valid(
    name,
    comment,
    { chain: CHAIN_JSON, transaction },
    {
      packed: hex(encodeTransaction(parsed, CHAIN)),
      digest: hex(transactionDigest(parsed, CHAIN)),
      id: transactionId(parsed, CHAIN),
    },
  );
}

const bad = (name: string, comment: string, transaction: unknown) =>
  invalid(name, comment, 'transaction-invalid', { chain: CHAIN_JSON, transaction });

const badBytes = (name: string, comment: string, packed: string) =>
  invalid(name, comment, 'transaction-invalid', { chain: CHAIN_JSON, packed });

function transfer(change: Record<string, unknown>): Record<string, unknown> {
  return around([0, { ...TRANSFER[1], ...change }]);
}

function update(active: Record<string, unknown>): Record<string, unknown> {
  return around([6, { ...REQUIRE[1], active: { ...REQUIRE[1].active, ...active } }]);
}

const MEMO = { from: keyText(ALICE), to: keyText(BOB), nonce: '18446744073709551615', message: 'c0ffee' };
const TWO_ACCOUNTS = [
  ['1.2.100', 1],
  ['1.2.9', 2],
];
const TWO_KEYS = [
  [keyText(ALICE), 1],
  [keyText(BOB), 1],
];

function proposal(...inner: readonly unknown[]): unknown {
  return [
    22,
    {
      fee: FEE,
      fee_paying_account: '1.2.17',
      expiration_time: '2027-01-16T08:00:00',
      proposed_ops: inner.map((op) => ({ op })),
      review_period_seconds: 3600,
      extensions: [],
    },
  ];
}

const nested = (depth: number): unknown => (depth === 0 ? TRANSFER : proposal(nested(depth - 1)));

export function grapheneTransaction(): VectorFile {
  const plain = parseTransaction(around(TRANSFER), CHAIN);
  const packed = hex(encodeTransaction(plain, CHAIN));
  const digest = transactionDigest(plain, CHAIN);
  const signature = signDigest(digest, ALICE);
  const order = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n;
  const highS = (order - BigInt(`0x${signature.slice(66)}`)).toString(16).padStart(64, '0');
  const flipped = (Number.parseInt(signature.slice(0, 2), 16) ^ 1).toString(16);
  const sorted = hex(
    encodeTransaction(parseTransaction(update({ account_auths: TWO_ACCOUNTS }), CHAIN), CHAIN),
  );
  const badSignature = (name: string, comment: string, text: string) =>
    invalid(name, comment, 'signature-invalid', { digest: hex(digest), signature: text });
  const loose = (json: unknown) => JSON.parse(JSON.stringify(json)) as Loose;
  return {
    description:
      'A `transaction` in JSON on a `chain`: `expect` holds it packed in hex, its digest and id. Or `packed` bytes in hex, to be read. Or a `signature` over a `digest`: `expect` holds the public key.',
    spec: 'transaction-request.md#transactions',
    vectors: [
      good('transfer', 'an amount beyond 2^53', around(TRANSFER)),
      good('transfer-memo', 'with a memo', transfer({ memo: MEMO })),
      good('account-update', 'the change by which an account requires a provider', around(REQUIRE)),
      good(
        'sets-reordered',
        'accounts and keys in no order',
        update({ account_auths: TWO_ACCOUNTS, key_auths: TWO_KEYS }),
      ),
      good(
        'sets-turned',
        'the same, the other way round',
        update({ account_auths: TWO_ACCOUNTS.toReversed(), key_auths: TWO_KEYS.toReversed() }),
      ),
      good('two-operations', 'in the order of the sender', around(REQUIRE, TRANSFER)),
      good('proposal', 'with an operation in it, and a review', around(proposal(TRANSFER, REQUIRE))),
      good('proposal-deepest', 'nested eight deep', around(nested(8))),
      good('latest', 'the last second of 32 bits', {
        ...around(TRANSFER),
        expiration: '2106-02-07T06:28:15',
      }),
      good(
        'account-update-extension',
        'an extension in an object',
        around([
          6,
          {
            ...REQUIRE[1],
            extensions: { active_special_authority: [1, { asset: '1.3.5', num_top_holders: 7 }] },
          },
        ]),
      ),
      bad('unknown-member', 'a member that is not known', { ...around(TRANSFER), memo: 'x' }),
      bad('unknown-field', 'a field of an operation that is not known', transfer({ note: 'x' })),
      bad('unknown-operation', 'a number that no operation has', around([78, {}])),
      bad(
        'virtual-operation',
        'one that only the chain makes',
        around([46, { fee: FEE, bidder: '1.2.1', debt: FEE, collateral: FEE }]),
      ),
      bad(
        'missing-field',
        'a transfer without an amount',
        around([0, { fee: FEE, from: '1.2.17', to: '1.2.18', extensions: [] }]),
      ),
      bad(
        'amount-number',
        'beyond 2^53 as a number',
        transfer({ amount: { amount: 9007199254740992, asset_id: '1.3.0' } }),
      ),
      bad(
        'amount-64-bits',
        'beyond 64 bits',
        transfer({ amount: { amount: '9223372036854775808', asset_id: '1.3.0' } }),
      ),
      bad('amount-zeros', 'with leading zeros', transfer({ amount: { amount: '007', asset_id: '1.3.0' } })),
      bad('amount-fraction', 'with a fraction', transfer({ amount: { amount: 1.5, asset_id: '1.3.0' } })),
      bad('id-kind', 'an asset for an account', transfer({ to: '1.3.18' })),
      bad('id-48-bits', 'an id beyond 48 bits', transfer({ to: '1.2.281474976710656' })),
      bad('id-name', 'a name for an id', transfer({ to: 'bob' })),
      bad('extensions', 'that are not known', transfer({ extensions: [[0, {}]] })),
      bad('time-zone', 'a time with its zone', { ...around(TRANSFER), expiration: '2027-01-15T08:10:00Z' }),
      bad('time-day', 'a day that there is not', { ...around(TRANSFER), expiration: '2027-02-29T08:10:00' }),
      bad('number-range', 'a number beyond 16 bits', { ...around(TRANSFER), ref_block_num: 65536 }),
      bad(
        'key-prefix',
        'a key of another chain',
        update({ key_auths: [[`TEST${keyText(ALICE).slice(3)}`, 1]] }),
      ),
      bad(
        'key-checksum',
        'a key with one letter changed',
        update({ key_auths: [[keyText(ALICE).replace(/.$/, (last) => (last === 'z' ? 'y' : 'z')), 1]] }),
      ),
      bad(
        'set-twice',
        'an account twice in an authority',
        update({
          account_auths: [
            ['1.2.9', 1],
            ['1.2.9', 2],
          ],
        }),
      ),
      bad('memo-hex', 'a message that is not hex', transfer({ memo: { ...MEMO, message: 'abc' } })),
      bad(
        'text-surrogate',
        'half of a character',
        around([
          34,
          {
            fee: FEE,
            owner: '1.2.17',
            work_begin_date: '2027-01-15T08:00:00',
            work_end_date: '2027-01-16T08:00:00',
            daily_pay: 1,
            name: '\ud800',
            url: '',
            initializer: [0, {}],
          },
        ]),
      ),
      bad('nested-too-deep', 'nested nine deep', around(nested(9))),
      valid(
        'packed',
        'bytes, to be read',
        { chain: CHAIN_JSON, packed },
        { transaction: loose(around(TRANSFER)) },
      ),
      badBytes('packed-short', 'a byte too few', packed.slice(0, -2)),
      badBytes('packed-long', 'a byte too many', `${packed}00`),
      badBytes(
        'packed-order',
        "a map in another order than the chain's",
        sorted.replace('090200640100', '640100090200'),
      ),
      badBytes('packed-varint', 'a number longer than it need be', packed.replace(/^(.{20})01/, '$18100')),
      badBytes('packed-flag', 'a flag that is neither 0 nor 1', packed.replace(/000000$/, '020000')),
      valid('signature', 'the key is recovered', { digest: hex(digest), signature }, { key: keyText(ALICE) }),
      badSignature('signature-high', 'the higher s', `${flipped}${signature.slice(2, 66)}${highS}`),
      badSignature(
        'signature-short-r',
        'an r that DER writes in fewer bytes',
        `${signature.slice(0, 2)}0011${signature.slice(6, 66)}${signature.slice(66)}`,
      ),
      badSignature('signature-header', 'a header of a key that is not compressed', `1b${signature.slice(2)}`),
      badSignature('signature-64', 'a byte too few', signature.slice(0, -2)),
    ],
  };
}
