import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { ContactStatement, createRequest, RequestStatement, signStatement } from '@countersign/core';
import { webCrypto } from '@countersign/core/webcrypto';
import { addDevice, introduce, type Party, refused } from './parties.ts';
import { until } from './until.ts';
import { createWorld } from './world.ts';

const world = createWorld();
const { clock, party, atOffset } = world;

describe('a stranger', () => {
  test('sends a contact request that shows who it is and not what it asks; taken, the question appears', async () => {
    const [alice, shop] = [await party('alice'), await party('shop')];
    const asked = await shop.enquirer.ask({ account: alice.name, text: 'Buy now' });
    assert.equal(asked.firstUse, true);
    const before = await alice.device.pending();
    assert.deepEqual(before.requests, []);
    assert.equal(before.contactRequests[0]?.enquirer.name, shop.name);
    assert.ok(!JSON.stringify(before).includes('Buy now'));
    await alice.device.contacts.change(shop.device.session.keys, 'allow');
    const { requests } = await alice.device.pending();
    assert.equal(requests[0]?.question.parts[0]?.text, 'Buy now');
    await alice.device.answer(requests[0]!, { decision: 'accept', shown: 'screen' });
    assert.equal((await shop.enquirer.wait(asked.hash)).outcome, 'accepted');
  });

  test('is neither looked up nor believed before the person takes it', async () => {
    const [alice, shop] = [await party('alice'), await party('shop')];
    await shop.enquirer.ask({ account: alice.name, text: 'Buy now' });
    await alice.device.pending();
    const kept = (await alice.state.list('log')).map(([key]) => key);
    assert.ok(!kept.some((key) => key.includes(shop.name)));
    assert.equal((await alice.enquirer.ask({ account: shop.name, text: 'Who are you?' })).firstUse, true);
  });

  test('has one contact request waiting, not two', async () => {
    const [alice, shop] = [await party('alice'), await party('shop')];
    await shop.enquirer.ask({ account: alice.name, text: 'One' });
    await assert.rejects(shop.enquirer.ask({ account: alice.name, text: 'Two' }), refused('contact-held'));
  });

  test('is refused as everybody when blocked, before anybody sees it', async () => {
    const [alice, mallet] = [await party('alice'), await party('mallet')];
    const asked = await mallet.enquirer.ask({ account: alice.name, text: 'Trust me' });
    await alice.device.contacts.change(mallet.device.session.keys, 'block');
    assert.deepEqual(await mallet.enquirer.wait(asked.hash), { outcome: 'refused' });
    await assert.rejects(
      mallet.enquirer.ask({ account: alice.name, text: 'Please' }),
      refused('not-permitted'),
    );
    assert.deepEqual((await alice.device.pending()).contactRequests, []);
  });

  test('is one of at most ten that wait for an account', async () => {
    const alice = await party('alice');
    for (let i = 0; i < 10; i++)
      await (await party('stranger')).enquirer.ask({ account: alice.name, text: 'Hello' });
    const eleventh = await party('stranger');
    await assert.rejects(
      eleventh.enquirer.ask({ account: alice.name, text: 'Hello' }),
      refused('too-many-pending'),
    );
    const friend = await party('friend');
    await introduce(alice, friend);
    await friend.enquirer.ask({ account: alice.name, text: 'A contact still gets through' });
  });

  test('without an account of its own gets nowhere', async () => {
    const [alice, ghost] = [await party('alice'), await party('ghost')];
    const log = await ghost.device.session.ownLog();
    const request = await createRequest(
      webCrypto,
      {
        signer: ghost.device.session.keys.signer,
        enquirer: { ...log, name: 'nobody@example.com' },
        account: await alice.device.session.ownLog(),
        broker: world.home.origin,
        now: clock.now(),
      },
      { kind: 'login', parts: [{ type: 'p', text: 'Hello' }] },
    );
    const { api } = ghost.enquirer.session;
    await assert.rejects(api.postRequest(request.statement.jws), refused('enquirer-unknown'));
  });
});

