/**
 * Members of an organisation, over HTTP: who may sign in, what each role may do, and that neither a broker nor a
 * member makes more of it than an owner signed.
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import { describe, test } from 'node:test';
import {
  checkSignedText,
  Members,
  MemoryStateStore,
  readAsked,
  readMembers,
  readSeat,
  signText,
} from '@countersign/client';
import {
  createMember,
  createResponse,
  createSeatRequest,
  encodeBase64url,
  keyFingerprint,
  parseRequest,
  RequestStatement,
  type Role,
  SEAT_LIFE,
  type Signer,
  seatQuestion,
  signStatement,
} from '@countersign/core';
import { generateSigner, webCrypto } from '@countersign/core/webcrypto';
import { expireRequests } from '../packages/broker/src/requests.ts';
import { memberParties } from './member-parties.ts';
import { addDevice, introduce, type Party, refused, revokeDevice } from './parties.ts';
import { Customer, signSession, startAgent } from './session-parties.ts';
import { until } from './until.ts';
import { createWorld } from './world.ts';

const world = createWorld();
const VALUE = '4711';

const { founded, join, begin, answer, signedIn, seatOf } = memberParties(world);

const listOf = ({ device }: Party) => {
  const { api, keys } = device.session;
  return api.listSessions(keys.signer, keys.name);
};
const historyOf = ({ device }: Party) => {
  const { api, keys } = device.session;
  return api.readSessionHistory(keys.signer, keys.name, 1);
};
const act = ({ device }: Party, sid: string, what: 'reveal' | 'delete') => {
  const { api, keys } = device.session;
  return api.changeSession(keys.signer, keys.name, sid, what);
};

const ALL = ['owner', 'agent', 'auditor'] as const;
const READERS = ['owner', 'auditor'] as const;
/** What a seat may read, and in which roles; in none, it is for the organisation's devices. */
const READS: readonly (readonly [string, readonly Role[], (who: Party) => Promise<unknown>])[] = [
  ['sessions', ALL, listOf],
  ['history', READERS, historyOf],
  ['signatures', ALL, call('listTextSignatures')],
  ['asked', READERS, call('listAsked')],
  ['counts of what was asked', READERS, call('countAsked')],
  [
    'domains',
    READERS,
    ({ device: { session: of } }) => of.api.listDomains(of.keys.signer, of.keys.name, false),
  ],
  ['recommended', READERS, call('listRecommended')],
  [
    'a look at the domains',
    [],
    ({ device: { session: of } }) => of.api.listDomains(of.keys.signer, of.keys.name, true),
  ],
  [
    'one recommended',
    [],
    ({ device: { session: of } }) => of.api.readRecommended(of.keys.signer, of.keys.name, of.keys.name),
  ],
  ['devices seen', [], call('listReached')],
];

function call(how: 'listTextSignatures' | 'listAsked' | 'countAsked' | 'listRecommended' | 'listReached') {
  return ({ device: { session } }: Party): Promise<unknown> =>
    session.api[how](session.keys.signer, session.keys.name);
}

