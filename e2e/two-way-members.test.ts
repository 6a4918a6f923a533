/**
 * Signed confirmations that a member asks for by their seat: what they may ask, who reads the answer, and what becomes
 * of it where the seat is over, or the broker lies.
 */
import assert from 'node:assert/strict';
import { join as pathOf } from 'node:path';
import { describe, test } from 'node:test';
import { type Ask, type Enquirer, readHistory } from '@countersign/client';
import {
  CancelStatement,
  createRequest,
  createResponse,
  type Receipt,
  RequestStatement,
  type Role,
  SEAT_LIFE,
  sessionRecords,
  signStatement,
  type TwoWayCall,
  twoWayQuestion,
  verifyReceipt,
} from '@countersign/core';
import { webCrypto } from '@countersign/core/webcrypto';
import * as v from 'valibot';
import { type Bank, memberParties } from './member-parties.ts';
import { addDevice, introduce, type Party, refused, revokeDevice } from './parties.ts';
import { countersign, temporaryFolder } from './processes.ts';
import { createWorld } from './world.ts';

const world = createWorld();
const { founded, join, signedIn, seatOf } = memberParties(world);
const ACCEPT = { decision: 'accept', shown: 'screen' } as const;

interface Scene extends Bank {
  readonly bob: Party;
  readonly browser: Party;
  readonly alice: Party;
}

/** A bank with a member who is signed in, and a customer who knows the bank. */
async function scene(role: Role = 'agent'): Promise<Scene> {
  const home = await founded();
  const bob = await join(home, role);
  const alice = await world.party('customer');
  await introduce(alice, home.bank);
  return { ...home, bob, alice, browser: await signedIn(home.bank, bob) };
}

function question({ bank, bob }: Scene, call: Partial<TwoWayCall> = {}) {
  const said = {
    organisation: bank.name,
    agent: bob.name,
    reason: 'Your new card',
    direction: 'out',
  } as const;
  const { parts: text, fields } = twoWayQuestion('en', { ...said, ...call });
  return { text, fields };
}

function ask(of: Scene, change: Partial<Ask> = {}, by: Enquirer = of.browser.enquirer) {
  return by.ask({ account: of.alice.name, kind: 'approval', lifetime: 300, ...question(of), ...change });
}

async function pendingOf({ device }: Party) {
  const { requests } = await device.pending();
  assert.equal(requests.length, 1);
  return requests[0]!;
}

/** Refused by the device, whatever the broker says of it, and so not shown. */
async function notShown({ device }: Party, code: Parameters<typeof refused>[0]): Promise<void> {
  const { requests, suspects } = await device.pending();
  assert.equal(requests.length, 0);
  assert.deepEqual(
    suspects.map(({ error }) => error.code),
    [code],
  );
}

/** The request as the browser would sign it, with what the seat may not do. */
async function signed(of: Scene, by = of.browser, seat = seatOf(of.browser).hash): Promise<string> {
  const { keys } = by.device.session;
  const asking = {
    signer: keys.signer,
    enquirer: await of.bank.device.session.ownLog(0),
    account: await of.alice.device.session.ownLog(0),
    broker: world.home.origin,
    now: world.clock.now(),
    member: { seat, key: keys.opener.publicKey },
  };
  const { text: parts, fields } = question(of);
  const asked = { kind: 'approval', lifetime: 300, parts, fields } as const;
  return (await createRequest(webCrypto, asking, asked)).statement.jws;
}

