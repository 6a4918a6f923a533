import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import type { AskingMember } from '../src/asking-member.ts';
import { applyMember, createMember, type MemberList, NO_MEMBERS, type Role } from '../src/members.ts';
import {
  type Asked,
  createRequest,
  type OpenRequest,
  openRequest,
  parseRequest,
  RequestStatement,
  verifyRequest,
} from '../src/request.ts';
import { createResponse, readWithKeys, verifyResponse } from '../src/response.ts';
import { verifySeat } from '../src/seat.ts';
import { SEAT_LIFE, type Seat } from '../src/seat-standing.ts';
import { signStatement } from '../src/statement.ts';
import { LONGEST_TWO_WAY, type TwoWayCall, twoWayQuestion } from '../src/two-way-question.ts';
import { webCrypto } from '../src/webcrypto.ts';
import {
  answer,
  ask,
  BROKER,
  NOW,
  newAccount,
  newDevice,
  type TestAccount,
  type TestDevice,
} from './fixtures.ts';
import { refused } from './refused.ts';
import { seatWanted, signIn } from './seat-fixtures.ts';
import { type Loose, payloadOf } from './tamper.ts';

let bank: TestAccount;
let bob: TestAccount;
let alice: TestAccount;
let browser: TestDevice;
let seat: Seat;
let members: MemberList;

before(async () => {
  bank = await newAccount('bank@example.com');
  bob = await newAccount('bob@example.com');
  alice = await newAccount('alice@example.com');
  browser = await newDevice();
  seat = await seated(browser, 'agent');
  members = await listed('agent');
});

/** A seat in a role, that bob gave a browser ten minutes ago. */
async function seated(device: TestDevice, role: Role): Promise<Seat> {
  const wanted = seatWanted(bank, bob, device, { role, now: NOW - 605 });
  return verifySeat(webCrypto, await signIn(bank, bob, wanted), bank.log, bob.log);
}

/** The list after bob got a role, or lost it. */
async function listed(...roles: (Role | 'none')[]): Promise<MemberList> {
  let list = NO_MEMBERS;
  const { signer } = bank.devices[0]!;
  for (const [who, role] of [[alice, 'owner'], ...roles.map((role) => [bob, role])] as [
    TestAccount,
    Role | 'none',
  ][]) {
    list = applyMember(list, await createMember(webCrypto, signer, bank.log, list, who.log, role, NOW - 700));
  }
  return list;
}

const CALL: TwoWayCall = {
  organisation: 'bank@example.com',
  agent: 'bob@example.com',
  reason: 'Your new card',
  direction: 'out',
};

interface Wish {
  readonly asked?: Partial<Asked>;
  readonly call?: Partial<TwoWayCall>;
  readonly language?: 'en' | 'de';
  readonly now?: number;
}

function askAlice({ asked, call, language = 'en', now = NOW }: Wish = {}): Promise<OpenRequest> {
  const asking = {
    signer: browser.signer,
    enquirer: bank.log,
    account: alice.log,
    broker: BROKER,
    now,
    member: { seat: seat.hash, key: browser.opener.publicKey },
  };
  const words = twoWayQuestion(language, { ...CALL, ...call });
  return createRequest(webCrypto, asking, { kind: 'approval', lifetime: 300, ...words, ...asked });
}

/** As alice's device judges it: by the broker's delivery, the seat, and the list. */
async function judged(jws: string, by: AskingMember | 'nobody' = { seat, members }, now = NOW) {
  const member = by === 'nobody' ? undefined : by;
  const statement = await parseRequest(webCrypto, jws);
  const verified = await verifyRequest(webCrypto, statement, bank.log, {
    now,
    brokers: [BROKER],
    member,
  });
  return openRequest(webCrypto, verified, alice.epochs, member);
}

/** Signed again by the browser, with some of it changed. */
async function altered(change: (payload: Loose) => void, by = browser): Promise<string> {
  const payload = payloadOf((await askAlice()).statement.jws);
  change(payload);
  return (await signStatement(webCrypto, RequestStatement, by.signer, payload)).jws;
}

