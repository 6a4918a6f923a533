import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import type { OpenRequest } from '../src/request.ts';
import { type Decided, verifyResponse } from '../src/response.ts';
import { webCrypto } from '../src/webcrypto.ts';
import { answer, ask, commitQuickly, newAccount, reader, type TestAccount } from './fixtures.ts';
import { refused } from './refused.ts';

let alice: TestAccount;
let shop: TestAccount;
before(async () => {
  alice = await newAccount('alice@example.com');
  shop = await newAccount('shop@example.com');
});

async function decide(request: OpenRequest, decided: Decided) {
  const { jws } = (await answer(alice, shop, request, decided)).statement;
  return (await verifyResponse(webCrypto, request, alice.log, jws, reader(shop))).decision;
}

for (const sealed of [true, false]) {
  describe(`a ${sealed ? 'sealed' : 'clear'} question that wants a passcode`, () => {
    let request: OpenRequest;
    before(async () => {
      request = await ask(shop, alice, { sealed, passcode: await commitQuickly('042042') });
    });

    test('is accepted with the passcode', async () => {
      const decision = await decide(request, { decision: 'accept', shown: 'screen', passcode: '042042' });
      assert.equal(decision.decision, 'accept');
    });

    test('is not accepted without one', async () => {
      const decided = decide(request, { decision: 'accept', shown: 'screen' });
      await assert.rejects(decided, refused('passcode-missing'));
    });

    test('is not accepted with another one', async () => {
      for (const passcode of ['042043', '000000', '420420']) {
        const decided = decide(request, { decision: 'accept', shown: 'screen', passcode });
        await assert.rejects(decided, refused('passcode-wrong'));
      }
    });

    test('is not answered with what is no six digits', async () => {
      for (const passcode of ['42042', '0042042', '04204a', '', ' 042042', '٠٤٢٠٤٢', '042042\n', '042-042']) {
        const decided = decide(request, { decision: 'accept', shown: 'screen', passcode });
        await assert.rejects(decided, refused('statement-malformed'), passcode);
      }
    });

    test('is rejected, reported and given up without one', async () => {
      for (const decided of [
        { decision: 'reject', shown: 'screen' },
        { decision: 'fraud', shown: 'screen' },
        { decision: 'passcode-failed', failures: 3 },
      ] satisfies Decided[]) {
        assert.equal((await decide(request, decided)).decision, decided.decision);
      }
    });
  });

  describe(`a ${sealed ? 'sealed' : 'clear'} question that wants the person checked`, () => {
    let request: OpenRequest;
    before(async () => {
      request = await ask(shop, alice, { sealed, uv: true });
    });

    test('is accepted where the device did check', async () => {
      assert.equal(
        (await decide(request, { decision: 'accept', shown: 'screen', uv: true })).decision,
        'accept',
      );
    });

    test('is not accepted where it did not', async () => {
      const decided = decide(request, { decision: 'accept', shown: 'screen' });
      await assert.rejects(decided, refused('verification-missing'));
    });

    test('is rejected without a check', async () => {
      assert.equal((await decide(request, { decision: 'reject', shown: 'screen' })).decision, 'reject');
    });
  });
}

describe('a decision', () => {
  test('says how the question was shown, and is one that people can make', async () => {
    const request = await ask(shop, alice);
    for (const decided of [
      { decision: 'accept' },
      { decision: 'accept', shown: 'nowhere' },
      { decision: 'accept', shown: 'screen', uv: false },
      { decision: 'accept', shown: 'screen', note: 'more' },
      { decision: 'reject', shown: 'screen', passcode: '123456' },
      { decision: 'passcode-failed', failures: 0 },
      { decision: 'passcode-failed', failures: 1, shown: 'screen' },
      { decision: 'maybe', shown: 'screen' },
      { decision: 'toString', shown: 'screen' },
      { shown: 'screen' },
    ] as unknown as Decided[]) {
      await assert.rejects(decide(request, decided), refused('statement-malformed'), JSON.stringify(decided));
    }
  });
});
