import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import {
  type Before,
  judgePolicy,
  OPEN_POLICY,
  type Outflow,
  type Policy,
  RAISE_WAIT,
  raises,
  type Weighed,
} from '../src/policy.ts';

const NOW = 1_800_000_000;
const TEST = '1.3.0';
const BOB = '1.2.7';
const CAROL = '1.2.8';

const pays = (amount: bigint, payee = BOB, asset = TEST): Weighed => ({
  outflows: [{ asset, amount, payee }],
  changesOwner: false,
  opaque: false,
});
const policy = (fields: Partial<Policy>): Policy => ({ ...OPEN_POLICY, ...fields });
const ago = (seconds: number, amount: bigint, payee = BOB): Before => ({
  at: NOW - seconds,
  ...pays(amount, payee),
});

function rule(one: Policy, transaction: Weighed, before: readonly Before[] = []): string {
  const verdict = judgePolicy({ version: 3, policy: one }, transaction, before, NOW);
  return verdict.allowed ? 'allowed' : verdict.rule;
}

describe('a policy', () => {
  test('that says nothing lets all be asked but a change of the owner', () => {
    assert.equal(rule(OPEN_POLICY, pays(10n ** 15n)), 'allowed');
    assert.equal(rule(OPEN_POLICY, { ...pays(1n), changesOwner: true }), 'owner-change');
    assert.equal(rule(policy({ owner_changes: true }), { ...pays(1n), changesOwner: true }), 'allowed');
  });

  test('limits a day: what was spent in the last 24 hours counts, what was before does not', () => {
    const day = policy({ limits: [{ asset: TEST, amount: '100', per: 'day' }] });
    assert.equal(rule(day, pays(100n)), 'allowed');
    assert.equal(rule(day, pays(101n)), 'limit');
    assert.equal(rule(day, pays(60n), [ago(100, 50n)]), 'limit');
    assert.equal(rule(day, pays(60n), [ago(86_401, 50n)]), 'allowed');
    assert.equal(rule(day, pays(500n, BOB, '1.3.1')), 'allowed');
  });

  test('adds up what one transaction spends in several operations', () => {
    const one = policy({ limits: [{ asset: TEST, amount: '100', per: 'transaction' }] });
    const twice: Weighed = { ...pays(1n), outflows: [...pays(60n).outflows, ...pays(60n, CAROL).outflows] };
    assert.equal(rule(one, twice), 'limit');
  });

  test('takes no amount below 0 off what is spent, nor off what approvers are asked about', () => {
    const day = policy({ limits: [{ asset: TEST, amount: '100', per: 'day' }] });
    assert.equal(rule(day, pays(101n), [ago(100, -(10n ** 12n))]), 'limit');
    const above = [{ asset: TEST, amount: '100' }];
    const quorum = policy({ approvers: { accounts: ['carol@example.com'], needed: 1, above } });
    const both: Weighed = { ...pays(1n), outflows: [...pays(-500n).outflows, ...pays(101n).outflows] };
    const verdict = judgePolicy({ version: 3, policy: quorum }, both, [], NOW);
    assert.equal(verdict.allowed && verdict.needed, 1);
  });

  test('limits one payee and not the others', () => {
    const bob = policy({ limits: [{ asset: TEST, amount: '10', per: 'day', payee: BOB }] });
    assert.equal(rule(bob, pays(11n)), 'limit');
    assert.equal(rule(bob, pays(11n, CAROL)), 'allowed');
  });

  test('with a list of payees lets money go to nobody else, nor into a market', () => {
    const list = policy({ payees: [BOB] });
    assert.equal(rule(list, pays(1n)), 'allowed');
    assert.equal(rule(list, pays(1n, CAROL)), 'payee');
    assert.equal(rule(list, { ...pays(1n), outflows: [{ asset: TEST, amount: 1n }] }), 'payee');
  });

  test('that limits refuses what its limits cannot be held against', () => {
    assert.equal(rule(policy({ payees: [BOB] }), { ...pays(1n), opaque: true }), 'not-covered');
    assert.equal(rule(OPEN_POLICY, { ...pays(1n), opaque: true }), 'allowed');
  });

  test('sets a pace', () => {
    const two = policy({ velocity: { transactions: 2, seconds: 60 } });
    assert.equal(rule(two, pays(1n), [ago(10, 1n)]), 'allowed');
    assert.equal(rule(two, pays(1n), [ago(10, 1n), ago(20, 1n)]), 'velocity');
    assert.equal(rule(two, pays(1n), [ago(10, 1n), ago(70, 1n)]), 'allowed');
  });

  test('names who else must approve, above an amount', () => {
    const quorum = policy({
      approvers: {
        accounts: ['carol@example.com', 'dan@example.com'],
        needed: 2,
        above: [{ asset: TEST, amount: '100' }],
      },
    });
    const verdict = (amount: bigint, asset = TEST) =>
      judgePolicy({ version: 1, policy: quorum }, pays(amount, BOB, asset), [], NOW);
    assert.deepEqual(verdict(100n), { allowed: true, approvers: [], needed: 0 });
    assert.deepEqual(verdict(101n), {
      allowed: true,
      approvers: ['carol@example.com', 'dan@example.com'],
      needed: 2,
    });
    assert.equal((verdict(1n, '1.3.9') as { needed: number }).needed, 2);
  });

  test('explains a refusal by its version, what was asked and what may be', () => {
    const verdict = judgePolicy(
      { version: 3, policy: policy({ limits: [{ asset: TEST, amount: '100', per: 'day' }] }) },
      pays(101n),
      [],
      NOW,
    );
    assert.deepEqual(verdict, {
      allowed: false,
      rule: 'limit',
      version: 3,
      message:
        'with it 101 of 1.3.0 would be spent within a day, and 100 of 1.3.0 may be (version 3 of the policy)',
    });
  });
});

