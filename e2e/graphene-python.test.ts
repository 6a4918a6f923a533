/**
 * A second oracle, in another language: python-bitshares packs, signs and verifies the same random transactions.
 * It needs packages of Python: where they cannot be had, the tests are skipped and say so.
 */
import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import fc from 'fast-check';
import { RUNS } from '../packages/core/test/runs.ts';
import { BITSHARES } from '../packages/graphene/src/chain.ts';
import { formatWif, privateKeyFromBytes } from '../packages/graphene/src/keys.ts';
import { OPERATIONS, type OperationName } from '../packages/graphene/src/operations.ts';
import { recoverKey, signDigest } from '../packages/graphene/src/signature.ts';
import {
  encodeTransaction,
  parseTransaction,
  transactionDigest,
  transactionToJson,
} from '../packages/graphene/src/transaction.ts';
import { oracleTaste } from '../packages/graphene/test/oracle.ts';
import { randomOperationOf, randomTransaction, type Taste } from '../packages/graphene/test/random-json.ts';
import { makePython, run } from './python.ts';

const HERE = import.meta.dirname;
const folder = await mkdtemp(join(tmpdir(), 'countersign-python-'));
const key = privateKeyFromBytes(new Uint8Array(32).fill(9));
const EACH = Math.ceil(RUNS.numRuns / 12);

/** Operations that it knows, with the fields that the chain has. */
const KNOWN: readonly OperationName[] = [
  'transfer',
  'limit_order_create',
  'limit_order_cancel',
  'call_order_update',
  'account_create',
  'account_update',
  'account_whitelist',
  'account_upgrade',
  'asset_update_feed_producers',
  'asset_issue',
  'asset_reserve',
  'asset_fund_fee_pool',
  'asset_settle',
  'asset_global_settle',
  'asset_publish_feed',
  'proposal_update',
  'withdraw_permission_create',
  'committee_member_create',
  'vesting_balance_withdraw',
  'custom',
  'assert',
  'balance_claim',
  'override_transfer',
  'bid_collateral',
  'asset_claim_pool',
  'asset_update_issuer',
  'htlc_create',
  'htlc_redeem',
  'htlc_extend',
  'ticket_create',
  'ticket_update',
  'liquidity_pool_create',
  'liquidity_pool_delete',
  'liquidity_pool_deposit',
  'liquidity_pool_withdraw',
  'liquidity_pool_exchange',
];

/**
 * It takes empty texts and bytes for none, writes control characters as escapes of its own, and leaves out old
 * addresses.
 */
function taste(name: OperationName): Taste {
  const words = fc.string({ unit: fc.constantFrom(...'abcXYZ019 -.äß漢'), minLength: 1, maxLength: 20 });
  const bytes = fc.uint8Array({ minLength: 1, maxLength: 40 }).map((all) => Buffer.from(all).toString('hex'));
  return {
    ...oracleTaste(name),
    leaves: { text: words, bytes },
    setOf: (leaf) => (leaf === 'address' ? 0 : leaf === 'int64' ? 1 : undefined),
  };
}

interface Answer {
  readonly packed?: string;
  readonly signed_over?: string;
  readonly signature?: string;
  readonly found?: string;
  readonly error?: string;
}

const { python, missing } = await makePython(
  folder,
  'python-bitshares',
  join(HERE, 'graphene-python', 'requirements.txt'),
  '--no-deps',
);
after(() => rm(folder, { recursive: true, force: true }));

describe('random transactions agree to the byte with python-bitshares', { skip: missing ?? false }, () => {
  const transactions = KNOWN.map((name) => {
    const one = fc.array(randomOperationOf(name, taste(name)), { minLength: 1, maxLength: 2 });
    // It keeps sets in the order in which they come.
    return fc
      .sample(randomTransaction(one), EACH)
      .map((json) => transactionToJson(parseTransaction(json, BITSHARES)));
  });
  const digestOf = (json: unknown) => transactionDigest(parseTransaction(json, BITSHARES), BITSHARES);
  let answers: Answer[][] = [];

  before(async () => {
    const tasks = transactions.flat().map((transaction) => ({
      transaction,
      wif: formatWif(key),
      signature: signDigest(digestOf(transaction), key),
    }));
    const names = Object.fromEntries(Object.entries(OPERATIONS).map(([name, { number }]) => [number, name]));
    const file = join(folder, 'tasks.json');
    await writeFile(file, JSON.stringify({ names, tasks }));
    const { status, stdout, stderr } = await run(
      python,
      '-B',
      join(HERE, 'graphene-python', 'oracle.py'),
      file,
    );
    assert.equal(status, 0, stderr);
    const lines = stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as Answer);
    answers = KNOWN.map((_, place) => lines.slice(place * EACH, (place + 1) * EACH));
  });

  for (const [place, name] of KNOWN.entries()) {
    test(name, () => {
      for (const [at, json] of transactions[place]!.entries()) {
        const answer = answers[place]![at]!;
        assert.equal(answer.error, undefined);
        const packed = Buffer.from(encodeTransaction(parseTransaction(json, BITSHARES), BITSHARES));
        assert.equal(answer.packed, packed.toString('hex'));
        assert.equal(answer.signed_over, BITSHARES.id + answer.packed);
        assert.equal(answer.found, Buffer.from(key.publicKey).toString('hex'));
        assert.deepEqual(recoverKey(digestOf(json), answer.signature!), key.publicKey);
      }
    });
  }
});
