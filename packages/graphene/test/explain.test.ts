import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { checkFields, checkParts, isDisplayLine } from '@countersign/core';
import fc from 'fast-check';
import { refused } from '../../core/test/refused.ts';
import { RUNS } from '../../core/test/runs.ts';
import { ByteWriter } from '../src/bytes.ts';
import { BITSHARES } from '../src/chain.ts';
import type { AnyCodec } from '../src/codec.ts';
import { type Explained, explainOperations } from '../src/explain.ts';
import type { AccountFacts, AssetFacts, Facts } from '../src/explain-facts.ts';
import { privateKeyFromBytes } from '../src/keys.ts';
import { readMemo, sealMemo } from '../src/memo.ts';
import { OPERATIONS, type Operation, type OperationName, operation } from '../src/operations.ts';
import { operationToJson, parseOperation } from '../src/transaction.ts';
import { oneChange } from './one-change.ts';
import { randomOperationOf, type Taste } from './random-json.ts';

const KEY = 'BTS6MRyAjQq8ud7hVNYcfnVPJqcVpscN5So8BhtHuGYqET5GDW5CV';
const OTHER_KEY = 'BTS73MTSWz2Nks4Eaf8G8F7Nr6jbHorZSM774HFmtrdEuahXqi1ff';
const alone = { weight_threshold: 1, account_auths: [], key_auths: [[KEY, 1]] } as const;

/** Something for every id, another for each. */
class EveryId<T> extends Map<string, T> {
  readonly #make: (number: string) => T;

  constructor(make: (number: string) => T) {
    super();
    this.#make = make;
  }

  override get(id: string): T {
    return this.#make(id.slice(id.lastIndexOf('.') + 1));
  }

  override has(): boolean {
    return true;
  }
}

const everything: Facts = {
  accounts: new EveryId<AccountFacts>((number) => ({
    name: `account-${number}`,
    owner: alone,
    active: alone,
  })),
  assets: new EveryId<AssetFacts>((number) => ({ symbol: `ASSET${number}`, precision: Number(number) % 13 })),
  proposals: new EveryId<readonly Operation[]>(() => []),
};

const TASTE: Taste = { most: 2, depth: 2, idBits: 32 };
const names = (Object.keys(OPERATIONS) as OperationName[]).filter((name) => !('virtual' in OPERATIONS[name]));

function pack(json: unknown): string {
  const out = new ByteWriter();
  operation.write(out, parseOperation(json, BITSHARES), BITSHARES);
  return Buffer.from(out.take()).toString('hex');
}

function said(json: unknown, facts = everything): Explained {
  return explainOperations([parseOperation(json, BITSHARES)], facts)[0]!;
}

const line = ({ lines }: Explained, name: string) => lines.find((one) => one.name === name)?.value;

describe('no field is left unsaid', () => {
  for (const name of names) {
    test(`${name}: whatever field is changed, other words are said`, () => {
      const codec = OPERATIONS[name].codec as AnyCodec;
      const seen = new Set<string>();
      fc.assert(
        fc.property(randomOperationOf(name, TASTE), randomOperationOf(name, TASTE), (one, other) => {
          const before = JSON.stringify(said(one));
          for (const { path, json } of oneChange(codec, one[1], other[1])) {
            const changed = [one[0], json];
            if (pack(changed) === pack(one)) continue;
            seen.add(path);
            assert.notEqual(JSON.stringify(said(changed)), before, path);
          }
        }),
        { numRuns: Math.ceil(RUNS.numRuns / 2) },
      );
      assert.ok(seen.size >= Object.keys(OPERATIONS[name].codec.fields).length - 1, [...seen].join(' '));
    });
  }
});

