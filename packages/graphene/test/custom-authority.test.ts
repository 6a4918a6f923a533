import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import type { AccountAuthorities, Authority, Snapshot } from '../src/authority.ts';
import type { Chain } from '../src/chain.ts';
import { type CustomAuthority, type ViableAuthority, viableAuthorities } from '../src/custom-authority.ts';
import type { Operation, OperationOf } from '../src/operations.ts';
import { type OperationJson, requiredAuthorities } from '../src/required-authorities.ts';
import { parseOperation } from '../src/transaction.ts';
import { verifyAuthority } from '../src/transaction-authority.ts';
import { keyText, newPerson, PREFIX } from './chain/people.ts';
import { naiveVerdict } from './naive-authority.ts';
import { naivelyHold, type RestrictionJson } from './naive-restrictions.ts';

const runs = process.env.SLOW ? 50_000 : 3000;
const CHAIN: Chain = { id: '11'.repeat(32), prefix: PREFIX };
const NOW = 1_800_000_000;
const [ALICE, BOB] = ['1.2.17', '1.2.18'];
const key = keyText(newPerson('anybody').active);

const authority = (threshold: number, ...keys: string[]): Authority => ({
  weight_threshold: threshold,
  account_auths: [],
  key_auths: keys.map((one) => [one, 1]),
});
const restriction = (
  member_index: number,
  restriction_type: number,
  kind: number,
  value: unknown,
): RestrictionJson => ({ member_index, restriction_type, argument: [kind, value], extensions: [] });

/** As an account_create_custom_authority operation carries it. */
function custom(
  operation_type: number,
  restrictions: readonly RestrictionJson[],
  auth = authority(1, 'custom'),
): CustomAuthority {
  const json = {
    fee: { amount: 0, asset_id: '1.3.0' },
    account: ALICE,
    enabled: true,
    valid_from: '2026-01-01T00:00:00',
    valid_to: '2030-01-01T00:00:00',
    operation_type,
    auth: { ...authority(1, key), address_auths: [] },
    restrictions,
    extensions: [],
  };
  const { value } = parseOperation([54, json], CHAIN) as OperationOf<'custom_authority_create'>;
  return { ...value, auth };
}
const pay = (fields: object = {}): OperationJson => [
  0,
  {
    fee: { amount: 1, asset_id: '1.3.0' },
    from: ALICE,
    to: BOB,
    amount: { amount: 500, asset_id: '1.3.0' },
    extensions: [],
    ...fields,
  },
];
const parsed = (operation: OperationJson): Operation => parseOperation(operation, CHAIN);
const certainty = (one: CustomAuthority, operation: OperationJson, now = NOW) =>
  viableAuthorities([one], [parsed(operation)], now).map(({ certain }) => certain);

describe('a custom authority speaks', () => {
  const small = [restriction(3, 10, 39, [restriction(0, 3, 2, 500), restriction(1, 0, 8, '1.3.0')])];
  test('for its kind of operation, within its restrictions', () => {
    assert.deepEqual(certainty(custom(0, small), pay()), [true]);
    assert.deepEqual(certainty(custom(0, small), pay({ amount: { amount: 501, asset_id: '1.3.0' } })), []);
    assert.deepEqual(certainty(custom(0, small), pay({ amount: { amount: 5, asset_id: '1.3.1' } })), []);
    assert.deepEqual(certainty(custom(1, []), pay()), []);
  });
  test('while it is enabled and in its time', () => {
    const one = custom(0, []);
    assert.deepEqual(certainty(one, pay()), [true]);
    assert.deepEqual(certainty({ ...one, enabled: false }, pay()), []);
    assert.deepEqual(certainty(one, pay(), one.valid_from - 1), []);
    assert.deepEqual(certainty(one, pay(), one.valid_from), [true]);
    assert.deepEqual(certainty(one, pay(), one.valid_to), []);
  });
  test('and where the chain’s own answer is an accident, there is doubt', () => {
    const memo = [restriction(4, 10, 39, [restriction(2, 0, 2, 1)])];
    assert.deepEqual(certainty(custom(0, memo), pay()), [false]);
    assert.deepEqual(certainty(custom(0, [restriction(4, 0, 0, {})]), pay()), [true]);
    assert.deepEqual(certainty(custom(0, [restriction(99, 0, 2, 1)]), pay()), [false]);
  });
});

