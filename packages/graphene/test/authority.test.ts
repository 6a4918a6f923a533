import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { type AccountAuthorities, type Authority, authorityFlaw, type Snapshot } from '../src/authority.ts';
import { feePayer, type OperationJson, requiredAuthorities } from '../src/required-authorities.ts';
import { minimalKeys, potentialKeys, requiredKeys, verifyAuthority } from '../src/transaction-authority.ts';
import { naiveVerdict } from './naive-authority.ts';

const runs = process.env.SLOW ? 20_000 : 1000;

type Members = Readonly<Record<string, number>>;

/** `1.2.x` names an account, all else a key. */
function authority(threshold: number, members: Members): Authority {
  const all = Object.entries(members);
  return {
    weight_threshold: threshold,
    account_auths: all.filter(([name]) => name.startsWith('1.2.')),
    key_auths: all.filter(([name]) => !name.startsWith('1.2.')),
  };
}

function snapshot(...accounts: [id: string, active: Authority, owner?: Authority][]): Snapshot {
  return new Map(
    accounts.map(([id, active, owner = authority(1, { [`owner of ${id}`]: 1 })]) => [
      id,
      { id, active, owner },
    ]),
  );
}

const transferFrom = (from: string): OperationJson => [0, { from, to: '1.2.999' }];
const changeOwner = (account: string): OperationJson => [6, { account, owner: authority(1, { new: 1 }) }];

function verdict(operation: OperationJson, signers: string[], accounts: Snapshot): string {
  const judged = verifyAuthority([operation], signers, accounts);
  return judged.valid ? 'valid' : judged.error;
}

const ALICE = '1.2.17';
const SFACTOR_ALICE = '1.2.18';
const SFACTOR = '1.2.19';

/** alice needs her key and sfactor.alice; sfactor owns that one. */
const enrolled = snapshot(
  [ALICE, authority(2, { 'key of alice': 1, [SFACTOR_ALICE]: 1 })],
  [SFACTOR_ALICE, authority(1, { 'key of sfactor.alice': 1 }), authority(1, { [SFACTOR]: 1 })],
  [SFACTOR, authority(1, { 'key of sfactor': 1 })],
);

describe('an account that requires its key and its provider', () => {
  const transfer = transferFrom(ALICE);

  test('is not moved by its key alone', () => {
    assert.equal(verdict(transfer, ['key of alice'], enrolled), 'tx_missing_active_auth');
  });
  test('is not moved by the provider alone', () => {
    assert.equal(verdict(transfer, ['key of sfactor.alice'], enrolled), 'tx_missing_active_auth');
    assert.equal(
      verdict(transfer, ['key of sfactor.alice', 'key of sfactor'], enrolled),
      'tx_missing_active_auth',
    );
  });
  test('is moved by both', () => {
    assert.equal(verdict(transfer, ['key of alice', 'key of sfactor.alice'], enrolled), 'valid');
  });
  test('is left by its owner alone', () => {
    assert.equal(verdict(transfer, [`owner of ${ALICE}`], enrolled), 'valid');
    assert.equal(verdict(changeOwner(ALICE), [`owner of ${ALICE}`], enrolled), 'valid');
  });
  test('changes its owner by its owner alone, whatever its active authority says', () => {
    assert.equal(
      verdict(changeOwner(ALICE), ['key of alice', 'key of sfactor.alice'], enrolled),
      'tx_missing_owner_auth',
    );
  });
  test('has keys of all of its paths among the potential ones', () => {
    assert.deepEqual(
      [...potentialKeys([transfer], enrolled)].sort(),
      [
        'key of alice',
        'key of sfactor',
        'key of sfactor.alice',
        `owner of ${ALICE}`,
        `owner of ${SFACTOR}`,
      ].sort(),
    );
  });
  test('is asked for exactly the signatures that count', () => {
    const keys = ['key of alice', 'key of sfactor.alice', 'key of sfactor', 'a stranger’s key'];
    assert.deepEqual(minimalKeys([transfer], keys, enrolled), ['key of alice', 'key of sfactor.alice']);
    assert.equal(minimalKeys([transfer], ['key of alice'], enrolled), undefined);
    assert.deepEqual(minimalKeys([transfer], keys, enrolled, {}, ['key of alice']), ['key of sfactor.alice']);
    assert.deepEqual(
      requiredKeys([transfer], ['key of sfactor.alice'], ['key of alice'], enrolled),
      new Set(['key of sfactor.alice']),
    );
  });
});