describe('what is said', () => {
  for (const name of names) {
    test(`of ${name} fits the rules of what may be shown, and has no ids of accounts or assets`, () => {
      fc.assert(
        fc.property(randomOperationOf(name, TASTE), (json) => {
          const { title, lines } = said(json);
          assert.ok(isDisplayLine(title, 1024), title);
          assert.doesNotMatch(title, /\b1\.[23]\.\d/);
          for (const { name: label, value } of lines) {
            assert.ok(isDisplayLine(label, 64), label);
            assert.ok(isDisplayLine(value, 1_000_000), value);
            assert.doesNotMatch(value.replaceAll(/“.*?”/g, ''), /\b1\.[23]\.\d/);
          }
          assert.equal(new Set(lines.map((one) => one.name)).size, lines.length);
          assert.match(line({ title, lines }, 'Fee')!, /^-?[0-9.]+ ASSET\d+, paid by account-\d+$/);
        }),
        { numRuns: Math.ceil(RUNS.numRuns / 2) },
      );
    });
  }

  test('of a transfer is who, how much, to whom, and who pays', () => {
    const fee = { amount: 86869, asset_id: '1.3.0' };
    const amount = { amount: '1000000000000', asset_id: '1.3.0' };
    const facts: Facts = {
      accounts: new Map([
        ['1.2.17', { name: 'alice', owner: alone, active: alone }],
        ['1.2.18', { name: 'bob', owner: alone, active: alone }],
      ]),
      assets: new Map([['1.3.0', { symbol: 'BTS', precision: 5 }]]),
    };
    const explained = said([0, { fee, from: '1.2.17', to: '1.2.18', amount, extensions: [] }], facts);
    assert.deepEqual(explained, {
      title: 'Transfer 10000000 BTS from alice to bob',
      lines: [
        { name: 'Fee', value: '0.86869 BTS, paid by alice' },
        { name: 'From', value: 'alice' },
        { name: 'To', value: 'bob' },
        { name: 'Amount', value: '10000000 BTS' },
      ],
    });
    checkParts([{ type: 'p', text: explained.title }]);
    checkFields(explained.lines);
  });

  test('of a changed authority is how it was, how it will be, and the difference', () => {
    const active = {
      weight_threshold: 2,
      account_auths: [['1.2.9', 1]],
      key_auths: [[OTHER_KEY, 1]],
      address_auths: [],
    };
    const fee = { amount: 0, asset_id: '1.3.0' };
    const explained = said([6, { fee, account: '1.2.17', active, extensions: {} }]);
    assert.equal(explained.title, 'Change the account account-17 (who acts for it)');
    assert.equal(line(explained, 'Active before'), `threshold 1 of: key ${KEY} weight 1`);
    assert.equal(
      line(explained, 'Active after'),
      `threshold 2 of: account account-9 weight 1, key ${OTHER_KEY} weight 1`,
    );
    assert.equal(
      line(explained, 'Active changes'),
      `threshold 1 becomes 2; adds account account-9 weight 1; adds key ${OTHER_KEY} weight 1; takes away key ${KEY}`,
    );
    const never = said([
      6,
      { fee, account: '1.2.17', active: { ...active, weight_threshold: 3 }, extensions: {} },
    ]);
    assert.match(line(never, 'Active after')!, /can never be reached$/);
  });

  test('of a memo is its text where it can be read, and that it cannot where not', () => {
    const [alice, bob] = [3, 4].map((byte) => privateKeyFromBytes(new Uint8Array(32).fill(byte)));
    const memo = sealMemo('rent, see https://example.com', alice!, bob!.publicKey, 'BTS', 5n);
    const fee = { amount: 0, asset_id: '1.3.0' };
    const json = [
      0,
      { fee, from: '1.2.1', to: '1.2.2', amount: fee, memo: { ...memo, nonce: '5' }, extensions: [] },
    ];
    const readable = said(json, { ...everything, readMemo: (one) => readMemo(one, bob!, 'BTS') });
    assert.match(
      line(readable, 'Memo')!,
      /^written out “rent, see https<3A><2F><2F>example<2E>com”, from key BTS/,
    );
    assert.match(line(said(json), 'Memo')!, /^cannot be read here, 48 bytes [0-9a-f]{96}, from key BTS/);
  });

  test('of a proposal is every operation in it, with what is in those', () => {
    const fee = { amount: 100000, asset_id: '1.3.0' };
    const transfer = [
      0,
      { fee, from: '1.2.1', to: '1.2.2', amount: { amount: 7, asset_id: '1.3.0' }, extensions: [] },
    ];
    const propose = (...ops: unknown[]) => [
      22,
      {
        fee,
        fee_paying_account: '1.2.3',
        expiration_time: '2026-11-21T10:00:00',
        proposed_ops: ops.map((op) => ({ op })),
        extensions: [],
      },
    ];
    const explained = said(propose(transfer, propose(transfer)));
    assert.equal(explained.title, 'account-3 proposes 2 operations, which happen once enough have approved');
    assert.equal(line(explained, 'Proposed 1'), 'Transfer 7 ASSET0 from account-1 to account-2');
    assert.equal(line(explained, 'Proposed 1, To'), 'account-2');
    assert.equal(line(explained, 'Proposed 2.1'), 'Transfer 7 ASSET0 from account-1 to account-2');
    assert.equal(line(explained, 'Proposed 2.1, To'), 'account-2');
  });

  test('of an approval is what is approved; what cannot be shown is refused', () => {
    const fee = { amount: 0, asset_id: '1.3.0' };
    const none = {
      active_approvals_to_add: [],
      active_approvals_to_remove: [],
      owner_approvals_to_add: [],
      owner_approvals_to_remove: [],
      key_approvals_to_add: [],
      key_approvals_to_remove: [],
    };
    const update = (changes: object) => [
      23,
      { fee, fee_paying_account: '1.2.1', proposal: '1.10.5', ...none, ...changes, extensions: [] },
    ];
    const approve = update({ active_approvals_to_add: ['1.2.1'] });
    const transfer = parseOperation(
      [0, { fee, from: '1.2.1', to: '1.2.2', amount: fee, extensions: [] }],
      BITSHARES,
    );
    const { proposals: _, ...unknown } = everything;
    const known = { ...everything, proposals: new Map([['1.10.5', [transfer]]]) };
    assert.equal(line(said(approve, known), 'In it 1'), 'Transfer 0 ASSET0 from account-1 to account-2');
    assert.throws(() => said(approve, unknown), refused('transaction-invalid'));
    assert.ok(said(update({ active_approvals_to_remove: ['1.2.1'] }), unknown));
  });

  test('of an account or an asset that nobody knows is nothing: it is refused', () => {
    const fee = { amount: 0, asset_id: '1.3.0' };
    const json = [0, { fee, from: '1.2.1', to: '1.2.2', amount: fee, extensions: [] }];
    for (const hole of [{ accounts: new Map() }, { assets: new Map() }]) {
      assert.throws(() => said(json, { ...everything, ...hole }), refused('transaction-invalid'));
    }
  });

  test('round-trips: operations in the chain’s JSON stay what they were', () => {
    const json = [
      8,
      {
        fee: { amount: 1, asset_id: '1.3.0' },
        account_to_upgrade: '1.2.1',
        upgrade_to_lifetime_member: true,
        extensions: [],
      },
    ];
    assert.deepEqual(operationToJson(parseOperation(json, BITSHARES)), json);
  });
});