describe('a signed confirmation that a member asks for', () => {
  for (const role of ['agent', 'owner'] as const) {
    test(`shows the customer who is on the line, and both sides get a receipt: ${role}`, async () => {
      const of = await scene(role);
      const { bank, bob, browser, alice } = of;
      const { hash } = await ask(of);
      const shown = await pendingOf(alice);
      assert.equal(shown.enquirer.name, bank.name);
      assert.deepEqual(
        shown.question.fields?.map(({ value }) => value),
        [bank.name, bob.name, 'Your new card', 'the organisation called'],
      );
      await alice.device.answer(shown, ACCEPT);
      const outcome = await browser.enquirer.wait(hash);
      assert.equal(outcome.outcome, 'accepted');
      const receipts = [await browser.enquirer.receipt(hash), await alice.device.receipt(hash)];
      for (const receipt of receipts) {
        const { seat, response, request } = await verifyReceipt(
          webCrypto,
          JSON.parse(JSON.stringify(receipt)),
        );
        assert.equal(seat!.member.name, bob.name);
        assert.equal(seat!.role, role);
        assert.equal(response.decision.decision, 'accept');
        assert.equal(request.statement.hash, hash);
      }
    });
  }

  test('is shown and answered on the command line, and the receipt names the member', async () => {
    await using folder = await temporaryFolder();
    const run = async (...words: string[]) => {
      const { stdout, stderr, status } = await countersign(pathOf(folder.path, 'erin'), words);
      assert.equal(status, 0, stdout + stderr);
      return stdout + stderr;
    };
    const of = await scene();
    await run('account', 'create', 'erin@example.com', '--broker', world.home.origin);
    await run('contact', 'add', of.bank.name);
    const { hash, id } = await ask(of, { account: 'erin@example.com' });
    assert.match(await run('confirm', 'pending'), new RegExp(id));
    const shown = await run('confirm', 'accept', id, '--shown');
    for (const said of [of.bank.name, of.bob.name, 'Your new card', 'the organisation called']) {
      assert.ok(shown.includes(said), `${said} in ${shown}`);
    }
    assert.equal((await of.browser.enquirer.wait(hash)).outcome, 'accepted');
    const file = pathOf(folder.path, 'receipt.json');
    await run('confirm', 'history', '--receipt', id, '--out', file);
    const said = await run('receipt', 'verify', file);
    assert.ok(said.includes(`asked by ${of.bank.name}, its member ${of.bob.name} (agent)`), said);
  });

  test('is read by the browser alone: no device of the organisation has the key', async () => {
    const of = await scene();
    const { hash } = await ask(of);
    await of.alice.device.answer(await pendingOf(of.alice), ACCEPT);
    const posted = await of.browser.state.get<object>('asked', hash);
    await of.bank.state.update('asked', hash, () => posted!);
    await assert.rejects(of.bank.enquirer.status(hash), refused('epoch-unknown'));
  });

  test('stands in the history by the member’s name, and is ended by who asked alone', async () => {
    const of = await scene();
    const ben = await signedIn(of.bank, await join(of, 'agent'));
    const { hash } = await ask(of);
    const [by, other, device] = [of.browser, ben, of.bank].map((party) => {
      const { api, keys } = party.device.session;
      return {
        note: () => api.noteTwoWay(keys.signer, keys.name, hash),
        end: () => api.endTwoWay(keys.signer, keys.name, hash, 'accepted'),
      };
    });
    for (const stranger of [other!, device!]) {
      await assert.rejects(stranger.note(), refused('request-unknown'));
      await assert.rejects(stranger.end(), refused('request-unknown'));
    }
    await by!.note();
    await of.alice.device.answer(await pendingOf(of.alice), ACCEPT);
    await by!.end();
    const { entries } = await readHistory(of.bank.device.session);
    const [{ created, ended }] = sessionRecords(entries) as [ReturnType<typeof sessionRecords>[0]];
    const seat = seatOf(of.browser);
    assert.deepEqual([created.sid, created.mode, created.by], [hash, 'two-way', seat.kid]);
    assert.deepEqual(created.member, { ...seat.member, seat: seat.hash });
    assert.equal(ended?.outcome, 'accepted');
  });

  test('is taken back by the browser, or by the organisation, and by no colleague', async () => {
    const of = await scene();
    const ben = await signedIn(of.bank, await join(of, 'agent'));
    const { hash } = await ask(of);
    const { api, keys, clock } = ben.device.session;
    const body = { req: hash, iat: clock.now() };
    const foreign = await signStatement(webCrypto, CancelStatement, keys.signer, body);
    await assert.rejects(api.postCancel(hash, foreign.jws), refused('device-unknown'));
    await of.browser.enquirer.cancel(hash);
    assert.equal((await of.browser.enquirer.status(hash)).outcome, 'cancelled-by-enquirer');
    const second = await ask(of);
    const own = await signStatement(webCrypto, CancelStatement, of.bank.device.session.keys.signer, {
      req: second.hash,
      iat: clock.now(),
    });
    await api.postCancel(second.hash, own.jws);
    assert.equal((await of.browser.enquirer.status(second.hash)).outcome, 'cancelled-by-enquirer');
  });

  test('is held to who may ask, and to how often, as the organisation is', async () => {
    const of = await scene();
    const stranger = await world.party('stranger');
    await ask(of, { account: stranger.name });
    assert.equal((await stranger.device.pending()).requests.length, 0);
    const ben = await signedIn(of.bank, await join(of, 'agent'));
    for (let i = 0; i < 3; i++) await ask(of);
    await assert.rejects(ask(of, {}, ben.enquirer), refused('too-many-pending'));
    await of.alice.device.contacts.change(of.bank.device.session.keys, 'block');
    await assert.rejects(ask(of), refused('not-permitted'));
  });
});