describe('signing in', () => {
  test('shows the member the organisation, the role and the browser’s key, and asks for the passcode', async () => {
    const home = await founded();
    const bob = await join(home, 'agent');
    const signIn = await begin(home.bank, bob);
    assert.equal(signIn.role, 'agent');
    const [request] = (await bob.device.pending()).requests;
    assert.equal(request!.id, signIn.id);
    assert.equal(request!.enquirer.name, home.bank.name);
    assert.ok(request!.question.passcode !== undefined);
    assert.deepEqual(request!.question.fields, [
      { name: 'Role', value: 'agent' },
      { name: 'Key of the browser', value: signIn.kid },
    ]);
    await assert.rejects(answer(bob, 'accept', '000000'), refused('passcode-wrong'));
    await answer(bob, 'accept', signIn.passcode);
    assert.equal((await signIn.wait()).outcome, 'accepted');
  });

  test('keeps nobody else out, and takes nothing from the organisation, who has a member asked for nothing', async () => {
    const home = await founded();
    const bob = await join(home, 'agent');
    const { enquirer, device } = home.bank;
    await device.session.book.bind(bob.name, bob.device.session.keys.identity, 'link');
    const stranger = async (life?: number) => {
      const evidence = await forged(home.bank, bob, 'agent');
      const { payload } = await parseRequest(webCrypto, evidence.request);
      assert.ok('seat' in payload);
      const signer = await generateSigner('EdDSA');
      const kid = await keyFingerprint(webCrypto, signer.publicKey);
      const { fields, ...content } = payload.content;
      const words = seatQuestion('en', { organisation: home.bank.name, role: 'agent', kid });
      const { jws } = await signStatement(webCrypto, RequestStatement, signer, {
        ...payload,
        content: { ...content, ...words },
        seat: { role: 'agent', key: signer.publicKey },
        exp: life === undefined ? payload.exp : payload.iat + life,
      });
      return jws;
    };
    const { api } = device.session;
    const asks = async (life?: number) => api.postRequest(await stranger(life));
    const fromElsewhere = async () => {
      const asked = request(`${world.home.origin}/v1/requests`, {
        method: 'POST',
        localAddress: '127.0.0.2',
        headers: { 'content-type': 'application/json' },
      });
      asked.end(JSON.stringify({ request: await stranger() }));
      const [answer] = (await once(asked, 'response')) as [IncomingMessage];
      answer.resume();
      return answer.statusCode;
    };
    await assert.rejects(asks(2), refused('request-lifetime'));
    await assert.rejects(asks(59), refused('request-lifetime'));
    try {
      for (let i = 0; i < 10; i++) {
        await asks(60);
        world.clock.offset += 61;
        await expireRequests(world.home.broker.context);
      }
      await assert.rejects(asks(), refused('too-often'));
      const asked = await enquirer.ask({ account: bob.name, text: 'May we?' });
      assert.equal((await enquirer.status(asked.hash)).outcome, 'pending');
      assert.equal(await fromElsewhere(), 201);
    } finally {
      world.clock.offset = 0;
    }
  });

  test('that is rejected says so, and lets nobody in', async () => {
    const home = await founded();
    const bob = await join(home, 'agent');
    const signIn = await begin(home.bank, bob);
    await answer(bob, 'reject');
    assert.deepEqual(await signIn.wait(), { outcome: 'rejected' });
  });

  test('is for members alone: nobody else is even asked', async () => {
    const home = await founded();
    const mallory = await world.party('mallory');
    await introduce(mallory, home.bank);
    await assert.rejects(begin(home.bank, mallory), refused('not-permitted'));
    // And by the broker, where a browser does not look first.
    const { request } = await forged(home.bank, mallory);
    await assert.rejects(mallory.device.session.api.postRequest(request), refused('not-permitted'));
  });

  test('lasts eight hours, and is renewed by the member alone', async () => {
    const home = await founded();
    const bob = await join(home, 'agent');
    const browser = await signedIn(home.bank, bob);
    await world.atOffset(SEAT_LIFE - 60, async () => {
      await listOf(browser);
    });
    await world.atOffset(SEAT_LIFE + 60, async () => {
      await assert.rejects(listOf(browser), refused('seat-over'));
      await listOf(await signedIn(home.bank, bob));
    });
  });

  test('out ends it at once', async () => {
    const home = await founded();
    const browser = await signedIn(home.bank, await join(home, 'agent'));
    const { api, keys } = browser.device.session;
    await api.signOut(keys.signer, keys.name);
    await assert.rejects(listOf(browser), refused('seat-over'));
  });
});

/** Who answers, and how many seconds ahead of the broker's clock. */
interface Signing {
  readonly by: Signer;
  readonly ahead: number;
}

/** A seat that the member never accepted: with an answer by a device of the broker's own. */
async function forged(bank: Party, person: Party, role: Role = 'agent', signing?: Signing) {
  const signer = await generateSigner('EdDSA');
  const now = () => world.clock.now() + (signing?.ahead ?? 0);
  const [organisation, member] = [await bank.device.session.ownLog(0), await person.device.session.ownLog(0)];
  const request = await createSeatRequest(webCrypto, {
    signer,
    organisation,
    member,
    role,
    language: 'en',
    passcode: '123456',
    broker: world.home.origin,
    now: now(),
  });
  const { statement } = await createResponse(
    webCrypto,
    { signer: signing?.by ?? signer, account: member, enquirer: organisation, now: now() },
    request,
    { decision: 'accept', shown: 'screen', passcode: '123456' },
  );
  return { request: request.statement.jws, response: statement.jws };
}

