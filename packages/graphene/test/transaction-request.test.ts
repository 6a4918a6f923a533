import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { refused } from '../../core/test/refused.ts';
import { decodeArguments, encodeArguments } from '../src/argument-link.ts';
import type { Snapshot } from '../src/authority.ts';
import { BITSHARES } from '../src/chain.ts';
import { formatPublicKey, privateKeyFromBytes } from '../src/keys.ts';
import { signDigest } from '../src/signature.ts';
import { parseOperation, parseSignedTransaction, type SignedTransaction } from '../src/transaction.ts';
import {
  type Asked,
  formatTransactionAnswer,
  formatTransactionRequest,
  isByRequester,
  parseTransactionAnswer,
  parseTransactionRequest,
  type TransactionRequest,
  transactionRequestDigest,
} from '../src/transaction-request.ts';

const NOW = 1_800_000_000;
const PAGE = 'https://wallet.example/transaction';
const [provider, other] = [5, 6].map((byte) => privateKeyFromBytes(new Uint8Array(32).fill(byte)));
const text = (key: typeof provider) => formatPublicKey(key!.publicKey, 'BTS');
const by = (key: typeof provider) =>
  ({ weight_threshold: 1, account_auths: [], key_auths: [[text(key), 1]] }) as const;
const SFACTOR = '1.2.500';
const snapshot: Snapshot = new Map([[SFACTOR, { id: SFACTOR, owner: by(provider), active: by(provider) }]]);

/** The change that makes an account require a provider. */
const update = parseOperation(
  [
    6,
    {
      fee: { amount: 0, asset_id: '1.3.0' },
      account: '1.2.17',
      active: {
        weight_threshold: 2,
        account_auths: [['1.2.501', 1]],
        key_auths: [[text(other), 1]],
        address_auths: [],
      },
      extensions: {},
    },
  ],
  BITSHARES,
);

const request: TransactionRequest = {
  id: 'AAECAwQFBgcICQoLDA0ODw',
  by: 'sfactor',
  account: 'alice',
  asked: { kind: 'operations', operations: [update] },
  apply: true,
  callback: 'https://sfactor.example/required',
  expires: NOW + 3600,
};

function linkOf(asked: TransactionRequest, key = provider): string {
  const signature = signDigest(transactionRequestDigest(asked, BITSHARES), key!);
  return formatTransactionRequest(PAGE, asked, [signature], BITSHARES);
}

const parse = (link: string, now = NOW) => parseTransactionRequest(link, BITSHARES, now);

function transaction(operations: readonly unknown[], signatures: string[] = []): SignedTransaction {
  const json = {
    ref_block_num: 1,
    ref_block_prefix: 2,
    expiration: '2027-01-15T08:00:00',
    operations,
    extensions: [],
    signatures,
  };
  return parseSignedTransaction(json, BITSHARES);
}