describe('in a transaction', () => {
  const accounts: Snapshot = new Map<string, AccountAuthorities>([
    [ALICE!, { id: ALICE!, active: authority(2, 'own', 'provider'), owner: authority(1, 'owner') }],
  ]);
  const verdict = (signers: string[], viable: readonly ViableAuthority[], operations = [pay()]) => {
    const judged = verifyAuthority(operations, signers, accounts, {}, { custom: viable });
    return judged.valid ? 'valid' : judged.error;
  };
  const speaks = (auth: Authority, certain = true, place = 0): ViableAuthority => ({
    account: ALICE!,
    place,
    auth,
    certain,
  });
  test('it speaks in the place of the active authority, in its operation alone', () => {
    assert.equal(verdict(['custom'], [speaks(authority(1, 'custom'))]), 'valid');
    assert.equal(verdict(['custom'], []), 'tx_missing_active_auth');
    const two = [pay(), pay({ to: '1.2.19' })];
    assert.equal(verdict(['custom'], [speaks(authority(1, 'custom'))], two), 'tx_missing_active_auth');
    const both = [speaks(authority(1, 'custom')), speaks(authority(1, 'custom'), true, 1)];
    assert.equal(verdict(['custom'], both, two), 'valid');
  });
  test('what it makes needless is too much: the provider’s signature where the own key has spoken by it', () => {
    const own = [speaks(authority(1, 'own'))];
    assert.equal(verdict(['own', 'provider'], own), 'tx_irrelevant_sig');
    assert.equal(verdict(['own'], own), 'valid');
  });
  test('it never speaks for the owner', () => {
    const take: OperationJson = [6, { account: ALICE, owner: authority(1, 'new') }];
    assert.equal(verdict(['custom'], [speaks(authority(1, 'custom'))], [take]), 'tx_missing_owner_auth');
  });
  test('in doubt, what is valid is so either way', () => {
    const doubt = [speaks(authority(1, 'custom'), false)];
    assert.equal(verdict(['custom'], doubt), 'tx_missing_active_auth');
    assert.equal(verdict(['own', 'provider'], doubt), 'valid');
    assert.equal(verdict(['own', 'provider'], [speaks(authority(1, 'own'), false)]), 'tx_irrelevant_sig');
    const many = Array.from({ length: 7 }, () => speaks(authority(1, 'nobody'), false));
    assert.equal(verdict(['own', 'provider'], many), 'tx_missing_active_auth');
  });
});

