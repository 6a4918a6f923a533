import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Chain } from '../src/chain.ts';
import type { Operation } from '../src/operations.ts';
import { weigh } from '../src/outflows.ts';
import { judgePolicy, OPEN_POLICY, type Policy } from '../src/policy.ts';
import type { OperationJson } from '../src/required-authorities.ts';
import { parseOperation } from '../src/transaction.ts';
import { keyText, newPerson, PREFIX } from './chain/people.ts';

const CHAIN: Chain = { id: '11'.repeat(32), prefix: PREFIX };
const [ALICE, BOB, SIGNER, REFERENCE, OTHER_SIGNER] = [
  '1.2.17',
  '1.2.18',
  '1.2.19',
  '1.2.20',
  '1.2.21',
] as const;
const key = keyText(newPerson('alice').active);
const fee = { amount: 10, asset_id: '1.3.0' };

const pay = (amount: number, from: string = ALICE): OperationJson => [
  0,
  { fee, from, to: BOB, amount: { amount, asset_id: '1.3.0' }, extensions: [] },
];
const approve = (proposal: string, payer: string = REFERENCE): OperationJson => [
  23,
  {
    fee,
    fee_paying_account: payer,
    proposal,
    active_approvals_to_add: [ALICE],
    active_approvals_to_remove: [],
    owner_approvals_to_add: [],
    owner_approvals_to_remove: [],
    key_approvals_to_add: [],
    key_approvals_to_remove: [],
    extensions: [],
  },
];
const propose = (...operations: OperationJson[]): OperationJson => [
  22,
  {
    fee,
    fee_paying_account: ALICE,
    expiration_time: '2027-01-01T00:00:00',
    proposed_ops: operations.map((op) => ({ op })),
    extensions: [],
  },
];
const update = (fields: object): OperationJson => [6, { fee, account: ALICE, extensions: {}, ...fields }];
const active = (threshold: number, ...members: (readonly [string, number])[]) => ({
  weight_threshold: threshold,
  account_auths: members.filter(([who]) => who.startsWith('1.2.')),
  key_auths: members.filter(([who]) => !who.startsWith('1.2.')),
  address_auths: [],
});
const proposals = (all: Record<string, OperationJson[]>): Map<string, readonly Operation[]> =>
  new Map(Object.entries(all).map(([id, some]) => [id, some.map((one) => parseOperation(one, CHAIN))]));

const limited: Policy = { ...OPEN_POLICY, limits: [{ asset: '1.3.0', amount: '1000', per: 'day' }] };
const verdict = (operations: OperationJson[], policy = limited, inside = proposals({})) => {
  const judged = judgePolicy(
    { version: 2, policy },
    weigh(operations, ALICE, inside, SIGNER),
    [],
    1_800_000_000,
  );
  return judged.allowed ? 'allowed' : judged.rule;
};

describe('amounts hidden from a limit are found', () => {
  test('in a proposal that is approved', () => {
    const inside = proposals({ '1.10.1': [pay(1001)] });
    assert.equal(verdict([approve('1.10.1')], limited, inside), 'limit');
    assert.equal(verdict([approve('1.10.1')], limited, proposals({ '1.10.1': [pay(10)] })), 'allowed');
  });

  test('in a proposal that an approved proposal approves, however deep', () => {
    const inside = proposals({
      '1.10.1': [approve('1.10.2')],
      '1.10.2': [approve('1.10.3')],
      '1.10.3': [pay(1001)],
    });
    assert.equal(verdict([approve('1.10.1')], limited, inside), 'limit');
  });

  test('in proposals in a circle, each once', () => {
    const circle = proposals({ '1.10.1': [approve('1.10.2'), pay(900)], '1.10.2': [approve('1.10.1')] });
    assert.equal(verdict([approve('1.10.1')], limited, circle), 'allowed');
    assert.equal(verdict([approve('1.10.1'), pay(200)], limited, circle), 'limit');
  });

  test('in a fee, whatever asset it is in', () => {
    const dear: OperationJson = [0, { ...pay(1)[1], fee: { amount: 501, asset_id: '1.3.5' } }];
    const other: Policy = { ...OPEN_POLICY, limits: [{ asset: '1.3.5', amount: '500', per: 'transaction' }] };
    assert.equal(verdict([dear], other), 'limit');
    assert.equal(verdict([dear]), 'allowed');
  });

  test('where another one below 0 would make up for them: that is no amount', () => {
    const invalid = (error: { code?: string }) => error.code === 'transaction-invalid';
    const sell: OperationJson = [
      1,
      {
        fee,
        seller: ALICE,
        amount_to_sell: { amount: -1, asset_id: '1.3.0' },
        min_to_receive: { amount: 1, asset_id: '1.3.1' },
        expiration: '2027-01-01T00:00:00',
        fill_or_kill: false,
        extensions: [],
      },
    ];
    const cheap: OperationJson = [0, { ...pay(1)[1], fee: { amount: '-5000', asset_id: '1.3.0' } }];
    for (const operation of [pay(-(10 ** 12)), sell, cheap]) {
      assert.throws(() => verdict([operation]), invalid);
      assert.throws(
        () => verdict([approve('1.10.1')], limited, proposals({ '1.10.1': [operation] })),
        invalid,
      );
    }
  });

  test('and not counted while they are only proposed, by whomever', () => {
    assert.equal(verdict([propose(pay(5000))]), 'allowed');
    assert.equal(verdict([pay(5000, BOB)]), 'allowed');
  });
});

