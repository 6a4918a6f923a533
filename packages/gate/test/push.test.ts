import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { webCrypto } from '@countersign/core/webcrypto';
import type { Attempt } from '../src/pam/index.ts';
import { pushAuthenticator, SHARE } from '../src/pam/push.ts';
import { Rates } from '../src/pam/rates.ts';

interface Asking {
  readonly attempt?: Partial<Attempt>;
  readonly shares?: Rates<string>;
  readonly now?: number;
}

/** What becomes of a push to an account, where there is one, whose question ends so. */
function decided(
  account: string | undefined,
  outcome: string,
  { attempt = {}, shares = new Rates(SHARE), now = 0 }: Asking = {},
) {
  const enquirer = {
    ask: async () => ({ hash: 'hash' }),
    wait: async () => ({ outcome }),
    cancel: async () => {},
    session: { crypto: webCrypto, ownLog: async () => undefined },
  };
  const push = pushAuthenticator({
    enquirer: enquirer as never,
    accountOf: async () => account,
    host: 'db1.example',
    monotonic: () => now,
    passcode: false,
    shares,
  });
  const [typing, nothing] = [async () => '', async () => {}];
  return push(
    {
      ...{ service: 'su', user: 'alice', mode: 'push', style: 'info', qr: 'none' },
      ...{ peer: { pid: 1, uid: 0, gid: 0 }, deadline: now + 6000, signal: new AbortController().signal },
      ...attempt,
    },
    { prompt: typing, secret: typing, info: nothing, error: nothing },
  );
}

describe('a push', () => {
  for (const [outcome, decision] of [
    ['accepted', 'granted'],
    ['rejected', 'denied'],
    ['expired', 'unanswered'],
  ] as const) {
    test(`that is ${outcome} is ${decision}`, async () => {
      assert.equal(await decided('alice@example.com', outcome), decision);
    });
  }

  describe('from one place', () => {
    /** Whether the account is asked: a question is answered at once, and nobody answers where there is none. */
    const asker = () => {
      const shares = new Rates<string>(SHARE);
      return async (attempt: Partial<Attempt>, now: number) => {
        const more = { attempt: { ...attempt, signal: AbortSignal.timeout(100) }, shares, now };
        return (await decided('alice@example.com', 'rejected', more)) === 'denied';
      };
    };
    const SECOND = 1000;

    test('asks for a share of the hour’s questions, and ends then like one that nobody answers', async () => {
      const asks = asker();
      for (let i = 0; i < 12; i++) {
        assert.ok(await asks({ remoteHost: `2001:db8:1:2::${i}` }, i * 20 * SECOND), `${i}`);
      }
      const later = 12 * 20 * SECOND;
      assert.equal(await asks({ remoteHost: '2001:db8:1:2:ffff::' }, later), false);
      assert.equal(await asks({ remoteHost: '2001:db8:1:3::' }, later), true);
      assert.equal(await asks({ remoteHost: '2001:db8:1:2::1' }, 3601 * SECOND), true);
    });

    test('which is a local user too, whatever else they say', async () => {
      const asks = asker();
      const own = (n: number) => ({ peer: { pid: n, uid: 1000, gid: 1000 }, remoteHost: `192.0.2.${n}` });
      const su = (n: number) => ({ remoteUser: 'bob', tty: `pts/${n}` });
      for (const from of [own, su]) {
        for (let i = 0; i < 4; i++) assert.ok(await asks(from(i), i * SECOND));
        assert.equal(await asks(from(9), 4 * SECOND), false);
      }
      assert.equal(await asks({ remoteUser: 'alice' }, 5 * SECOND), true);
    });
  });

  test('to nobody ends like one that nobody answers, and no sooner', async () => {
    const began = performance.now();
    assert.equal(await decided(undefined, 'accepted'), 'unanswered');
    assert.ok(performance.now() - began > 4900);
  });
});