describe('a contact', () => {
  test('has at most three questions pending', async () => {
    const [alice, host] = [await party('alice'), await party('host')];
    await introduce(alice, host);
    for (let i = 0; i < 3; i++) await host.enquirer.ask({ account: alice.name, text: `Question ${i}` });
    await assert.rejects(
      host.enquirer.ask({ account: alice.name, text: 'More' }),
      refused('too-many-pending'),
    );
    const other = await party('host');
    await introduce(alice, other);
    await other.enquirer.ask({ account: alice.name, text: 'Another asker is not concerned' });
  });

  test('asks at most five times a minute and twenty an hour, whatever becomes of it', async () => {
    const [alice, host] = [await party('alice'), await party('host')];
    await introduce(alice, host);
    const askAndCancel = async () => {
      const { hash } = await host.enquirer.ask({ account: alice.name, text: 'Again' });
      await host.enquirer.cancel(hash);
    };
    for (let minute = 0; minute < 4; minute++) {
      await atOffset(minute * 61, async () => {
        for (let i = 0; i < 5; i++) await askAndCancel();
        await assert.rejects(askAndCancel(), (error: { code: string; retryAfter: number }) => {
          assert.equal(error.code, 'too-often');
          assert.ok(error.retryAfter >= 1 && error.retryAfter <= 3600);
          return true;
        });
      });
    }
    await atOffset(600, () => assert.rejects(askAndCancel(), refused('too-often')));
    await atOffset(3601, () => askAndCancel());
  });

  test('pauses longer after each question that nobody answered, and asks freely after an answer', async () => {
    const [alice, host] = [await party('alice'), await party('host')];
    await introduce(alice, host);
    const ignored = async () => {
      await host.enquirer.ask({ account: alice.name, text: 'Anyone?', lifetime: 4 });
    };
    await ignored();
    await atOffset(5, async () => {
      await untilNothingIsPending(alice);
      await assert.rejects(ignored(), refused('too-often'));
    });
    await atOffset(12, ignored);
    await atOffset(17, async () => {
      await untilNothingIsPending(alice);
      await assert.rejects(ignored(), refused('too-often'));
    });
    await atOffset(24, () => assert.rejects(ignored(), refused('too-often')));
    await atOffset(29, async () => {
      await host.enquirer.ask({ account: alice.name, text: 'At last?' });
      const { requests } = await alice.device.pending();
      await alice.device.answer(requests[0]!, { decision: 'accept', shown: 'screen' });
      await host.enquirer.ask({ account: alice.name, text: 'Once more' });
    });
  });

  test('once forgotten is a stranger again', async () => {
    const [alice, host] = [await party('alice'), await party('host')];
    await introduce(alice, host);
    await alice.device.contacts.change(host.device.session.keys, 'forget');
    await host.enquirer.ask({ account: alice.name, text: 'Remember me?' });
    const { requests, contactRequests } = await alice.device.pending();
    assert.deepEqual([requests.length, contactRequests.length], [0, 1]);
  });
});

describe('a change of contacts', () => {
  for (const [what, change] of [
    ['names another change before it', { prev: 'A'.repeat(43) }],
    ['names none before it', { prev: undefined }],
    ['leaves one out', { seq: 3 }],
  ] as const) {
    test(`that ${what} is refused, and harms no device`, async () => {
      const [alice, host] = await world.pair();
      const tablet = await addDevice(alice, 'tablet', ['answer']);
      const { session, contacts } = tablet.device;
      const list = await contacts.read();
      const { name, identity } = host.device.session.keys;
      const { head } = await session.ownLog(0);
      const { jws } = await signStatement(webCrypto, ContactStatement, session.keys.signer, {
        sub: alice.name,
        sub_id: session.keys.identity,
        seq: list.seq + 1,
        prev: list.hash,
        iat: clock.now(),
        head,
        contact: name,
        contact_id: identity,
        policy: 'allow',
        ...change,
      });
      await assert.rejects(session.api.postContact(jws), refused('contact-conflict'));
      await alice.device.contacts.change({ name, identity }, 'block');
    });
  }
});

describe('posting', () => {
  async function request() {
    const [alice, host] = [await party('alice'), await party('host')];
    await introduce(alice, host);
    const { keys, api } = host.enquirer.session;
    const made = await createRequest(
      webCrypto,
      {
        signer: keys.signer,
        enquirer: await host.enquirer.session.ownLog(),
        account: await alice.device.session.ownLog(),
        broker: world.home.origin,
        now: clock.now(),
      },
      { kind: 'login', parts: [{ type: 'p', text: 'Hello' }] },
    );
    return { api, made, keys };
  }

  test('the same request twice is one request', async () => {
    const { api, made } = await request();
    const [first, second] = await Promise.all([
      api.postRequest(made.statement.jws),
      api.postRequest(made.statement.jws),
    ]);
    assert.deepEqual(first, second);
    assert.equal((await world.home.broker.context.store.findRequest(first.hash))?.state.state, 'pending');
  });

  test('the same request again, when its time is over, is told what became of it', async () => {
    const { api, made, keys } = await request();
    const { hash } = await api.postRequest(made.statement.jws);
    await atOffset(600, async () => {
      assert.equal((await api.postRequest(made.statement.jws)).hash, hash);
      const { payload } = made.statement;
      const other = await signStatement(webCrypto, RequestStatement, keys.signer, {
        ...payload,
        exp: payload.exp + 1,
      });
      await assert.rejects(api.postRequest(other.jws), refused('request-expired'));
    });
  });

  test('another request under the same id is refused', async () => {
    const { api, made, keys } = await request();
    await api.postRequest(made.statement.jws);
    const { payload } = made.statement;
    const other = await signStatement(webCrypto, RequestStatement, keys.signer, {
      ...payload,
      exp: payload.exp + 1,
    });
    await assert.rejects(api.postRequest(other.jws), refused('request-conflict'));
  });

  test('a request for another broker, from the future or already expired is refused', async () => {
    const { made, keys, api } = await request();
    const { payload } = made.statement;
    for (const [change, code] of [
      [{ aud: 'https://elsewhere.example' }, 'request-audience'],
      [{ iat: payload.iat + 600, exp: payload.exp + 600 }, 'request-early'],
      [{ iat: payload.iat - 600, exp: payload.exp - 600 }, 'request-expired'],
      [{ exp: payload.iat + 86_401 }, 'request-lifetime'],
    ] as const) {
      const made = await signStatement(webCrypto, RequestStatement, keys.signer, { ...payload, ...change });
      await assert.rejects(api.postRequest(made.jws), refused(code));
    }
  });
});

async function untilNothingIsPending(alice: Party): Promise<void> {
  const { store } = world.home.broker.context;
  const { id } = (await store.findAccount(alice.name))!;
  await until(async () => (await store.listPending(id, { max: 10 }, 0)).length === 0);
}
