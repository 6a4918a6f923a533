import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { refused } from '../../core/test/refused.ts';
import { encodeArguments } from '../src/argument-link.ts';
import type { Snapshot } from '../src/authority.ts';
import { BITSHARES } from '../src/chain.ts';
import { type ChainPrivateKey, formatPublicKey, newPrivateKey, privateKeyFromBytes } from '../src/keys.ts';
import { signDigest } from '../src/signature.ts';
import {
  formatLogin,
  formatLoginAnswer,
  type LoginSession,
  type LoginVerdict,
  loginDigest,
  parseLogin,
  parseLoginAnswer,
  verifyLogin,
} from '../src/wallet-login.ts';

const PAGE = 'https://wallet.example/login';
const key = (byte: number) => privateKeyFromBytes(new Uint8Array(32).fill(byte));
const text = (one: ChainPrivateKey) => formatPublicKey(one.publicKey, 'BTS');
const [alice, sfactor, mallet] = [key(11), key(12), key(13)] as const;
const by = (one: ChainPrivateKey) =>
  ({ weight_threshold: 1, account_auths: [], key_auths: [[text(one), 1]] }) as const;

/** alice needs her own key and sfactor.alice. */
const snapshot: Snapshot = new Map([
  [
    '1.2.17',
    {
      id: '1.2.17',
      owner: by(key(14)),
      active: { weight_threshold: 2, account_auths: [['1.2.18', 1]], key_auths: [[text(alice), 1]] },
    },
  ],
  ['1.2.18', { id: '1.2.18', owner: by(sfactor), active: by(sfactor) }],
]);

const session = (changes: Partial<LoginSession> = {}): LoginSession => ({
  key: newPrivateKey(),
  callback: 'https://shop.example/login?next=%2Fcart',
  ...changes,
});

/** What a wallet does with a link. */
function answer(link: string, signers: readonly ChainPrivateKey[], account = 'alice'): string {
  const request = parseLogin(link, BITSHARES);
  const own = newPrivateKey();
  const digest = loginDigest(request, account, own, BITSHARES);
  const signatures = signers.map((signer) => signDigest(digest, signer));
  return formatLoginAnswer(request, account, own, signatures, BITSHARES);
}

function verdict(address: string, of: LoginSession, id = '1.2.17'): LoginVerdict {
  return verifyLogin(parseLoginAnswer(address), of, id, snapshot, BITSHARES);
}

describe('a login by the wallet', () => {
  test('logs in whose keys suffice, all of them', () => {
    const of = session();
    const address = answer(formatLogin(PAGE, of, BITSHARES), [alice, sfactor]);
    assert.ok(address.startsWith('https://shop.example/login?next=%2Fcart&a='));
    assert.deepEqual(verdict(address, of), {
      valid: true,
      account: 'alice',
      keys: [text(alice), text(sfactor)],
    });
  });

  test('with too few signatures, or those of a stranger, fails', () => {
    const of = session();
    const link = formatLogin(PAGE, of, BITSHARES);
    for (const signers of [[alice], [sfactor], [mallet], [alice, mallet]]) {
      assert.deepEqual(verdict(answer(link, signers), of), {
        valid: false,
        reason: 'insufficient-authority',
      });
    }
    assert.deepEqual(verdict(answer(link, [alice, sfactor, mallet]), of), {
      valid: false,
      reason: 'irrelevant-signature',
    });
  });

  test('answered for one session logs into no other', () => {
    const [one, two] = [session(), session()];
    const address = answer(formatLogin(PAGE, one, BITSHARES), [alice, sfactor]);
    assert.deepEqual(verdict(address, two), { valid: false, reason: 'another-session' });
    const forged = { ...parseLoginAnswer(address), server_key: text(two.key) };
    const other = verifyLogin(forged, two, '1.2.17', snapshot, BITSHARES);
    assert.deepEqual(other, { valid: false, reason: 'insufficient-authority' });
  });

  test('that a server of somebody else passes on is worth nothing', () => {
    const shop = session();
    const link = formatLogin(PAGE, { ...shop, callback: 'https://evil.example/login' }, BITSHARES);
    const address = answer(link, [alice, sfactor]);
    assert.deepEqual(verdict(address, shop), { valid: false, reason: 'insufficient-authority' });
  });

  test('of one account is none of another', () => {
    const of = session({ account: 'alice' });
    const link = formatLogin(PAGE, of, BITSHARES);
    assert.equal(parseLogin(link, BITSHARES).account, 'alice');
    assert.deepEqual(verdict(answer(link, [sfactor], 'sfactor.alice'), of, '1.2.18'), {
      valid: false,
      reason: 'another-account',
    });
    const renamed = { ...parseLoginAnswer(answer(link, [alice, sfactor], 'bob')), account: 'alice' };
    assert.deepEqual(verifyLogin(renamed, of, '1.2.17', snapshot, BITSHARES), {
      valid: false,
      reason: 'insufficient-authority',
    });
  });

  test('has another secret each time, though the link is the same', () => {
    const link = formatLogin(PAGE, session(), BITSHARES);
    const [one, two] = [1, 2].map(() => parseLoginAnswer(answer(link, [alice])));
    assert.notEqual(one!.account_key, two!.account_key);
    assert.notDeepEqual(one!.signatures, two!.signatures);
  });

  const good = { onetimekey: text(key(1)), callback: 'https://shop.example/login' };
  const bad: [string, object][] = [
    ['no key', { callback: good.callback }],
    ['nobody’s key', { ...good, onetimekey: 'BTS1111111111111111111111111111111114T1Anm' }],
    ['a key of another chain', { ...good, onetimekey: `TEST${text(key(1)).slice(3)}` }],
    ['no callback', { onetimekey: good.onetimekey }],
    ['a callback in clear', { ...good, callback: 'http://shop.example/login' }],
    ['a field that is not known', { ...good, note: 'x' }],
  ];
  for (const [what, args] of bad) {
    test(`whose link has ${what} is refused`, () => {
      assert.throws(() => parseLogin(`${PAGE}#${encodeArguments(args)}`, BITSHARES), refused('link-invalid'));
    });
  }

  test('whose link was altered is refused, or logs nobody in', () => {
    const of = session();
    const link = formatLogin(PAGE, of, BITSHARES);
    for (let at = PAGE.length + 1; at < link.length; at += 7) {
      const altered = link.slice(0, at) + (link[at] === 'z' ? 'y' : 'z') + link.slice(at + 1);
      try {
        const same =
          JSON.stringify(parseLogin(altered, BITSHARES)) === JSON.stringify(parseLogin(link, BITSHARES));
        assert.equal(verdict(answer(altered, [alice, sfactor]), of).valid, same);
      } catch (error) {
        refused('link-invalid')(error);
      }
    }
  });
});