describe('a change of the owner is found', () => {
  const take = update({ owner: active(1, [key, 1]) });
  test('where it is done, where it is approved, and where it is proposed, in proposals within proposals too', () => {
    assert.equal(verdict([take], OPEN_POLICY), 'owner-change');
    const inside = proposals({ '1.10.1': [approve('1.10.2')], '1.10.2': [take] });
    assert.equal(verdict([approve('1.10.1')], OPEN_POLICY, inside), 'owner-change');
    assert.equal(verdict([propose(take)], OPEN_POLICY), 'owner-change');
    assert.equal(verdict([propose(propose(pay(1), take))], OPEN_POLICY), 'owner-change');
    const proposing = proposals({ '1.10.1': [propose(take)] });
    assert.equal(verdict([approve('1.10.1')], OPEN_POLICY, proposing), 'owner-change');
  });
  test('by a special authority too; another account’s is none of this one’s', () => {
    const special = { owner_special_authority: [1, { asset: '1.3.0', num_top_holders: 3 }] };
    assert.equal(verdict([update({ extensions: special })], OPEN_POLICY), 'owner-change');
    assert.equal(verdict([propose([6, { ...take[1], account: BOB }])], OPEN_POLICY), 'allowed');
  });
});

describe('under a limit, the active authority is not changed so that', () => {
  const needed = [key, 1] as const;
  test('the account speaks without the provider', () => {
    assert.equal(verdict([update({ active: active(1, needed) })]), 'not-covered');
    assert.equal(verdict([update({ active: active(1, needed, [SIGNER, 1]) })]), 'not-covered');
    assert.equal(verdict([update({ active: active(2, needed, [BOB, 1], [SIGNER, 1]) })]), 'not-covered');
    const inside = proposals({ '1.10.1': [update({ active: active(1, needed) })] });
    assert.equal(verdict([approve('1.10.1')], limited, inside), 'not-covered');
  });
  test('the holders of an asset speak for it', () => {
    const special = { active_special_authority: [1, { asset: '1.3.0', num_top_holders: 3 }] };
    assert.equal(verdict([update({ extensions: special })]), 'not-covered');
  });
  test('and approvers are asked, however small their bound lets it look', () => {
    const small: Policy = {
      ...OPEN_POLICY,
      approvers: { accounts: ['carol@example.com'], needed: 1, above: [{ asset: '1.3.0', amount: '1000' }] },
    };
    const shed = weigh([update({ active: active(1, needed) })], ALICE, undefined, SIGNER);
    const judged = judgePolicy({ version: 2, policy: small }, shed, [], 0);
    assert.equal(judged.allowed && judged.needed, 1);
  });
  test('but a second provider may be added, and a key changed', () => {
    const more = active(3, needed, [SIGNER, 1], [OTHER_SIGNER, 1]);
    assert.equal(verdict([update({ active: more })]), 'allowed');
    assert.equal(
      verdict([update({ active: active(2, [keyText(newPerson('new').active), 1], [SIGNER, 1]) })]),
      'allowed',
    );
  });
});
