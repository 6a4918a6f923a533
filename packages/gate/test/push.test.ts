import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { webCrypto } from '@countersign/core/webcrypto';
import { pushAuthenticator } from '../src/pam/push.ts';

/** What becomes of a push to an account, where there is one, whose question ends so. */
function decided(account: string | undefined, outcome: string) {
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
    monotonic: () => 0,
    passcode: false,
  });
  const [typing, nothing] = [async () => '', async () => {}];
  return push(
    {
      ...{ service: 'su', user: 'alice', mode: 'push', style: 'info', qr: 'none' },
      ...{ peer: { pid: 1, uid: 0, gid: 0 }, deadline: 5000, signal: new AbortController().signal },
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

  test('to nobody ends like one that nobody answers, and no sooner', async () => {
    const began = performance.now();
    assert.equal(await decided(undefined, 'accepted'), 'unanswered');
    assert.ok(performance.now() - began > 4900);
  });
});