describe('by a seat', () => {
  test('of an auditor nothing is asked', async () => {
    await assert.rejects(ask(await scene('auditor')), refused('role-missing'));
  });

  test('nothing but that is asked: the broker takes none in clear, and a device shows none that was sealed', async () => {
    const of = await scene();
    const { browser, alice, bank } = of;
    for (const kind of ['login', 'payment'] as const) {
      const { hash } = await ask(of, { kind });
      await notShown(alice, 'seat-invalid');
      await browser.enquirer.cancel(hash);
    }
    const { hash } = await ask(of, { text: 'Pay 5000 to Mallory?', fields: [] });
    await notShown(alice, 'seat-invalid');
    await browser.enquirer.cancel(hash);
    const { api, keys } = browser.device.session;
    const asking = {
      signer: keys.signer,
      enquirer: await bank.device.session.ownLog(0),
      account: await alice.device.session.ownLog(0),
      broker: world.home.origin,
      now: world.clock.now(),
    };
    for (const kind of ['login', 'payment', 'approval'] as const) {
      const { text: parts, fields } = question(of);
      const clear = await createRequest(webCrypto, asking, { kind, parts, fields, sealed: false });
      await assert.rejects(api.postRequest(clear.statement.jws), refused('device-unknown'));
      const member = { seat: seatOf(browser).hash, key: keys.opener.publicKey };
      const loose = { ...RequestStatement, schema: v.any() };
      const mixed = await signStatement(webCrypto, loose as never, keys.signer, {
        ...clear.statement.payload,
        member,
      } as never);
      await assert.rejects(api.postRequest(mixed.jws), refused('statement-malformed'));
    }
  });

  test('nothing is asked that stands for longer than a quarter of an hour', async () => {
    await assert.rejects(ask(await scene(), { lifetime: 901 }), refused('request-lifetime'));
  });

  test('nobody has a colleague’s name', async () => {
    const of = await scene();
    const carol = await join(of, 'agent');
    await ask(of, question(of, { agent: carol.name }));
    await notShown(of.alice, 'seat-invalid');
  });

  test('of another organisation, or of a colleague, nothing is asked', async () => {
    const [of, other] = [await scene(), await scene()];
    const { api } = of.browser.device.session;
    const foreign = seatOf(other.browser).hash;
    const ben = await signedIn(of.bank, await join(of, 'agent'));
    for (const jws of [
      await signed(of, other.browser, foreign),
      await signed(of, of.browser, foreign),
      await signed(of, ben),
      await signed(of, of.bank),
    ]) {
      await assert.rejects(api.postRequest(jws), refused('seat-invalid'));
    }
  });

  test('nothing is asked after eight hours, and what was asked shortly before ends with it', async () => {
    const of = await scene();
    await world.atOffset(SEAT_LIFE - 60, async () => {
      const { hash, expiresAt } = await ask(of);
      assert.equal(expiresAt, seatOf(of.browser).exp);
      await of.browser.enquirer.cancel(hash);
    });
    await world.atOffset(SEAT_LIFE + 5, async () => {
      await assert.rejects(ask(of), refused('seat-over'));
      const { api } = of.browser.device.session;
      await assert.rejects(api.postRequest(await signed(of)), refused('seat-over'));
    });
  });
});

describe('a member who is removed, or gets another role', () => {
  for (const role of ['none', 'auditor'] as const) {
    test(`asks nothing more, and what stands is taken back: ${role}`, async () => {
      const of = await scene();
      const { hash } = await ask(of);
      const shown = await pendingOf(of.alice);
      await of.members.change(of.bob.name, role);
      assert.equal((await of.browser.enquirer.status(hash)).outcome, 'cancelled-by-broker');
      // Where the broker had not done that, the device would not sign.
      await assert.rejects(of.alice.device.answer(shown, ACCEPT), refused('seat-over'));
      await assert.rejects(ask(of), refused('seat-over'));
    });
  }

  test('has what was answered before stand: the receipt is good afterwards', async () => {
    const of = await scene();
    const { hash } = await ask(of);
    await of.alice.device.answer(await pendingOf(of.alice), ACCEPT);
    await world.atOffset(5, async () => {
      await of.members.change(of.bob.name, 'none');
      assert.equal((await verifyReceipt(webCrypto, await of.alice.device.receipt(hash))).seat?.role, 'agent');
      assert.equal((await of.browser.enquirer.wait(hash)).outcome, 'accepted');
      await verifyReceipt(webCrypto, await of.browser.enquirer.receipt(hash));
    });
  });

  test('as well as who signs out: what stands is taken back', async () => {
    const of = await scene();
    const { hash } = await ask(of);
    const { api, keys } = of.browser.device.session;
    await api.signOut(keys.signer, keys.name);
    assert.equal((await of.browser.enquirer.status(hash)).outcome, 'cancelled-by-broker');
  });

  test('as well as who loses the device that let the browser in: no answer is taken', async () => {
    const of = await scene();
    const phone = await addDevice(of.bob, 'phone', ['answer']);
    const browser = await signedIn(of.bank, phone);
    const { hash } = await ask(of, {}, browser.enquirer);
    const { open } = await pendingOf(of.alice);
    await revokeDevice(of.bob, await phone.device.session.kid());
    const { api, keys, clock } = of.alice.device.session;
    const [account, enquirer] = [
      await of.alice.device.session.ownLog(0),
      await of.bank.device.session.ownLog(0),
    ];
    const answering = { signer: keys.signer, account, enquirer, now: clock.now() };
    const { statement } = await createResponse(webCrypto, answering, open, ACCEPT);
    await assert.rejects(api.postResponse(hash, statement.jws), refused('seat-over'));
  });
});

