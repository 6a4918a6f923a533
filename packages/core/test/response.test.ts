import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { createFreeze, createRightsChange, createThaw } from '../src/account-entries.ts';
import { encodeBase64url } from '../src/base64url.ts';
import type { Right } from '../src/log-entries.ts';
import { CLOCK_SKEW, type OpenRequest } from '../src/request.ts';
import { type Decided, ResponseStatement, verifyResponse } from '../src/response.ts';
import { signStatement } from '../src/statement.ts';
import { webCrypto } from '../src/webcrypto.ts';
import {
  ALGORITHMS,
  answer,
  ask,
  grown,
  NOW,
  newAccount,
  newDevice,
  reader,
  signing,
  type TestAccount,
  type TestDevice,
  withDevice,
  withoutDevice,
} from './fixtures.ts';
import { refused } from './refused.ts';
import { flipFirst, type Loose, payloadOf, tamper } from './tamper.ts';

let alice: TestAccount;
let shop: TestAccount;
let mallory: TestAccount;
before(async () => {
  alice = await newAccount('alice@example.com', { devices: 2 });
  shop = await newAccount('shop@example.com');
  mallory = await newAccount('mallory@example.com');
});

const verify = (request: OpenRequest, jws: string, account = alice, enquirer = shop) =>
  verifyResponse(webCrypto, request, account.log, jws, reader(enquirer));

/** A response with any payload, signed by a device itself. */
async function forge(device: TestDevice, base: string, changed: object): Promise<string> {
  const payload = { ...payloadOf(base), ...changed };
  return (await signStatement(webCrypto, ResponseStatement, device.signer, payload)).jws;
}

for (const algorithm of ALGORITHMS) {
  for (const sealed of [true, false]) {
    describe(`an answer signed with ${algorithm}, ${sealed ? 'sealed' : 'in clear'}`, () => {
      let account: TestAccount;
      let request: OpenRequest;
      before(async () => {
        account = await newAccount('alice@example.com', { algorithm, devices: 2 });
        request = await ask(shop, account, { sealed });
      });

      for (const decided of [
        { decision: 'accept', shown: 'screen' },
        { decision: 'accept', shown: 'hash', uv: true },
        { decision: 'reject', shown: 'screen' },
        { decision: 'fraud', shown: 'caller' },
        { decision: 'passcode-failed', failures: 3 },
      ] satisfies Decided[]) {
        test(`is read by the enquirer as it was given: ${JSON.stringify(decided)}`, async () => {
          const device = account.devices[1]!;
          const made = await answer(account, shop, request, decided, { device });
          const got = await verify(request, made.statement.jws, account);
          const { salt, ...decision } = got.decision;
          assert.deepEqual(decision, decided);
          assert.match(salt, /^[A-Za-z0-9_-]{22}$/);
          assert.equal(got.device.kid, device.kid);
          assert.equal(got.plaintext, made.plaintext);
          assert.deepEqual(got.statement, made.statement);
        });
      }

      test('is altered by nobody: each clear member, and the decision', async () => {
        const { jws } = (await answer(account, shop, request)).statement;
        const other = encodeBase64url(new Uint8Array(32));
        const changes: Record<string, (payload: Loose) => void> = {
          req: (p) => (p.req = other),
          iss: (p) => (p.iss = 'mallory@example.com'),
          iss_id: (p) => (p.iss_id = other),
          iat: (p) => p.iat++,
          'head.seq': (p) => p.head.seq--,
          'head.hash': (p) => (p.head.hash = other),
          ...(sealed
            ? {
                epoch: (p) => p.sealed.epoch++,
                digest: (p) => (p.sealed.digest = other),
                box: (p) => (p.sealed.box = flipFirst(p.sealed.box)),
                unsealed: (p) => {
                  delete p.sealed;
                  p.content = { decision: 'accept', shown: 'screen', salt: 'A'.repeat(22) };
                },
              }
            : {
                decision: (p) => (p.content.decision = 'reject'),
                shown: (p) => (p.content.shown = 'hash'),
                uv: (p) => (p.content.uv = true),
                passcode: (p) => (p.content.passcode = '123456'),
                salt: (p) => (p.content.salt = 'A'.repeat(22)),
              }),
        };
        await verify(
          request,
          tamper(jws, () => {}),
          account,
        );
        for (const [member, change] of Object.entries(changes)) {
          await assert.rejects(verify(request, tamper(jws, change), account), refused(), member);
        }
      });
    });
  }
}

