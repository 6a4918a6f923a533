import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Authority, Snapshot } from '../src/authority.ts';
import type { ChainProposal } from '../src/chain-client.ts';
import { keysToAdd, standingOf } from '../src/proposal-standing.ts';

const of = (threshold: number, keys: string[], accounts: string[] = []): Authority => ({
  weight_threshold: threshold,
  key_auths: keys.map((key) => [key, 1] as const),
  account_auths: accounts.map((id) => [id, 1] as const),
});
const ALICE = '1.2.10';
const SIGNER = '1.2.11';
const BOB = '1.2.12';
const snapshot: Snapshot = new Map(
  [
    { id: ALICE, owner: of(1, ['alice-owner']), active: of(2, ['alice'], [SIGNER]) },
    { id: SIGNER, owner: of(1, ['signer-owner']), active: of(1, ['signer']) },
    { id: BOB, owner: of(1, ['bob-owner']), active: of(1, ['bob']) },
  ].map((account) => [account.id, account]),
);

function proposal(keys: string[], active: string[] = [], payers = [ALICE]): ChainProposal {
  return {
    id: '1.10.1',
    expiration_time: '2026-01-01T00:00:00',
    proposed_transaction: { operations: payers.map((from) => [0, { from, to: BOB }]) },
    required_active_approvals: payers,
    required_owner_approvals: [],
    available_active_approvals: active,
    available_owner_approvals: [],
    available_key_approvals: keys,
  };
}

describe('how far a proposal is', () => {
  test('says which members of an account have not spoken yet', () => {
    const lacking = (keys: string[], active?: string[]) =>
      standingOf(proposal(keys, active), snapshot).lacking;
    const account = { account: ALICE, authority: 'active', threshold: 2 };
    assert.deepEqual(lacking([]), [{ ...account, weight: 0, members: ['alice', SIGNER] }]);
    assert.deepEqual(lacking(['alice']), [{ ...account, weight: 1, members: [SIGNER] }]);
    assert.deepEqual(lacking([], [SIGNER]), [{ ...account, weight: 1, members: ['alice'] }]);
    assert.deepEqual(lacking(['signer']), [{ ...account, weight: 1, members: ['alice'] }]);
  });

  test('counts each account for itself', () => {
    const { state, lacking } = standingOf(proposal(['alice'], [SIGNER], [ALICE, BOB]), snapshot);
    assert.equal(state, 'waits');
    assert.deepEqual(
      lacking.map(({ account }) => account),
      [BOB],
    );
  });

  test('is approved by whatever the chain takes, and kept back by an approval too many', () => {
    for (const one of [proposal(['alice'], [SIGNER]), proposal(['alice-owner']), proposal([], [ALICE])]) {
      assert.deepEqual(standingOf(one, snapshot), { state: 'approved', lacking: [], spare: [] });
    }
    const blocked = standingOf(proposal(['alice', 'mallet'], [SIGNER]), snapshot);
    assert.deepEqual(blocked, { state: 'blocked', lacking: [], spare: ['mallet'] });
  });
});

describe('the keys that bring a proposal on', () => {
  test('are the fewest, and those of others are not among them', () => {
    assert.deepEqual(keysToAdd(proposal([]), ['alice', 'bob'], snapshot), ['alice']);
    assert.deepEqual(keysToAdd(proposal([]), ['alice', 'alice-owner'], snapshot), ['alice-owner']);
    assert.deepEqual(keysToAdd(proposal(['alice']), ['alice'], snapshot), []);
    assert.deepEqual(keysToAdd(proposal([], [ALICE]), ['alice'], snapshot), []);
    assert.deepEqual(keysToAdd(proposal([]), ['bob'], snapshot), []);
    assert.deepEqual(keysToAdd(proposal([], [], [ALICE, BOB]), ['bob', 'alice'], snapshot), ['bob', 'alice']);
  });
});