describe('a request for a transaction', () => {
  test('fits into a link with an account’s new authority, and comes out as it went in', () => {
    const link = linkOf(request);
    assert.ok(link.length < 900, String(link.length));
    const parsed = parse(link);
    assert.deepEqual(parsed.request, request);
    assert.ok(isByRequester(parsed.signers, SFACTOR, snapshot));
  });

  test('can hold a whole transaction, with the signatures that it has', () => {
    const signature = signDigest(new Uint8Array(32).fill(1), other!);
    const transfer = [
      0,
      {
        fee: { amount: 1, asset_id: '1.3.0' },
        from: '1.2.17',
        to: '1.2.18',
        amount: { amount: 1, asset_id: '1.3.0' },
        extensions: [],
      },
    ];
    const asked: Asked = { kind: 'transaction', transaction: transaction([transfer], [signature]) };
    const whole = { ...request, asked, apply: false };
    const parsed = parse(linkOf(whole));
    assert.deepEqual(parsed.request, whole);
    assert.ok(isByRequester(parsed.signers, SFACTOR, snapshot));
  });

  test('by another than it says is seen', () => {
    assert.ok(!isByRequester(parse(linkOf(request, other)).signers, SFACTOR, snapshot));
  });

  const json = decodeArguments(linkOf(request).slice(PAGE.length + 1)) as Record<string, unknown>;
  const changes: Record<string, unknown> = {
    id: 'BBECAwQFBgcICQoLDA0ODw',
    by: 'sfactor2',
    account: 'bob',
    operations: JSON.parse(JSON.stringify(json.operations).replace('1.2.501', '1.2.502')),
    apply: false,
    callback: 'https://evil.example/required',
    expires: NOW + 3601,
  };
  for (const [field, value] of Object.entries(changes)) {
    test(`with another ${field} is seen to be altered`, () => {
      const altered = parse(`${PAGE}#${encodeArguments({ ...json, [field]: value })}`);
      assert.ok(!isByRequester(altered.signers, SFACTOR, snapshot));
    });
  }

  test('with any one character changed is refused, by others than it says, or the same', () => {
    const link = linkOf(request);
    for (let at = PAGE.length + 1; at < link.length; at++) {
      const altered = link.slice(0, at) + (link[at] === 'z' ? 'y' : 'z') + link.slice(at + 1);
      try {
        const parsed = parse(altered);
        if (isByRequester(parsed.signers, SFACTOR, snapshot)) assert.deepEqual(parsed.request, request);
      } catch (error) {
        refused('link-invalid', 'transaction-invalid', 'request-expired', 'request-lifetime')(error);
      }
    }
  });

  test('on another chain, out of its time, or for longer than may be, is refused', () => {
    const link = linkOf(request);
    const test2 = { id: '39f5e2ede1f8bc1a3a54a7914414e3779e33193f1f5693510e73cb7a87617447', prefix: 'TEST' };
    assert.throws(() => parseTransactionRequest(link, test2, NOW), refused('link-invalid'));
    assert.throws(() => parse(link, NOW + 3601), refused('request-expired'));
    assert.throws(
      () => parse(linkOf({ ...request, expires: NOW + 31 * 86_400 })),
      refused('request-lifetime'),
    );
  });

  const bad: [string, Record<string, unknown>][] = [
    ['no signature', { signatures: [] }],
    [
      'a signature twice',
      { signatures: [...(json.signatures as string[]), ...(json.signatures as string[])] },
    ],
    ['a signature that is none', { signatures: ['00'.repeat(65)] }],
    ['no operations', { operations: [] }],
    ['operations and a transaction', { transaction: {} }],
    ['a field that is not known', { note: 'x' }],
    ['another version', { v: 2 }],
    ['a callback in clear', { callback: 'http://sfactor.example/' }],
    ['a callback that is a program', { callback: 'javascript:alert(1)' }],
    ['a name that is none', { account: 'Alice Smith' }],
  ];
  for (const [what, change] of bad) {
    test(`with ${what} is refused`, () => {
      assert.throws(
        () => parse(`${PAGE}#${encodeArguments({ ...json, ...change })}`),
        refused('link-invalid'),
      );
    });
  }

  test('with an operation that is not known is refused', () => {
    const unknown = { ...json, operations: [[200, {}]] };
    assert.throws(() => parse(`${PAGE}#${encodeArguments(unknown)}`), refused('transaction-invalid'));
  });
});

describe('the answer to a request', () => {
  const updateJson = (fee: number) => [
    6,
    {
      ...(JSON.parse(JSON.stringify(decodeArguments(linkOf(request).slice(PAGE.length + 1))))
        .operations[0][1] as object),
      fee: { amount: fee, asset_id: '1.3.0' },
    },
  ];
  const back = (answer: Parameters<typeof formatTransactionAnswer>[1]) =>
    parseTransactionAnswer(formatTransactionAnswer(request.callback!, answer), request, BITSHARES);

  test('comes back, in each of its three kinds', () => {
    const signature = signDigest(new Uint8Array(32).fill(1), other!);
    const { id } = request;
    for (const answer of [
      { id, status: 'refused' },
      { id, status: 'applied', transactionId: '00'.repeat(20), block: 12345, trx: 4 },
      { id, status: 'signed', transaction: transaction([updateJson(7)], [signature]) },
    ] as const) {
      assert.deepEqual(back(answer), answer);
    }
  });

  test('says where the transaction is in clear, as merchants read it', () => {
    const applied = {
      id: request.id,
      status: 'applied',
      transactionId: '00'.repeat(20),
      block: 12345,
      trx: 4,
    } as const;
    assert.match(formatTransactionAnswer(request.callback!, applied), /&block=12345&trx=4$/);
  });

  test('to another request, or with another transaction than was asked for, is refused', () => {
    const { id } = request;
    const mismatch = refused('request-mismatch');
    assert.throws(() => back({ id: 'BBECAwQFBgcICQoLDA0ODw', status: 'refused' }), mismatch);
    const changed = JSON.parse(JSON.stringify(updateJson(7)).replace('1.2.501', '1.2.502'));
    for (const operations of [[changed], [updateJson(7), updateJson(7)]]) {
      assert.throws(() => back({ id, status: 'signed', transaction: transaction(operations) }), mismatch);
    }
  });

  test('to a whole transaction must be it to the byte', () => {
    const asked: Asked = { kind: 'transaction', transaction: transaction([updateJson(7)]) };
    const answer = (fee: number) =>
      formatTransactionAnswer(request.callback!, {
        id: request.id,
        status: 'signed',
        transaction: transaction([updateJson(fee)]),
      });
    assert.ok(parseTransactionAnswer(answer(7), { id: request.id, asked }, BITSHARES));
    assert.throws(
      () => parseTransactionAnswer(answer(8), { id: request.id, asked }, BITSHARES),
      refused('request-mismatch'),
    );
  });
});