describe('a role', () => {
  test('is made by nobody but a device of the organisation that may admit', async () => {
    const home = await founded();
    const mallory = await world.party('mallory');
    const { api, keys, crypto, clock } = mallory.device.session;
    const log = await home.bank.device.session.ownLog(0);
    const list = await home.members.read();
    const me = { name: keys.name, identity: keys.identity };
    const { jws } = await createMember(crypto, keys.signer, log, list, me, 'agent', clock.now());
    await assert.rejects(api.postMember(jws), refused('device-unknown'));
  });

  test('can’t be taken without the member’s own yes', async () => {
    const home = await founded();
    const bob = await join(home, 'agent');
    const evidence = await forged(home.bank, bob);
    const { api } = bob.device.session;
    await assert.rejects(api.postSeat(home.bank.name, evidence), refused('device-unknown'));
  });

  test('is no seat of a later day, which the member signs today', async () => {
    const home = await founded();
    const bob = await join(home, 'agent');
    const { api, keys } = bob.device.session;
    const early = await forged(home.bank, bob, 'agent', { by: keys.signer, ahead: 61 });
    await assert.rejects(api.postSeat(home.bank.name, early), refused('seat-over'));
    await api.postSeat(home.bank.name, await forged(home.bank, bob, 'agent', { by: keys.signer, ahead: 50 }));
  });

  test('of the last owner stays', async () => {
    const home = await founded();
    const [alice] = (await home.members.read()).members.values();
    for (const role of ['agent', 'none'] as const) {
      await assert.rejects(home.members.change(alice!.name, role), refused('last-owner'));
    }
    await join(home, 'owner');
    await home.members.change(alice!.name, 'none');
  });

  test('agent: makes sessions, sees and ends their own, and no history of others', async () => {
    const home = await founded();
    const [bob, ben] = [await join(home, 'agent'), await join(home, 'agent')];
    const [one, other] = [await signedIn(home.bank, bob), await signedIn(home.bank, ben)];
    const session = await startAgent(one, VALUE);
    const { sid } = session.payload;
    const customer = new Customer(world.home.origin);
    await customer.open(session.token);
    const matched = await customer.try(session.payload, VALUE);
    await matched!.seen();
    await until(() => session.view.where === 'seen');
    await session.reveal();
    assert.equal(session.view.passcode, matched!.passcode);
    assert.deepEqual(
      (await listOf(one)).map((row) => row.sid),
      [sid],
    );
    assert.deepEqual(await listOf(other), []);
    await assert.rejects(act(other, sid, 'delete'), refused('session-invalid'));
    await assert.rejects(historyOf(one), refused('role-missing'));
    await session.delete();
  });

  test('agent: pages through their own sessions, each once', async () => {
    const home = await founded();
    const [one, other] = [
      await signedIn(home.bank, await join(home, 'agent')),
      await signedIn(home.bank, await join(home, 'agent')),
    ];
    const made: string[] = [];
    for (const who of [one, other, one, one, other, one]) {
      const { jws, payload } = await signSession(who);
      await who.device.session.api.startSession(jws);
      if (who === one) made.unshift(payload.sid);
    }
    const { api, keys } = one.device.session;
    const read: string[] = [];
    for (let before: number | undefined; ; ) {
      const page = await api.listSessions(keys.signer, keys.name, { before, max: 3 });
      read.push(...page.map(({ sid }) => sid));
      if (page.length < 3) break;
      before = page.at(-1)!.cursor;
    }
    assert.deepEqual(read, made);
  });

  test('auditor: reads all of the history, and makes and ends nothing', async () => {
    const home = await founded();
    const browser = await signedIn(home.bank, await join(home, 'agent'));
    const session = await startAgent(browser, VALUE);
    const carol = await signedIn(home.bank, await join(home, 'auditor'));
    assert.equal((await listOf(carol)).length, 1);
    assert.equal((await historyOf(carol)).length, 1);
    await assert.rejects(startAgent(carol, VALUE), refused('role-missing'));
    await assert.rejects(act(carol, session.payload.sid, 'delete'), refused('role-missing'));
    const { api, keys } = carol.device.session;
    await assert.rejects(
      api.readSession(keys.signer, keys.name, session.payload.sid, { after: 0, version: 0, wait: 0 }),
      refused('role-missing'),
    );
    session.leave();
  });

  test('agent: signs texts, which whoever has the link checks by the seat; nobody else signs so', async () => {
    const home = await founded();
    const bob = await join(home, 'agent');
    const browser = await signedIn(home.bank, bob);
    const seat = seatOf(browser).hash;
    const link = await signText(browser.device.session, { text: 'Our new account', seat });
    const around = () => ({ crypto: webCrypto, clock: world.clock, state: new MemoryStateStore() });
    assert.equal((await checkSignedText(around(), link, 'Our new account')).verdict, 'valid');
    assert.equal((await checkSignedText(around(), link, 'Their new account')).verdict, 'invalid');
    const carol = await signedIn(home.bank, await join(home, 'auditor'));
    const wish = { text: 'x', seat: seatOf(carol).hash };
    await assert.rejects(signText(carol.device.session, wish), refused('role-missing'));
    await assert.rejects(signText(browser.device.session, wish), refused('seat-invalid'));
    await assert.rejects(signText(browser.device.session, { text: 'x' }), refused('seat-invalid'));
    await world.atOffset(5, async () => {
      await home.members.change(bob.name, 'none');
      await assert.rejects(signText(browser.device.session, { text: 'x', seat }), refused('seat-over'));
      // What was signed while he was an agent stays signed.
      assert.equal((await checkSignedText(around(), link, 'Our new account')).verdict, 'valid');
    });
  });

  for (const role of ['owner', 'agent', 'auditor'] as const) {
    test(`${role}: reads what spec/members.md lets this role read, and no more`, async () => {
      const home = await founded();
      const seat = await signedIn(home.bank, await join(home, role));
      for (const [what, who, read] of READS) {
        const reading = read(seat);
        if (who.includes(role)) await reading;
        else
          await assert.rejects(reading, refused(who.length === 0 ? 'device-unknown' : 'role-missing'), what);
      }
    });
  }

  for (const role of ['owner', 'auditor'] as const) {
    test(`${role}: sees whom the organisation asked, what was reported, and of a sealed answer that it came`, async () => {
      const home = await founded();
      const eve = await world.party('eve');
      await introduce(eve, home.bank);
      for (const decision of ['accept', 'fraud'] as const) {
        await home.bank.enquirer.ask({ account: eve.name, text: `Is this you: ${decision}` });
        const { requests } = await eve.device.pending();
        await eve.device.answer(requests[0]!, { decision, shown: 'screen' });
      }
      const { session } = (await signedIn(home.bank, await join(home, role))).device;
      const { requests } = await readAsked(session);
      const kid = await home.bank.device.session.kid();
      assert.deepEqual(
        requests.map(({ account, kid: by, state, decision, reportedAt }) => [
          account,
          by === kid,
          state,
          decision,
          reportedAt !== undefined,
        ]),
        [
          [eve.name, true, 'answered', undefined, true],
          [eve.name, true, 'answered', undefined, false],
        ],
        'a sign-in is signed by no device of the organisation, and is not what that asked',
      );
      const own = await readAsked(home.bank.device.session);
      assert.deepEqual(
        own.requests.map(({ decision }) => decision),
        ['fraud', 'accept'],
      );
      const wire = JSON.stringify(await session.api.listAsked(session.keys.signer, session.keys.name));
      assert.ok(!wire.includes('Is this you'));
      const { outcomes, times } = await session.api.countAsked(session.keys.signer, session.keys.name);
      const count = (wanted: string) => outcomes.find(({ outcome }) => outcome === wanted)?.count;
      // One of the three answers is the member's own, who signed in by it.
      assert.deepEqual([count('answered'), count('reported')], [2, 1]);
      assert.equal(
        times.reduce((sum, one) => sum + one.count, 0),
        3,
      );
    });
  }

  test('owner: sees and ends the sessions of all', async () => {
    const home = await founded();
    const browser = await signedIn(home.bank, await join(home, 'agent'));
    const session = await startAgent(browser, VALUE);
    session.leave();
    const owner = await signedIn(home.bank, await join(home, 'owner'));
    assert.equal((await historyOf(owner)).length, 1);
    assert.equal((await act(owner, session.payload.sid, 'delete')).outcome, 'deleted');
  });
});