describe('signatures', () => {
  const both = ['key of alice', 'key of sfactor.alice'];
  test('twice by one key are refused as duplicate', () => {
    assert.equal(verdict(transferFrom(ALICE), [...both, 'key of alice'], enrolled), 'tx_duplicate_sig');
  });
  test('that nobody asked for are refused as irrelevant, and named', () => {
    const judged = verifyAuthority([transferFrom(ALICE)], [...both, 'a stranger’s key'], enrolled);
    assert.deepEqual(judged, { valid: false, error: 'tx_irrelevant_sig', keys: ['a stranger’s key'] });
  });
  test('beyond the threshold are irrelevant too', () => {
    const two = snapshot([ALICE, authority(2, { a: 1, b: 1, c: 1 })]);
    assert.equal(verdict(transferFrom(ALICE), ['a', 'b', 'c'], two), 'tx_irrelevant_sig');
    assert.deepEqual(minimalKeys([transferFrom(ALICE)], ['c', 'a', 'b'], two), ['c', 'a']);
  });
});

describe('weights and depth', () => {
  test('two of three', () => {
    const three = snapshot([ALICE, authority(2, { a: 1, b: 1, c: 1 })]);
    for (const pair of [
      ['a', 'b'],
      ['a', 'c'],
      ['b', 'c'],
    ])
      assert.equal(verdict(transferFrom(ALICE), pair, three), 'valid');
    assert.equal(verdict(transferFrom(ALICE), ['c'], three), 'tx_missing_active_auth');
  });
  test('unequal weights', () => {
    const unequal = snapshot([ALICE, authority(3, { heavy: 2, light: 1, lighter: 1 })]);
    assert.equal(verdict(transferFrom(ALICE), ['light', 'lighter'], unequal), 'tx_missing_active_auth');
    assert.equal(verdict(transferFrom(ALICE), ['heavy', 'lighter'], unequal), 'valid');
  });
  test('two providers of weight 1 with threshold 3: all three are needed', () => {
    const two = snapshot(
      [ALICE, authority(3, { 'key of alice': 1, '1.2.18': 1, '1.2.28': 1 })],
      ['1.2.18', authority(1, { first: 1 })],
      ['1.2.28', authority(1, { second: 1 })],
    );
    const all = ['key of alice', 'first', 'second'];
    assert.equal(verdict(transferFrom(ALICE), all, two), 'valid');
    for (const missing of all) {
      const rest = all.filter((key) => key !== missing);
      assert.equal(verdict(transferFrom(ALICE), rest, two), 'tx_missing_active_auth');
    }
  });
  test('an account three steps down is not looked at', () => {
    const chain = (last: number) =>
      snapshot(
        ...Array.from({ length: last }, (_, n): [string, Authority] => [
          `1.2.${n}0`,
          authority(1, { [`1.2.${n + 1}0`]: 1 }),
        ]),
        [`1.2.${last}0`, authority(1, { deep: 1 })],
      );
    assert.equal(verdict(transferFrom('1.2.00'), ['deep'], chain(2)), 'valid');
    assert.equal(verdict(transferFrom('1.2.00'), ['deep'], chain(3)), 'tx_missing_active_auth');
  });
  test('accounts in a circle approve nothing, and end', () => {
    const circle = snapshot(
      ['1.2.20', authority(1, { '1.2.21': 1 }), authority(1, { '1.2.21': 1 })],
      ['1.2.21', authority(1, { '1.2.20': 1 }), authority(1, { '1.2.20': 1 })],
    );
    assert.equal(verdict(transferFrom('1.2.20'), ['any'], circle), 'tx_missing_active_auth');
    assert.equal(authorityFlaw(authority(1, { '1.2.20': 1 }), circle), 'unsatisfiable');
  });
});

describe('an authority that should never be set', () => {
  const eleven = Object.fromEntries(Array.from({ length: 11 }, (_, n) => [`k${n}`, 1]));
  for (const [flaw, wrong] of [
    ['empty', authority(1, {})],
    ['open', authority(0, { a: 1 })],
    ['impossible', authority(3, { a: 1, b: 1 })],
    ['too-many-members', authority(1, eleven)],
    ['unknown-account', authority(1, { '1.2.404': 1 })],
    ['address', { ...authority(1, { a: 1 }), address_auths: [['BTSaddress', 1]] }],
  ] as const) {
    test(`is known as ${flaw}`, () => assert.equal(authorityFlaw(wrong, enrolled), flaw));
  }
  test('is told from a good one', () => {
    assert.equal(authorityFlaw(enrolled.get(ALICE)!.active, enrolled), undefined);
  });
});

describe('operations', () => {
  test('name their payer; virtual and unknown ones are refused', () => {
    assert.equal(feePayer([5, { registrar: '1.2.5' }]), '1.2.5');
    assert.equal(feePayer([77, { seller: '1.2.6' }]), '1.2.6');
    for (const kind of [4, 42, 74, 78, -1])
      assert.throws(() => feePayer([kind, {}]), { code: 'input-invalid' });
  });
  test('ask for the owner once, where they ask for both', () => {
    assert.deepEqual(requiredAuthorities([transferFrom(ALICE), changeOwner(ALICE)]), {
      active: [],
      owner: [ALICE],
      other: [],
    });
  });
  test('of the committee are refused outside proposals', () => {
    assert.equal(verdict([31, {}], [], enrolled), 'invalid_committee_approval');
  });
  test('a proposal’s approvals by key are all asked for', () => {
    const approve: OperationJson = [23, { fee_paying_account: ALICE, key_approvals_to_add: ['k1', 'k2'] }];
    const keys = ['key of alice', 'key of sfactor.alice', 'k1', 'k2'];
    assert.equal(verdict(approve, keys, enrolled), 'valid');
    assert.equal(verdict(approve, keys.slice(0, 3), enrolled), 'tx_missing_other_auth');
  });
});

