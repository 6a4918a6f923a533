import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { ChainAccount } from '../src/chain-client.ts';
import { signerFlaw } from '../src/signer-account.ts';

const [PROVIDER, OTHER] = ['1.2.7', '1.2.8'];
const authority = (
  account_auths: [string, number][],
  key_auths: [string, number][] = [],
  weight_threshold = 1,
) => ({ weight_threshold, account_auths, key_auths, address_auths: [] });

const made: ChainAccount = {
  id: '1.2.9',
  name: 'sfactor.alice',
  registrar: PROVIDER,
  owner: authority([[PROVIDER, 1]]),
  active: authority([], [['K', 1]]),
  owner_special_authority: [0, {}],
  active_special_authority: [0, {}],
  options: {},
};

const TOP_HOLDERS: [number, unknown] = [1, { asset: '1.3.1', num_top_holders: 3 }];

const BAD: readonly [string, Partial<ChainAccount>][] = [
  ['made by somebody else', { registrar: OTHER }],
  ['owned by somebody else', { owner: authority([[OTHER, 1]]) }],
  [
    'owned by somebody else too',
    {
      owner: authority([
        [PROVIDER, 1],
        [OTHER, 1],
      ]),
    },
  ],
  ['owned by a key too', { owner: authority([[PROVIDER, 1]], [['M', 1]]) }],
  ['owned by an address too', { owner: { ...authority([[PROVIDER, 1]]), address_auths: [['A', 1]] } }],
  ['owned at another threshold', { owner: authority([[PROVIDER, 2]], [], 2) }],
  ['owned by a key alone', { owner: authority([], [['M', 1]]) }],
  [
    'moved by two keys',
    {
      active: authority(
        [],
        [
          ['K', 1],
          ['M', 1],
        ],
      ),
    },
  ],
  ['moved by an account too', { active: authority([[OTHER, 1]], [['K', 1]]) }],
  ['moved by an account alone', { active: authority([[OTHER, 1]]) }],
  ['moved by an address too', { active: { ...made.active, address_auths: [['A', 1]] } }],
  ['moved at another threshold', { active: authority([], [['K', 1]], 0) }],
  ['owned by top holders', { owner_special_authority: TOP_HOLDERS }],
  ['moved by top holders', { active_special_authority: TOP_HOLDERS }],
];

describe('an account by which a provider signs', () => {
  test('is made by it, owned by it alone, and moved by one key', () => {
    assert.equal(signerFlaw(made, PROVIDER), undefined);
  });

  for (const [name, change] of BAD) {
    test(`is none that is ${name}`, () => {
      assert.notEqual(signerFlaw({ ...made, ...change }, PROVIDER), undefined);
    });
  }
});