describe('who is removed, or gets another role', () => {
  for (const role of ['none', 'auditor'] as const) {
    test(`is cut at once: ${role}`, async () => {
      const home = await founded();
      const bob = await join(home, 'agent');
      const browser = await signedIn(home.bank, bob);
      const session = await startAgent(browser, VALUE);
      const customer = new Customer(world.home.origin);
      await customer.open(session.token);
      await home.members.change(bob.name, role);
      assert.equal((await customer.read(session.payload.sid, 0)).status, 404);
      await assert.rejects(listOf(browser), refused('seat-over'));
      await assert.rejects(startAgent(browser, VALUE), refused('seat-over'));
      const rows = await listOf(home.bank);
      assert.equal(rows[0]!.outcome, 'deleted');
    });
  }

  test('is cut as well where the device that let the browser in was lost', async () => {
    const home = await founded();
    const bob = await join(home, 'agent');
    const phone = await addDevice(bob, 'phone', ['answer']);
    const browser = await signedIn(home.bank, phone);
    await listOf(browser);
    await revokeDevice(bob, await phone.device.session.kid());
    await assert.rejects(listOf(browser), refused('seat-over'));
  });
});

describe('a device of the organisation that is lost', () => {
  test('takes the roles with it that it gave: sessions end at once, and another device gives them anew', async () => {
    const home = await founded();
    const phone = await addDevice(home.bank, 'phone', ['admit']);
    const byPhone = { bank: home.bank, members: new Members(phone.device.session) };
    const bob = await join(byPhone, 'agent');
    const browser = await signedIn(home.bank, bob);
    const { payload, token } = await startAgent(browser, VALUE);
    const customer = new Customer(world.home.origin);
    await customer.open(token);
    const { devices } = home.bank.device;
    const kid = await phone.device.session.kid();
    await devices.freeze(kid);
    assert.equal((await customer.read(payload.sid, 0)).status, 404);
    await assert.rejects(listOf(browser), refused('seat-over'));
    const { fallen } = await home.members.read();
    assert.deepEqual(
      [...fallen.values()].map(({ name, role }) => [name, role]),
      [[bob.name, 'agent']],
    );
    await devices.thaw(kid);
    await listOf(browser);
    await devices.revoke(kid, 'lost');
    await assert.rejects(listOf(browser), refused('seat-over'));
    await assert.rejects(begin(home.bank, bob), refused('not-permitted'));
    await home.members.change(bob.name, 'agent');
    await listOf(browser);
  });

  test('makes no member by a broker that helps it, though it dates the change back', async () => {
    const home = await founded();
    const { session } = home.bank.device;
    const phone = await addDevice(home.bank, 'phone', ['admit']);
    const before = await session.ownLog(0);
    await home.bank.device.devices.revoke(await phone.device.session.kid(), 'lost');
    const mallory = await world.party('mallory');
    const { keys } = mallory.device.session;
    const back = await createMember(
      session.crypto,
      phone.device.session.keys.signer,
      before,
      await home.members.read(),
      { name: keys.name, identity: keys.identity },
      'owner',
      session.clock.now(),
    );
    const rogue = Object.create(session.api) as typeof session.api;
    const honest = await session.api.readMembers(session.keys.name, 1);
    rogue.readMembers = async () => [...honest, back.jws];
    const reading = { api: rogue, crypto: session.crypto, state: new MemoryStateStore() };
    const { members, fallen } = await readMembers(reading, await session.ownLog(0));
    assert.ok(!members.has(keys.identity));
    assert.ok(fallen.has(keys.identity));
  });
});