/** Small worlds, where keys and accounts meet again and again, in circles too. */
const IDS = ['1.2.30', '1.2.31', '1.2.32', '1.2.33', '1.2.34'];
const KEYS = ['a', 'b', 'c', 'd', 'e', 'f'];
const anyAuthority: fc.Arbitrary<Authority> = fc.record({
  weight_threshold: fc.nat(4),
  account_auths: fc.uniqueArray(fc.tuple(fc.constantFrom(...IDS, '1.2.4'), fc.integer({ min: 1, max: 3 })), {
    selector: ([id]) => id,
    maxLength: 3,
  }),
  key_auths: fc.uniqueArray(fc.tuple(fc.constantFrom(...KEYS), fc.integer({ min: 1, max: 3 })), {
    selector: ([key]) => key,
    maxLength: 3,
  }),
});
const anySnapshot = fc
  .tuple(...IDS.map((id) => fc.record({ id: fc.constant(id), active: anyAuthority, owner: anyAuthority })))
  .map((all) => new Map<string, AccountAuthorities>(all.map((one) => [one.id, one])));
const anyOperation: fc.Arbitrary<OperationJson> = fc.oneof(
  fc.constantFrom(...IDS).map(transferFrom),
  fc.constantFrom(...IDS).map(changeOwner),
  fc
    .record({
      fee_paying_account: fc.constantFrom(...IDS),
      key_approvals_to_add: fc.subarray(KEYS, { maxLength: 2 }),
    })
    .map((fields): OperationJson => [23, fields]),
);
const operations = fc.array(anyOperation, { minLength: 1, maxLength: 3 });
const rules = fc.record({ maxDepth: fc.nat(3), ownerBelow: fc.boolean() });

describe('against the naive rules', () => {
  test('every verdict is the same', () => {
    fc.assert(
      fc.property(
        operations,
        fc.array(fc.constantFrom(...KEYS), { maxLength: 5 }),
        anySnapshot,
        rules,
        (ops, signers, accounts, rule) => {
          const judged = verifyAuthority(ops, signers, accounts, rule);
          assert.equal(
            judged.valid ? 'valid' : judged.error,
            naiveVerdict(requiredAuthorities(ops), signers, accounts, rule),
          );
        },
      ),
      { numRuns: runs },
    );
  });

  test('so are those with approvals given', () => {
    fc.assert(
      fc.property(
        operations,
        fc.subarray(IDS),
        fc.subarray(IDS),
        anySnapshot,
        (ops, active, owner, accounts) => {
          const judged = verifyAuthority(ops, [], accounts, {}, { active, owner });
          assert.equal(
            judged.valid ? 'valid' : judged.error,
            naiveVerdict(requiredAuthorities(ops), [], accounts, {}, { active, owner }),
          );
        },
      ),
      { numRuns: runs },
    );
  });

  test('minimal signatures are valid, none of them can be left out, and they are found where there are any', () => {
    const every = Array.from({ length: 2 ** KEYS.length }, (_, mask) =>
      KEYS.filter((_k, bit) => mask & (1 << bit)),
    );
    fc.assert(
      fc.property(operations, anySnapshot, fc.shuffledSubarray(KEYS), (ops, accounts, available) => {
        const asked = requiredAuthorities(ops);
        const good = (keys: readonly string[]) => naiveVerdict(asked, keys, accounts) === 'valid';
        const found = minimalKeys(ops, available, accounts);
        const exists = every.some((keys) => keys.every((key) => available.includes(key)) && good(keys));
        assert.equal(found !== undefined, exists);
        if (found === undefined) return;
        assert.ok(good(found));
        for (const key of found) assert.ok(!good(found.filter((one) => one !== key)));
      }),
      { numRuns: runs },
    );
  });

  test('required keys are among those at hand, and potential ones hold every minimal choice', () => {
    fc.assert(
      fc.property(
        operations,
        anySnapshot,
        fc.subarray(KEYS),
        fc.subarray(KEYS),
        (ops, accounts, available, signers) => {
          const required = requiredKeys(ops, available, signers, accounts);
          for (const key of required) assert.ok(available.includes(key) && !signers.includes(key));
          const potential = potentialKeys(ops, accounts);
          for (const key of minimalKeys(ops, available, accounts) ?? []) assert.ok(potential.has(key));
        },
      ),
      { numRuns: runs },
    );
  });
});
