import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { withoutProvider, withProvider } from '../src/account-change.ts';
import { type AccountAuthorities, type Authority, AuthorityCheck } from '../src/authority.ts';

const SIGNER = '1.2.99';
const KEYS = ['a', 'b', 'c', 'd'];

const anyAuthority: fc.Arbitrary<Authority> = fc
  .uniqueArray(fc.tuple(fc.constantFrom(...KEYS), fc.integer({ min: 1, max: 4 })), {
    selector: ([key]) => key,
    minLength: 1,
  })
  .chain((key_auths) => {
    const total = key_auths.reduce((sum, [, weight]) => sum + weight, 0);
    return fc
      .integer({ min: 1, max: total })
      .map((weight_threshold) => ({ weight_threshold, key_auths, account_auths: [] }));
  });

const activeAfter = ([, { active }]: ReturnType<typeof withProvider>) => active as Authority;
const speaks = (authority: Authority, keys: readonly string[], provider: boolean) => {
  const check = new AuthorityCheck(new Map(), (key) => keys.includes(key));
  if (provider) check.approve(SIGNER);
  return check.holds(authority);
};

describe('an account that comes to require a provider', () => {
  test('does nothing without it, nor it alone, and all it could do before with it', () => {
    fc.assert(
      fc.property(anyAuthority, fc.subarray(KEYS), (before, keys) => {
        const after = activeAfter(withProvider({ id: '1.2.7', active: before }, SIGNER));
        assert.equal(speaks(after, keys, false), false);
        assert.equal(speaks(after, [], true), false);
        assert.equal(speaks(after, keys, true), speaks(before, keys, false));
      }),
      { numRuns: 1000 },
    );
  });

  test('and leaves it, is as it was', () => {
    fc.assert(
      fc.property(anyAuthority, (before) => {
        const after = activeAfter(withProvider({ id: '1.2.7', active: before }, SIGNER));
        const left = activeAfter(withoutProvider({ id: '1.2.7', active: after }, SIGNER));
        assert.deepEqual(left, { address_auths: [], ...before });
      }),
    );
  });

  test('and leaves it, lets no other provider act without a key of its own, whatever was set before', () => {
    const OTHERS = ['1.2.50', '1.2.60'];
    const anySetting = fc
      .tuple(anyAuthority, fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 3 }))
      .chain(([{ key_auths }, weights]) => {
        const account_auths = weights.map((weight, n) => [[...OTHERS, SIGNER].at(-1 - n)!, weight] as const);
        const total = [...key_auths, ...account_auths].reduce((sum, [, weight]) => sum + weight, 0);
        return fc
          .integer({ min: 1, max: total })
          .map((weight_threshold): Authority => ({ weight_threshold, key_auths, account_auths }));
      });
    fc.assert(
      fc.property(anySetting, (before) => {
        const left = activeAfter(withoutProvider({ id: '1.2.7', active: before }, SIGNER));
        const check = (keys: readonly string[]) => {
          const one = new AuthorityCheck(new Map(), (key) => keys.includes(key));
          for (const id of OTHERS) one.approve(id);
          return one.holds(left);
        };
        assert.equal(check([]), false);
        assert.equal(check(KEYS), true);
      }),
      { numRuns: 1000 },
    );
  });

  test('and leaves one of two of which it needed either, needs the other', () => {
    const active: Authority = {
      weight_threshold: 2,
      key_auths: [['a', 1]],
      account_auths: [
        ['1.2.90', 1],
        [SIGNER, 1],
      ],
    };
    const left = activeAfter(withoutProvider({ id: '1.2.7', active }, SIGNER));
    assert.equal(left.weight_threshold, 2);
    assert.deepEqual(left.account_auths, [['1.2.90', 1]]);
  });

  test('and leaves it, is as it was where a friend could act for it', () => {
    const friend = {
      id: '1.2.50',
      owner: { weight_threshold: 1, key_auths: [['f', 1]], account_auths: [] },
      active: { weight_threshold: 1, key_auths: [['f', 1]], account_auths: [] },
    } satisfies AccountAuthorities;
    const before: Authority = { weight_threshold: 1, key_auths: [['a', 1]], account_auths: [[friend.id, 1]] };
    const after = activeAfter(withProvider({ id: '1.2.7', active: before }, SIGNER));
    const left = withoutProvider({ id: '1.2.7', active: after }, SIGNER, new Map([[friend.id, friend]]));
    assert.deepEqual(activeAfter(left), { address_auths: [], ...before });
  });

  test('is never left to providers alone', () => {
    const active: Authority = {
      weight_threshold: 2,
      key_auths: [],
      account_auths: [
        ['1.2.50', 1],
        [SIGNER, 1],
      ],
    };
    assert.throws(() => withoutProvider({ id: '1.2.7', active }, SIGNER), { code: 'cosign-conflict' });
  });

  test('of one key becomes two of two, and with a second provider three of three', () => {
    const one = { weight_threshold: 1, key_auths: [['a', 1]], account_auths: [] } satisfies Authority;
    const two = activeAfter(withProvider({ id: '1.2.7', active: one as Authority }, '1.2.90'));
    const three = activeAfter(withProvider({ id: '1.2.7', active: two }, '1.2.80'));
    assert.deepEqual(three.account_auths, [
      ['1.2.80', 1],
      ['1.2.90', 1],
    ]);
    assert.equal(three.weight_threshold, 3);
    assert.throws(() => withProvider({ id: '1.2.7', active: three }, '1.2.80'), { code: 'cosign-conflict' });
    assert.throws(() => withoutProvider({ id: '1.2.7', active: three }, '1.2.70'), {
      code: 'cosign-conflict',
    });
  });
});