describe('an answer to one question is none to another', () => {
  for (const sealed of [true, false]) {
    test(sealed ? 'sealed' : 'in clear', async () => {
      const [one, two] = [await ask(shop, alice, { sealed }), await ask(shop, alice, { sealed })];
      const { jws } = (await answer(alice, shop, one)).statement;
      await verify(one, jws);
      await assert.rejects(verify(two, jws), refused('request-mismatch'));
    });
  }

  test('nor is its sealed decision, torn out and signed again by another device', async () => {
    const [one, two] = [await ask(shop, alice), await ask(shop, alice)];
    const { jws } = (await answer(alice, shop, one)).statement;
    const moved = await forge(alice.devices[1]!, jws, { req: two.statement.hash });
    await assert.rejects(verify(two, moved), refused('seal-broken'));
  });

  test('nor are the words of one question an answer’s to the same words asked again', async () => {
    const asked = { sealed: false, parts: [{ type: 'p' as const, text: 'The same words' }] };
    const [one, two] = [await ask(shop, alice, asked), await ask(shop, alice, asked)];
    assert.notEqual(one.statement.hash, two.statement.hash);
  });
});

describe('an answer by', () => {
  test('another account is refused', async () => {
    const request = await ask(shop, alice);
    const { jws } = (await answer(mallory, shop, request)).statement;
    await assert.rejects(verify(request, jws), refused('account-mismatch'));
    await assert.rejects(verify(request, jws, mallory), refused('account-mismatch'));
  });

  test('another account of the same name is refused', async () => {
    const anew = await newAccount('alice@example.com');
    const request = await ask(shop, alice);
    const { jws } = (await answer(anew, shop, request)).statement;
    await assert.rejects(verify(request, jws), refused('account-mismatch'));
    await assert.rejects(verify(request, jws, anew), refused('account-mismatch'));
  });

  test('another account that says it is the asked one is refused', async () => {
    const request = await ask(shop, alice);
    const { jws } = (await answer(alice, shop, request)).statement;
    const posing = await forge(mallory.devices[0]!, jws, {});
    await assert.rejects(verify(request, posing), refused('device-unknown'));
    await assert.rejects(verify(request, posing, mallory), refused('account-mismatch'));
  });

  test('the asked account under another name is refused', async () => {
    const request = await ask(shop, alice);
    const { jws } = (await answer(alice, shop, request)).statement;
    const renamed = await forge(alice.devices[0]!, jws, { iss: 'bob@example.com' });
    await assert.rejects(verify(request, renamed), refused('account-mismatch'));
  });

  test('a key that no log has is refused', async () => {
    const request = await ask(shop, alice);
    const { jws } = (await answer(alice, shop, request, undefined, { device: await newDevice() })).statement;
    await assert.rejects(verify(request, jws), refused('device-unknown'));
  });

  test('a revoked device is refused, whatever time it writes', async () => {
    const later = await withoutDevice(alice, alice.devices[1]!.kid);
    const request = await ask(shop, alice);
    for (const now of [NOW - 30, NOW, NOW + 5]) {
      const { jws } = (await answer(alice, shop, request, undefined, { device: alice.devices[1]!, now }))
        .statement;
      await verify(request, jws);
      await assert.rejects(verify(request, jws, later), refused('device-revoked'));
    }
  });

  test('a device without the right for the kind of question is refused', async () => {
    for (const [rights, kind] of [
      [['pay', 'ask', 'admit', 'recover'], 'login'],
      [['pay', 'ask', 'admit', 'recover'], 'approval'],
      [['answer', 'ask', 'admit', 'recover'], 'payment'],
    ] as const) {
      for (const sealed of [true, false]) {
        const account = await withDevice(alice, { rights });
        const request = await ask(shop, account, { kind, sealed });
        const device = account.devices[2]!;
        const { jws } = (await answer(account, shop, request, undefined, { device })).statement;
        await assert.rejects(verify(request, jws, account), refused('device-not-entitled'), kind);
      }
    }
  });
});