describe('a broker that lies', () => {
  /** What its answers are in the place of the true ones. */
  function lie({ device }: Party, change: Partial<Party['device']['session']['api']>): void {
    Object.assign(device.session.api, change);
  }

  test('makes nobody a member, and nobody another one', async () => {
    const of = await scene();
    await ask(of);
    const changes = await of.alice.device.session.api.readMembers(of.bank.name, 1);
    lie(of.alice, { readMembers: async () => [] });
    await notShown(of.alice, 'seat-invalid');
    lie(of.alice, { readMembers: async () => changes.slice(1) });
    await notShown(of.alice, 'member-conflict');
    const ben = await signedIn(of.bank, await join(of, 'agent'));
    const { api } = ben.device.session;
    lie(of.alice, {
      readMembers: api.readMembers.bind(api),
      readSeat: () => api.readSeat(seatOf(ben).hash),
    });
    await notShown(of.alice, 'seat-invalid');
  });

  test('gets no question shown that it keeps from a member who was removed, once the removal was seen', async () => {
    const of = await scene();
    const { api } = of.alice.device.session;
    const kept = await api.readMembers(of.bank.name, 1);
    await ask(of);
    await pendingOf(of.alice);
    const { keys } = of.alice.device.session;
    const rows = await api.list(keys.signer, keys.name, 'pending', {});
    await of.members.change(of.bob.name, 'none');
    lie(of.alice, { list: async () => rows });
    await notShown(of.alice, 'seat-over');
    lie(of.alice, { readMembers: async (_, from) => kept.slice(from - 1) });
    await notShown(of.alice, 'seat-over');
  });

  test('gets no answer from a seat’s question sealed to another key', async () => {
    const of = await scene();
    const { hash } = await ask(of);
    const { open } = await pendingOf(of.alice);
    const { api, keys, clock } = of.alice.device.session;
    const [account, enquirer] = [
      await of.alice.device.session.ownLog(0),
      await of.bank.device.session.ownLog(0),
    ];
    const { member: _, ...payload } = open.statement.payload as { member?: unknown };
    const toOrganisation = { ...open, statement: { ...open.statement, payload } } as typeof open;
    const answering = { signer: keys.signer, account, enquirer, now: clock.now() };
    const { statement } = await createResponse(webCrypto, answering, toOrganisation, ACCEPT);
    await assert.rejects(api.postResponse(hash, statement.jws), refused('seal-broken'));
  });
});

describe('a receipt of what a member asked', () => {
  test('is none without the seat, with another one, or with a list that gave no role', async () => {
    const of = await scene();
    const { hash } = await ask(of);
    await of.alice.device.answer(await pendingOf(of.alice), ACCEPT);
    const receipt = await of.alice.device.receipt(hash);
    const { seat, ...without } = receipt;
    await assert.rejects(verifyReceipt(webCrypto, without), refused('receipt-invalid'));
    const changed = (change: Partial<NonNullable<Receipt['seat']>>) =>
      verifyReceipt(webCrypto, { ...receipt, seat: { ...seat, ...change } });
    await assert.rejects(changed({ members: seat!.members.slice(0, 1) }), refused('seat-over'));
    const ben = await signedIn(of.bank, await join(of, 'agent'));
    const proof = await ben.device.session.api.readSeat(seatOf(ben).hash);
    await assert.rejects(changed(proof), refused('account-mismatch'));
    const again = await signedIn(of.bank, of.bob);
    await assert.rejects(
      changed(await again.device.session.api.readSeat(seatOf(again).hash)),
      refused('seat-invalid'),
    );
    const other = await of.bank.enquirer.ask({
      account: of.alice.name,
      kind: 'approval',
      text: 'Is it you?',
    });
    await of.alice.device.answer(await pendingOf(of.alice), ACCEPT);
    const ordinary = await of.alice.device.receipt(other.hash);
    await assert.rejects(verifyReceipt(webCrypto, { ...ordinary, seat }), refused('receipt-invalid'));
  });
});