const amount = fc.integer({ min: 1, max: 6 });
const payee = fc.constantFrom(BOB, CAROL);
const outflow: fc.Arbitrary<Outflow> = fc.record({
  asset: fc.constantFrom(TEST, '1.3.1'),
  amount: amount.map(BigInt),
  payee,
});
const weighed: fc.Arbitrary<Weighed> = fc.record({
  outflows: fc.array(outflow, { maxLength: 3 }),
  changesOwner: fc.boolean(),
  opaque: fc.boolean(),
});
const anyPolicy: fc.Arbitrary<Policy> = fc.record({
  limits: fc.array(
    fc
      .record({
        asset: fc.constantFrom(TEST, '1.3.1'),
        amount: amount.map(String),
        per: fc.constantFrom('day' as const, 'transaction' as const),
        payee: fc.option(payee),
      })
      .map(({ payee, ...limit }) => (payee === null ? limit : { ...limit, payee })),
    { maxLength: 2 },
  ),
  owner_changes: fc.boolean(),
  payees: fc.option(fc.subarray([BOB, CAROL]), { nil: undefined }),
  velocity: fc.option(fc.record({ transactions: fc.nat(3), seconds: fc.integer({ min: 1, max: 100 }) }), {
    nil: undefined,
  }),
  approvers: fc.option(
    fc.record({
      accounts: fc.constantFrom(['carol@example.com'], ['carol@example.com', 'dan@example.com']),
      needed: fc.constant(1),
      above: fc.uniqueArray(
        fc.record({ asset: fc.constantFrom(TEST, '1.3.1'), amount: amount.map(String) }),
        {
          maxLength: 2,
          selector: ({ asset }) => asset,
        },
      ),
    }),
    { nil: undefined },
  ),
}) as fc.Arbitrary<Policy>;
const history = fc.array(
  fc.tuple(fc.nat(200), outflow).map(([seconds, one]): Before => ({ at: NOW - seconds, outflows: [one] })),
  { maxLength: 4 },
);

describe('a change of policy', () => {
  test('that does not raise lets nothing be signed that was refused before', () => {
    fc.assert(
      fc.property(anyPolicy, anyPolicy, weighed, history, (before, after, transaction, past) => {
        fc.pre(!raises(before, after));
        const [old, fresh] = [before, after].map((one) =>
          judgePolicy({ version: 1, policy: one }, transaction, past, NOW),
        );
        if (!old!.allowed) assert.ok(!fresh!.allowed, JSON.stringify([before, after]));
        else if (fresh!.allowed) assert.ok(fresh!.needed >= old!.needed);
      }),
      { numRuns: process.env.SLOW ? 50_000 : 2000, maxSkipsPerRun: 1000 },
    );
  });
  test('to itself raises nothing, and to one that says nothing it does', () => {
    fc.assert(fc.property(anyPolicy, (one) => assert.equal(raises(one, one), false)));
    assert.ok(raises(policy({ payees: [BOB] }), OPEN_POLICY));
    assert.ok(
      raises(
        policy({ limits: [{ asset: TEST, amount: '5', per: 'day' }] }),
        policy({ limits: [{ asset: TEST, amount: '6', per: 'day' }] }),
      ),
    );
    assert.equal(RAISE_WAIT, 86_400);
  });
});
