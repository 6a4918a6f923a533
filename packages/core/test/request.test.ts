import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { encodeBase64url } from '../src/base64url.ts';
import {
  CLOCK_SKEW,
  LONGEST_LIFETIME,
  openRequest,
  parseRequest,
  RequestStatement,
  verifyRequest,
} from '../src/request.ts';
import { signStatement } from '../src/statement.ts';
import { webCrypto } from '../src/webcrypto.ts';
import {
  ALGORITHMS,
  ask,
  BROKER,
  NOW,
  newAccount,
  type TestAccount,
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

async function receive(
  jws: string,
  { from = shop, by = alice, now = NOW, brokers = [BROKER] }: Receiving = {},
) {
  const statement = await parseRequest(webCrypto, jws);
  return openRequest(
    webCrypto,
    await verifyRequest(webCrypto, statement, from.log, { now, brokers }),
    by.epochs,
  );
}

interface Receiving {
  from?: TestAccount;
  by?: TestAccount;
  now?: number;
  brokers?: string[];
}

/** A request with any payload, signed by the enquirer itself. */
async function forge(from: TestAccount, base: string, changed: object): Promise<string> {
  const payload = { ...payloadOf(base), ...changed };
  return (await signStatement(webCrypto, RequestStatement, from.devices[0]!.signer, payload)).jws;
}

for (const algorithm of ALGORITHMS) {
  for (const sealed of [true, false]) {
    describe(`a request signed with ${algorithm}, ${sealed ? 'sealed' : 'in clear'}`, () => {
      let from: TestAccount;
      before(async () => {
        from = await newAccount('shop@example.com', { algorithm });
      });

      test('is read by the account as it was asked', async () => {
        const asked = {
          kind: 'payment' as const,
          parts: [
            { type: 'h1' as const, text: 'Zahlung für Müller' },
            { type: 'button' as const, value: 'accept' as const, text: 'Pay now' },
          ],
          fields: [{ name: 'Amount', value: '42.00 EUR' }],
          uv: true as const,
          sealed,
        };
        const made = await ask(from, alice, asked);
        const got = await receive(made.statement.jws, { from });
        const { salt, ...question } = got.question;
        const { sealed: _, ...said } = asked;
        assert.deepEqual(question, said);
        assert.match(salt, /^[A-Za-z0-9_-]{22}$/);
        assert.deepEqual(got, made);
      });

      test('is altered by nobody: each clear member, and what is inside', async () => {
        const { statement } = await ask(from, alice, { sealed });
        const other = encodeBase64url(new Uint8Array(32));
        const changes: Record<string, (payload: Loose) => void> = {
          jti: (p) => (p.jti = 'A'.repeat(22)),
          iss: (p) => (p.iss = 'mallory@example.com'),
          iss_id: (p) => (p.iss_id = other),
          sub: (p) => (p.sub = 'bob@example.com'),
          sub_id: (p) => (p.sub_id = other),
          aud: (p) => (p.aud = 'https://other.example'),
          iat: (p) => p.iat--,
          exp: (p) => p.exp++,
          ...(sealed
            ? {
                epoch: (p) => p.sealed.epoch++,
                digest: (p) => (p.sealed.digest = other),
                box: (p) => (p.sealed.box = flipFirst(p.sealed.box)),
                unsealed: (p) => {
                  delete p.sealed;
                  p.content = { kind: 'login', parts: [{ type: 'p', text: 'a' }], salt: 'A'.repeat(22) };
                },
              }
            : {
                text: (p) => (p.content.parts[0].text += '!'),
                kind: (p) => (p.content.kind = 'approval'),
                salt: (p) => (p.content.salt = 'A'.repeat(22)),
                part: (p) => p.content.parts.push({ type: 'p', text: 'more' }),
                fields: (p) => (p.content.fields = []),
                uv: (p) => (p.content.uv = true),
                both: (p) => (p.sealed = { epoch: 0, digest: other, box: 'AAAA' }),
              }),
        };
        await receive(
          tamper(statement.jws, () => {}),
          { from },
        );
        for (const [member, change] of Object.entries(changes)) {
          await assert.rejects(receive(tamper(statement.jws, change), { from }), refused(), member);
        }
      });
    });
  }
}

describe('a sealed request', () => {
  test('shows the broker who, when and until when, and not what', async () => {
    const { statement, plaintext } = await ask(shop, alice, { parts: [{ type: 'p', text: 'Secret words' }] });
    const { sealed, ...clear } = payloadOf(statement.jws);
    assert.deepEqual(Object.keys(clear).sort(), [
      'aud',
      'exp',
      'iat',
      'iss',
      'iss_id',
      'jti',
      'sub',
      'sub_id',
    ]);
    assert.deepEqual(Object.keys(sealed).sort(), ['box', 'digest', 'epoch']);
    assert.ok(plaintext!.includes('Secret words'));
  });

  test('of the same words twice shares neither id, nor digest, nor box', async () => {
    const [one, two] = [
      payloadOf((await ask(shop, alice)).statement.jws),
      payloadOf((await ask(shop, alice)).statement.jws),
    ];
    assert.notEqual(one.jti, two.jti);
    assert.notEqual(one.sealed.digest, two.sealed.digest);
    assert.notEqual(one.sealed.box, two.sealed.box);
  });

  test('torn out and asked in another’s name, or under another id, opens nothing', async () => {
    const { jws } = (await ask(shop, alice)).statement;
    const { name, identity } = mallory.log;
    const stolen = await forge(mallory, jws, { iss: name, iss_id: identity });
    await assert.rejects(receive(stolen, { from: mallory }), refused('seal-broken'));
    const repeated = await forge(shop, jws, { jti: 'A'.repeat(22) });
    await assert.rejects(receive(repeated), refused('seal-broken'));
    const redirected = await forge(shop, jws, { sub: name, sub_id: identity });
    await assert.rejects(receive(redirected), refused('seal-broken'));
  });

  test('opens for nobody but the account', async () => {
    const { jws } = (await ask(shop, alice)).statement;
    await assert.rejects(receive(jws, { by: mallory }), refused('seal-broken'));
  });

  test('to an epoch whose key the device has not says so', async () => {
    const later = await withoutDevice(alice, alice.devices[1]!.kid);
    const { jws } = (await ask(shop, later)).statement;
    await assert.rejects(receive(jws, { by: alice }), refused('epoch-unknown'));
    await receive(jws, { by: later });
    await receive((await ask(shop, alice)).statement.jws, { by: later });
  });
});

describe('a request by', () => {
  test('another account than it says is refused', async () => {
    const { jws } = (await ask(shop, alice)).statement;
    await assert.rejects(receive(jws, { from: mallory }), refused('account-mismatch'));
    const again = await newAccount('shop@example.com');
    await assert.rejects(receive(jws, { from: again }), refused('account-mismatch'));
  });

  test('its own enquirer under another name, or under its name another identity, is refused', async () => {
    const { jws } = (await ask(shop, alice)).statement;
    const renamed = await forge(shop, jws, { iss: 'bank@example.com' });
    await assert.rejects(receive(renamed), refused('account-mismatch'));
    const moved = await forge(shop, jws, { iss_id: alice.log.identity });
    await assert.rejects(receive(moved), refused('account-mismatch'));
  });

  test('a key that the enquirer has not is refused', async () => {
    const jws = await forge(mallory, (await ask(shop, alice)).statement.jws, {});
    await assert.rejects(receive(jws), refused('device-unknown'));
  });

  test('a revoked device is refused', async () => {
    const two = await withDevice(shop);
    const byOld = await forge(
      { ...two, devices: [two.devices[1]!] },
      (await ask(two, alice)).statement.jws,
      {},
    );
    await receive(byOld, { from: two });
    const from = await withoutDevice(two, two.devices[1]!.kid);
    await assert.rejects(receive(byOld, { from }), refused('device-revoked'));
  });

  test('a device without the right to ask is refused', async () => {
    const from = await withDevice(shop, { rights: ['answer', 'pay', 'admit'] });
    const jws = await forge(
      { ...from, devices: [from.devices[1]!] },
      (await ask(from, alice)).statement.jws,
      {},
    );
    await assert.rejects(receive(jws, { from }), refused('device-not-entitled'));
  });
});

describe('the time and place of a request', () => {
  test('it is for one broker, and refused at any other', async () => {
    const { jws } = (await ask(shop, alice)).statement;
    for (const brokers of [[], ['https://other.example'], [`${BROKER}/`], [BROKER.toUpperCase()]]) {
      await assert.rejects(receive(jws, { brokers }), refused('request-audience'));
    }
    await receive(jws, { brokers: ['https://other.example', BROKER] });
  });

  test('it is refused from its expiry on, and from a future beyond clock skew', async () => {
    const { jws } = (await ask(shop, alice, { lifetime: 100 })).statement;
    await receive(jws, { now: NOW + 99 });
    await assert.rejects(receive(jws, { now: NOW + 100 }), refused('request-expired'));
    await receive(jws, { now: NOW - CLOCK_SKEW });
    await assert.rejects(receive(jws, { now: NOW - CLOCK_SKEW - 1 }), refused('request-early'));
  });

  for (const [kind, most, normal] of [
    ['login', 600, 120],
    ['payment', 600, 300],
    ['approval', 86_400, 86_400],
  ] as const) {
    test(`a ${kind} stands for at most ${most} s, and ${normal} s where nobody says otherwise`, async () => {
      const { payload } = (await ask(shop, alice, { kind })).statement;
      assert.equal(payload.exp - payload.iat, normal);
      await ask(shop, alice, { kind, lifetime: most });
      for (const lifetime of [most + 1, 0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY]) {
        await assert.rejects(ask(shop, alice, { kind, lifetime }), refused('request-lifetime'));
      }
    });

    for (const sealed of [true, false]) {
      test(`a ${sealed ? 'sealed' : 'clear'} ${kind} that stands longer is refused by the device`, async () => {
        const { jws } = (await ask(shop, alice, { kind, sealed })).statement;
        await assert.rejects(
          receive(await forge(shop, jws, { exp: NOW + most + 1 })),
          refused('request-lifetime'),
        );
      });
    }
  }

  test('no request ends before it begins, or stands for more than a day', async () => {
    const { jws } = (await ask(shop, alice)).statement;
    for (const exp of [NOW, NOW - 1, NOW + LONGEST_LIFETIME + 1]) {
      const statement = await parseRequest(webCrypto, await forge(shop, jws, { exp }));
      const checked = verifyRequest(webCrypto, statement, shop.log, { now: NOW, brokers: [BROKER] });
      await assert.rejects(checked, refused('request-lifetime'));
    }
  });
});