describe('an answer is judged by the log that its device knew, and by the log as it is:', () => {
  const freeze = async (account: TestAccount) =>
    grown(account, await createFreeze(webCrypto, signing(account, 0), account.devices[1]!.kid));
  const thaw = async (account: TestAccount) =>
    grown(account, await createThaw(webCrypto, signing(account, 0), account.devices[1]!.kid));
  const allow = async (account: TestAccount, rights: readonly Right[]) =>
    grown(account, await createRightsChange(webCrypto, signing(account, 0), account.devices[1]!.kid, rights));
  const answered = async (account: TestAccount, request: OpenRequest) =>
    (await answer(account, shop, request, undefined, { device: account.devices[1]! })).statement.jws;

  test('what a frozen device signed does not become good when it is thawed', async () => {
    const request = await ask(shop, alice);
    const frozen = await freeze(alice);
    const jws = await answered(frozen, request);
    await assert.rejects(verify(request, jws, frozen), refused('device-frozen'));
    const thawed = await thaw(frozen);
    await assert.rejects(verify(request, jws, thawed), refused('device-frozen'));
    await assert.rejects(verify(request, jws, await thaw(await freeze(thawed))), refused('device-frozen'));
    await verify(request, await answered(thawed, request), thawed);
  });

  test('what it signed before is not good while it is frozen, and is again afterwards', async () => {
    const request = await ask(shop, alice);
    const jws = await answered(alice, request);
    const frozen = await freeze(alice);
    await assert.rejects(verify(request, jws, frozen), refused('device-frozen'));
    await verify(request, jws, await thaw(frozen));
  });

  test('a payment answered without the right to does not become good when the right is given', async () => {
    const request = await ask(shop, alice, { kind: 'payment' });
    const without = await allow(alice, ['answer']);
    const jws = await answered(without, request);
    const granted = await allow(without, ['answer', 'pay']);
    await assert.rejects(verify(request, jws, granted), refused('device-not-entitled'));
    await verify(request, await answered(granted, request), granted);
  });

  test('a right that was taken since is no right', async () => {
    const request = await ask(shop, alice, { kind: 'payment' });
    const jws = await answered(alice, request);
    const without = await allow(alice, ['answer', 'ask']);
    await assert.rejects(verify(request, jws, without), refused('device-not-entitled'));
  });
});

describe('the log that the answering device knew', () => {
  test('may be older than the enquirer’s', async () => {
    const later = await withDevice(alice);
    const request = await ask(shop, alice);
    await verify(request, (await answer(alice, shop, request)).statement.jws, later);
  });

  test('was longer than the enquirer’s: the broker hides entries', async () => {
    const later = await withDevice(alice);
    const request = await ask(shop, alice);
    await assert.rejects(
      verify(request, (await answer(later, shop, request)).statement.jws),
      refused('log-rollback'),
    );
  });

  test('was another than the enquirer’s: the broker shows two logs', async () => {
    const [one, two] = [await withDevice(alice), await withDevice(alice)];
    const request = await ask(shop, alice);
    const { jws } = (await answer(two, shop, request)).statement;
    await assert.rejects(verify(request, jws, one), refused('log-fork'));
  });

  test('must have the device in it', async () => {
    const request = await ask(shop, alice);
    const { jws } = (await answer(alice, shop, request)).statement;
    const head = { seq: 0, hash: alice.log.identity };
    await verify(request, await forge(alice.devices[0]!, jws, { head }));
    await assert.rejects(
      verify(request, await forge(alice.devices[1]!, jws, { head })),
      refused('log-invalid'),
    );
  });
});

describe('the time of an answer', () => {
  for (const [what, at, code] of [
    ['before the request, beyond clock skew', -CLOCK_SKEW - 1, 'response-early'],
    ['before the request, within clock skew', -CLOCK_SKEW, undefined],
    ['one second before expiry', 119, undefined],
    ['at expiry', 120, 'response-late'],
    ['after expiry', 121, 'response-late'],
  ] as const) {
    test(`${what} is ${code ?? 'good'}`, async () => {
      const request = await ask(shop, alice);
      const { jws } = (await answer(alice, shop, request, undefined, { now: NOW + at })).statement;
      if (code === undefined) await verify(request, jws);
      else await assert.rejects(verify(request, jws), refused(code));
    });
  }
});

describe('an answer is sealed exactly where the question was', () => {
  test('a sealed answer to a question in clear is refused', async () => {
    const [open, closed] = [await ask(shop, alice, { sealed: false }), await ask(shop, alice)];
    const { jws } = (await answer(alice, shop, closed)).statement;
    const sealed = await forge(alice.devices[0]!, jws, { req: open.statement.hash });
    await assert.rejects(verify(open, sealed), refused('seal-broken'));
  });

  test('an answer in clear to a sealed question is refused', async () => {
    const [open, closed] = [await ask(shop, alice, { sealed: false }), await ask(shop, alice)];
    const { jws } = (await answer(alice, shop, open)).statement;
    const clear = await forge(alice.devices[0]!, jws, { req: closed.statement.hash });
    await assert.rejects(verify(closed, clear), refused('seal-broken'));
  });

  test('a sealed answer is read by the enquirer alone', async () => {
    const request = await ask(shop, alice);
    const { statement } = await answer(alice, shop, request);
    await assert.rejects(verify(request, statement.jws, alice, mallory), refused('seal-broken'));
    assert.equal('content' in payloadOf(statement.jws), false);
  });

  test('a sealed answer to an epoch whose key the enquirer has not says so', async () => {
    const request = await ask(shop, alice);
    const two = await withDevice(shop);
    const later = await withoutDevice(two, two.devices[1]!.kid);
    const { jws } = (await answer(alice, later, request)).statement;
    await assert.rejects(verify(request, jws), refused('epoch-unknown'));
    await verify(request, jws, alice, later);
  });
});