describe('against a second reading', () => {
  const account = fc.constantFrom('1.2.17', '1.2.18', '1.2.9');
  const asset = fc.constantFrom('1.3.0', '1.3.1', '1.3.10');
  const whole = fc.integer({ min: 0, max: 4 });
  const time = fc.constantFrom('2027-01-01T00:00:00', '2027-01-02T00:00:00');
  const amount = fc.record({ amount: whole, asset_id: asset });
  const memo = fc.record({
    from: fc.constant(key),
    to: fc.constant(key),
    nonce: whole.map(String),
    message: fc.constant('ab'),
  });
  const ids = fc.uniqueArray(account);
  const operation: fc.Arbitrary<OperationJson> = fc.oneof(
    fc
      .record(
        { fee: amount, from: account, to: account, amount, memo, extensions: fc.constant([]) },
        { requiredKeys: ['fee', 'from', 'to', 'amount', 'extensions'] },
      )
      .map((fields): OperationJson => [0, fields]),
    fc
      .record({
        fee: amount,
        seller: account,
        amount_to_sell: amount,
        min_to_receive: amount,
        expiration: time,
        fill_or_kill: fc.boolean(),
        extensions: fc.constant({}),
      })
      .map((fields): OperationJson => [1, fields]),
    fc
      .record({ fee: amount, payer: account, required_auths: ids, id: whole, data: fc.constant('00') })
      .map((fields): OperationJson => [35, fields]),
  );
  const argument: fc.Arbitrary<readonly [number, unknown]> = fc.oneof(
    fc.constant([0, {}] as const),
    fc.boolean().map((one) => [1, one] as const),
    whole.map((one) => [2, one] as const),
    time.map((one) => [4, one] as const),
    account.map((one) => [7, one] as const),
    asset.map((one) => [8, one] as const),
    fc.uniqueArray(whole).map((all) => [21, all] as const),
    ids.map((all) => [26, all] as const),
    fc.uniqueArray(asset).map((all) => [27, all] as const),
  );
  /** Such as the chain lets be made. */
  const compared = fc.integer({ min: 0, max: 5 });
  const wellTyped: fc.Arbitrary<RestrictionJson> = fc.oneof(
    fc.tuple(compared, account).map(([type, id]) => restriction(1, type, 7, id)),
    fc.tuple(fc.integer({ min: 6, max: 7 }), ids).map(([type, all]) => restriction(1, type, 26, all)),
    fc
      .tuple(fc.constantFrom(0, 3), fc.array(fc.tuple(compared, whole), { minLength: 1, maxLength: 2 }))
      .map(([member, all]) => {
        const inner = all.map(([type, value]) => restriction(0, type, 2, value));
        return restriction(member, 10, 39, inner);
      }),
  );
  const { one: anyRestriction } = fc.letrec<{ one: RestrictionJson; all: RestrictionJson[] }>((tie) => ({
    one: fc.oneof(
      { maxDepth: 3 },
      { arbitrary: wellTyped, weight: 4 },
      fc.record({
        member_index: fc.integer({ min: 0, max: 6 }),
        restriction_type: fc.integer({ min: 0, max: 9 }),
        argument,
        extensions: fc.constant([] as const),
      }),
      fc
        .tuple(fc.integer({ min: 0, max: 4 }), tie('all'))
        .map(([member, all]) => restriction(member, 10, 39, all)),
      fc.array(tie('all'), { minLength: 2, maxLength: 3 }).map((all) => restriction(0, 11, 40, all)),
    ),
    all: fc.array(tie('one'), { minLength: 1, maxLength: 3 }),
  }));

  test('restrictions hold, do not hold, or are in doubt alike', () => {
    const seen = { yes: 0, no: 0, unsure: 0 };
    fc.assert(
      fc.property(
        fc.array(anyRestriction, { minLength: 1, maxLength: 2 }),
        operation,
        (restrictions, one) => {
          const expected = naivelyHold(restrictions, one);
          seen[expected]++;
          const [certain] = certainty(custom(one[0], restrictions), one);
          assert.equal(certain === undefined ? 'no' : certain ? 'yes' : 'unsure', expected);
        },
      ),
      { numRuns: runs },
    );
    for (const count of Object.values(seen)) assert.ok(count > runs / 50, JSON.stringify(seen));
  });

  const KEYS = ['a', 'b', 'c'];
  const anyAuthority: fc.Arbitrary<Authority> = fc.record({
    weight_threshold: fc.integer({ min: 1, max: 2 }),
    account_auths: fc.uniqueArray(fc.tuple(account, fc.constant(1)), {
      selector: ([id]) => id,
      maxLength: 1,
    }),
    key_auths: fc.uniqueArray(fc.tuple(fc.constantFrom(...KEYS), fc.constant(1)), {
      selector: ([one]) => one,
    }),
  });
  const anySnapshot = fc
    .tuple(
      ...['1.2.17', '1.2.18', '1.2.9'].map((id) =>
        fc.record({ id: fc.constant(id), active: anyAuthority, owner: anyAuthority }),
      ),
    )
    .map((all): Snapshot => new Map(all.map((one) => [one.id, one])));
  const anyViable = fc.record({ account, place: fc.nat(1), auth: anyAuthority, certain: fc.constant(true) });

  test('so are verdicts over transactions in which custom authorities may speak', () => {
    fc.assert(
      fc.property(
        fc.array(operation, { minLength: 1, maxLength: 2 }),
        fc.subarray(KEYS),
        anySnapshot,
        fc.array(anyViable, { maxLength: 3 }),
        (operations, signers, accounts, viable) => {
          const judged = verifyAuthority(operations, signers, accounts, {}, { custom: viable });
          const perOperation = operations.map((one, place) => ({
            active: requiredAuthorities([one]).active,
            custom: viable.filter((some) => some.place === place),
          }));
          const expected = naiveVerdict(
            requiredAuthorities(operations),
            signers,
            accounts,
            {},
            {
              operations: perOperation,
            },
          );
          assert.equal(judged.valid ? 'valid' : judged.error, expected);
        },
      ),
      { numRuns: runs },
    );
  });

  test('what is in doubt is never accepted where either answer would refuse', () => {
    fc.assert(
      fc.property(operation, fc.subarray(KEYS), anySnapshot, anyViable, (one, signers, accounts, viable) => {
        const by = (custom: readonly ViableAuthority[]) =>
          verifyAuthority([one], signers, accounts, {}, { custom }).valid;
        const doubt = by([{ ...viable, place: 0, certain: false }]);
        assert.equal(doubt, by([]) && by([{ ...viable, place: 0, certain: true }]));
      }),
      { numRuns: runs },
    );
  });
});