describe('what is told of members', () => {
  test('names in the history who made a session, with a proof that whoever reads it verifies', async () => {
    const home = await founded();
    const bob = await join(home, 'agent');
    const browser = await signedIn(home.bank, bob);
    const { jws, payload } = await signSession(browser);
    await browser.device.session.api.startSession(jws);
    const [row] = await historyOf(home.bank);
    const { by, member, sid } = JSON.parse(row!.entry) as {
      sid: string;
      by: string;
      member: { name: string; identity: string; seat: string };
    };
    assert.equal(sid, payload.sid);
    assert.equal(member.name, bob.name);
    const seat = await readSeat(home.bank.device.session, member.seat);
    assert.equal(seat.kid, by);
    assert.equal(seat.member.identity, member.identity);
  });

  test('is no shorter later: a broker that hides a removal is found out by who knew of it', async () => {
    const home = await founded();
    const bob = await join(home, 'agent');
    const { session } = home.bank.device;
    const log = await session.ownLog(0);
    await home.members.change(bob.name, 'none');
    await home.members.read();
    const rogue = Object.create(session.api) as typeof session.api;
    const other = await createMember(
      session.crypto,
      session.keys.signer,
      log,
      await home.members.read(),
      { name: bob.name, identity: encodeBase64url(new Uint8Array(32)) },
      'agent',
      session.clock.now(),
    );
    rogue.readMembers = async () => [other.jws, other.jws];
    await assert.rejects(
      readMembers({ api: rogue, crypto: session.crypto, state: session.state }, log),
      refused('member-conflict'),
    );
    rogue.readMembers = async () => [];
    const list = await readMembers({ api: rogue, crypto: session.crypto, state: session.state }, log);
    assert.ok(!list.members.has(bob.device.session.keys.identity));
  });
});