describe('a member who asks by a seat', () => {
  for (const language of ['en', 'de'] as const) {
    for (const direction of ['out', 'in'] as const) {
      test(`asks a customer about a call, in fixed words (${language}, ${direction})`, async () => {
        const { statement } = await askAlice({ language, call: { direction } });
        const { question } = await judged(statement.jws);
        assert.deepEqual(question.fields, twoWayQuestion(language, { ...CALL, direction }).fields);
      });
    }
  }

  test('and nobody but their browser reads the answer', async () => {
    const request = await askAlice();
    const { statement } = await answer(alice, bank, await judged(request.statement.jws));
    const verify = (read: Parameters<typeof verifyResponse>[4]) =>
      verifyResponse(webCrypto, request, alice.log, statement.jws, read);
    const { decision } = await verify(readWithKeys(webCrypto, bank.epochs, browser.opener));
    assert.equal(decision.decision, 'accept');
    await assert.rejects(verify(readWithKeys(webCrypto, bank.epochs)), refused('epoch-unknown'));
    const other = await newDevice();
    await assert.rejects(verify(readWithKeys(webCrypto, bank.epochs, other.opener)), refused('seal-broken'));
  });

  test('takes no answer that is sealed to the organisation, nor a device one that is sealed to a browser', async () => {
    const request = await askAlice();
    const asDevice = await ask(bank, alice, { kind: 'approval' });
    const answering = { signer: alice.devices[0]!.signer, account: alice.log, enquirer: bank.log, now: NOW };
    const decided = { decision: 'accept', shown: 'screen' } as const;
    for (const [mine, other] of [
      [request, asDevice],
      [asDevice, request],
    ] as const) {
      // The hash is the one's, and the seal as the other wants it.
      const mixed = {
        ...mine,
        statement: { ...mine.statement, payload: other.statement.payload },
      } as OpenRequest;
      const { statement } = await createResponse(webCrypto, answering, mixed, decided);
      const read = readWithKeys(webCrypto, bank.epochs, browser.opener);
      await assert.rejects(
        verifyResponse(webCrypto, mine, alice.log, statement.jws, read),
        refused('seal-broken'),
      );
    }
  });

  test('has no colleague’s name', async () => {
    const { statement } = await askAlice({ call: { agent: 'carol@example.com' } });
    await assert.rejects(judged(statement.jws), refused('seat-invalid'));
  });

  test('speaks for no other organisation', async () => {
    const { statement } = await askAlice({ call: { organisation: 'other@example.com' } });
    await assert.rejects(judged(statement.jws), refused('seat-invalid'));
  });

  const refusals: [string, Partial<Asked>][] = [
    ['a login', { kind: 'login' }],
    ['a payment', { kind: 'payment' }],
    ['other words', { parts: [{ type: 'h1', text: 'Pay 5000 to Mallory?' }] }],
    ['a field more', { fields: [...twoWayQuestion('en', CALL).fields, { name: 'Amount', value: '5000' }] }],
    ['no fields', { fields: [] }],
    ['a long reason', { fields: twoWayQuestion('en', { ...CALL, reason: 'x'.repeat(1025) }).fields }],
    ['words of two languages', { fields: twoWayQuestion('de', CALL).fields }],
  ];
  for (const [what, asked] of refusals) {
    test(`may not ask ${what}`, async () => {
      const { statement } = await askAlice({ asked });
      await assert.rejects(judged(statement.jws), refused('seat-invalid'));
    });
  }

  test('may not ask in clear', async () => {
    await assert.rejects(askAlice({ asked: { sealed: false } }), TypeError);
    const clear = await ask(bank, alice, { kind: 'approval', sealed: false });
    const { content, ...rest } = payloadOf(clear.statement.jws);
    const member = { seat: seat.hash, key: browser.opener.publicKey };
    await assert.rejects(
      signStatement(webCrypto, RequestStatement, browser.signer, { ...rest, content, member } as never),
      refused('statement-malformed'),
    );
    const { jws } = await signStatement(webCrypto, RequestStatement, browser.signer, {
      ...rest,
      content,
    } as never);
    await assert.rejects(judged(jws), refused('device-unknown'));
  });

  test('stands for a quarter of an hour, and no longer than the seat', async () => {
    const longer = await altered((payload) => {
      payload.exp = payload.iat + LONGEST_TWO_WAY + 1;
    });
    await assert.rejects(judged(longer), refused('request-lifetime'));
    const end = NOW - 600 + SEAT_LIFE;
    await judged((await askAlice({ now: end - 300 })).statement.jws, { seat, members }, end - 300);
    const over = await askAlice({ now: end - 299 });
    await assert.rejects(judged(over.statement.jws, { seat, members }, end - 299), refused('seat-over'));
    const early = await askAlice({ now: NOW - 700 });
    await assert.rejects(judged(early.statement.jws, { seat, members }, NOW - 700), refused('seat-invalid'));
  });

  test('has the role by the list, and it is one that may ask', async () => {
    const { jws } = (await askAlice()).statement;
    for (const roles of [['none'], ['owner'], ['auditor']] as const) {
      const now = await listed('agent', ...roles);
      await assert.rejects(judged(jws, { seat, members: now }), refused('seat-over'));
    }
    const auditor = { seat: { ...seat, role: 'auditor' as const }, members: await listed('auditor') };
    await assert.rejects(judged(jws, auditor), refused('role-missing'));
    const owner = { seat: { ...seat, role: 'owner' as const }, members: await listed('owner') };
    await judged(jws, owner);
  });

  test('is the one whose seat is named, and who signs', async () => {
    const thief = await newDevice();
    const other = { seat: await seated(thief, 'agent'), members };
    const { jws } = (await askAlice()).statement;
    for (const by of [other, 'nobody'] as const) {
      await assert.rejects(judged(jws, by), refused('seat-invalid'));
    }
    await assert.rejects(judged(await altered(() => {}, thief)), refused('signature-invalid'));
    const named = await altered((payload) => {
      payload.member.seat = other.seat.hash;
    });
    await assert.rejects(judged(named, other), refused('signature-invalid'));
  });

  test('has the key for the answer signed: another one is another question', async () => {
    const thief = await newDevice();
    const swapped = await altered((payload) => {
      payload.member.key = thief.opener.publicKey;
    }, thief);
    await assert.rejects(judged(swapped), refused('signature-invalid'));
  });
});
