/**
 * Vectors of receipts of what a member asked by their seat.
 * @module
 */
import {
  applyMember,
  createMember,
  createRequest,
  createResponse,
  createRevocation,
  createSeatRequest,
  type ErrorCode,
  extendLog,
  type MemberPayload,
  memberWhoAsks,
  NO_MEMBERS,
  parseRequest,
  type Receipt,
  type RequestPayload,
  type Role,
  type SeatLanguage,
  sealContent,
  statementId,
  type TwoWayCall,
  twoWayQuestion,
  type Verified,
} from '@countersign/core';
import { webCrypto } from '@countersign/core/webcrypto';
import { checkpointFor, newAccount, type TestAccount, withDevice } from './accounts.ts';
import { PURPOSE } from './asking.ts';
import type { Memory } from './memory.ts';
import { ACCEPT } from './responses.ts';
import { invalid, type Loose, payloadOf, type Vector, valid } from './vector.ts';
import { BROKER, NOW, seeded, signLoose, type TestDevice, testDevice, testSigner } from './world.ts';

const PASSCODE = '042042';
const SIGNED_IN = NOW - 600;

interface Evidence {
  readonly request: string;
  readonly response: string;
}

interface Wish {
  readonly language?: SeatLanguage;
  readonly call?: Partial<TwoWayCall>;
  readonly asked?: object;
  readonly change?: (payload: Loose) => void;
  readonly by?: TestDevice;
  readonly seat?: Evidence;
  readonly members?: readonly string[];
  readonly toOrganisation?: boolean;
}

export async function receiptsOfMembers(memory: Memory): Promise<Vector[]> {
  const bank = await newAccount(memory, 'bank@example.com');
  const bob = await withDevice(await newAccount(memory, 'bob@example.com'), 'phone');
  const alice = await newAccount(memory, 'alice@example.com');
  const browser = await testDevice(memory, 'browser');
  const thief = await testDevice(memory, 'thief');
  const [bobsLaptop, bobsPhone] = bob.devices as [TestDevice, TestDevice];
  const broker = await testSigner(memory, 'broker key');

  const signIn = async (role: Role, decision: 'accept' | 'reject' = 'accept'): Promise<Evidence> => {
    const asked = await createSeatRequest(seeded(`asking seat ${role}`), {
      signer: browser.signer,
      organisation: bank.log,
      member: bob.log,
      role,
      language: 'en',
      passcode: PASSCODE,
      broker: BROKER,
      now: SIGNED_IN - 5,
    });
    const decided =
      decision === 'accept' ? { ...ACCEPT, passcode: PASSCODE } : ({ decision, shown: 'screen' } as const);
    const answering = { signer: bobsPhone.signer, account: bob.log, enquirer: bank.log, now: SIGNED_IN };
    const made = await createResponse(seeded(`asking seat ${role} ${decision}`), answering, asked, decided);
    return { request: asked.statement.jws, response: made.statement.jws };
  };
  /** The list after alice became the owner, and bob got roles, each at a time. */
  const listed = async (...changes: [MemberPayload['role'], number][]): Promise<string[]> => {
    const all: string[] = [];
    let list = NO_MEMBERS;
    const { signer } = bank.devices[0]!;
    const steps: [TestAccount, MemberPayload['role'], number][] = [
      [alice, 'owner', NOW - 2000],
      ...changes.map(([role, at]) => [bob, role, at] as [TestAccount, MemberPayload['role'], number]),
    ];
    for (const [who, role, at] of steps) {
      const change = await createMember(webCrypto, signer, bank.log, list, who.log, role, at);
      list = applyMember(list, change);
      all.push(change.jws);
    }
    return all;
  };
  const agent = await signIn('agent');
  const members = await listed(['agent', NOW - 1000]);
  const hashOf = async ({ request }: Evidence) => (await parseRequest(webCrypto, request)).hash;

  const make = async (label: string, wish: Wish = {}): Promise<Receipt> => {
    const { language = 'en', call, asked, change, by = browser, seat = agent } = wish;
    const words = twoWayQuestion(language, {
      organisation: bank.log.name,
      agent: bob.log.name,
      reason: 'Your new card',
      direction: 'out',
      ...call,
    });
    const asking = {
      signer: browser.signer,
      enquirer: bank.log,
      account: alice.log,
      broker: BROKER,
      now: NOW,
      member: { seat: await hashOf(seat), key: browser.opener.publicKey },
    };
    const request = await createRequest(seeded(`asked by a member, ${label}`), asking, {
      kind: 'approval',
      lifetime: 300,
      ...words,
      ...asked,
    });
    const payload = payloadOf(request.statement.jws);
    change?.(payload);
    const jws = await signLoose(by, 'request', payload);
    const statement = (await parseRequest(webCrypto, jws)) as Verified<RequestPayload>;
    const answering = {
      signer: alice.devices[0]!.signer,
      account: alice.log,
      enquirer: bank.log,
      now: NOW + 5,
    };
    const crypto = seeded(`answer to a member, ${label}`);
    const made = await createResponse(crypto, answering, { ...request, statement }, ACCEPT);
    let response = made.statement.jws;
    if (wish.toOrganisation) {
      const loose = payloadOf(response);
      const binding = [loose.req, loose.iss_id];
      const { sealed } = await sealContent(
        crypto,
        bank.log.epoch,
        PURPOSE.response,
        binding,
        JSON.parse(made.plaintext!),
      );
      response = await signLoose(alice.devices[0]!, 'response', { ...loose, sealed });
    }
    return {
      countersign: 'receipt/1',
      request: jws,
      response,
      disclosed: { request: request.plaintext!, response: made.plaintext! },
      enquirer_log: [...bank.log.entries],
      account_log: [...alice.log.entries],
      ...(memberWhoAsks(statement.payload) === undefined
        ? {}
        : {
            seat: { ...seat, member_log: [...bob.log.entries], members: [...(wish.members ?? members)] },
          }),
      checkpoint: {
        statement: await checkpointFor(broker, alice.log, NOW + 6),
        key: broker.publicKey,
      },
    };
  };
  const party = async ({ log }: TestAccount) => ({
    name: log.name,
    fingerprint: await statementId(webCrypto, log.identity),
  });
  const found = async (role: Role) => ({
    account: await party(alice),
    enquirer: await party(bank),
    member: { ...(await party(bob)), role },
    decision: 'accept',
    device: alice.devices[0]!.kid,
    asked_at: NOW,
    answered_at: NOW + 5,
    checkpoint_at: NOW + 6,
  });
  const vectors: Vector[] = [];
  const good = async (name: string, comment: string, receipt: Receipt, role: Role = 'agent') => {
    vectors.push(valid(`member-${name}`, comment, { receipt }, await found(role)));
  };
  const bad = (name: string, comment: string, code: ErrorCode, receipt: unknown) =>
    vectors.push(invalid(`member-${name}`, comment, code, { receipt }));
  const badly = async (name: string, comment: string, code: ErrorCode, wish: Wish) =>
    bad(name, comment, code, await make(name, wish));

  const first = await make('english');
  await good('english', 'a member asked by their seat, in English', first);
  await good(
    'german',
    'in German, about a call of the customer',
    await make('german', {
      language: 'de',
      call: { direction: 'in' },
    }),
  );
  const owner = await signIn('owner');
  const asOwner = await listed(['owner', NOW - 1000]);
  await good('owner', 'an owner asked', await make('owner', { seat: owner, members: asOwner }), 'owner');
  const removed = await listed(['agent', NOW - 1000], ['none', NOW + 1]);
  await good(
    'removed-later',
    'the member was removed a second later',
    await make('english', { members: removed }),
  );
  const without = async (reason: 'retired' | 'lost', now = NOW + 100) => {
    const crypto = seeded('asking member');
    const { jws } = await createRevocation(crypto, bob.log, bobsLaptop.signer, bobsPhone.kid, reason, now);
    return [...(await extendLog(webCrypto, bob.log, [jws])).entries];
  };
  const withSeat = (change: object): unknown => ({ ...first, seat: { ...first.seat, ...change } });
  await good(
    'device-retired',
    'the device that let the browser in was retired since',
    withSeat({ member_log: await without('retired') }) as Receipt,
  );

  bad(
    'device-retired-before',
    'it was retired before it let the browser in, by a log that it had kept',
    'device-revoked',
    withSeat({ member_log: await without('retired', SIGNED_IN - 61) }),
  );
  const giverOut = async (reason: 'retired' | 'lost') => {
    const { log, devices } = await withDevice(bank, 'phone', { rights: ['admit', 'recover'] });
    const [giver, other] = devices as [TestDevice, TestDevice];
    const { jws } = await createRevocation(webCrypto, log, other.signer, giver.kid, reason, NOW + 100);
    return { ...first, enquirer_log: [...(await extendLog(webCrypto, log, [jws])).entries] };
  };
  await good('giver-retired', 'the device that gave the role was retired since', await giverOut('retired'));

  bad('giver-lost', 'it was lost since', 'seat-over', await giverOut('lost'));
  bad(
    'device-lost',
    'the device that let the browser in was lost since',
    'device-revoked',
    withSeat({ member_log: await without('lost') }),
  );
  const { seat: proof, ...unproven } = first;
  bad('seat-missing', 'without the proof of the seat', 'receipt-invalid', unproven);
  bad('seat-more', 'a further member of the proof', 'receipt-invalid', withSeat({ note: 'x' }));
  bad('members-missing', 'without the list of members', 'receipt-invalid', withSeat({ members: undefined }));
  bad(
    'no-member',
    'a list that names the owner alone',
    'seat-over',
    withSeat({ members: members.slice(0, 1) }),
  );
  bad(
    'members-torn',
    'a list without its beginning',
    'member-conflict',
    withSeat({ members: members.slice(1) }),
  );
  await badly('removed', 'the member had been removed when they asked', 'seat-over', {
    members: await listed(['agent', NOW - 1000], ['none', NOW]),
  });
  await badly('other-role', 'the member had another role', 'seat-over', { members: asOwner });
  await badly('auditor', 'a role that asks nobody', 'role-missing', {
    seat: await signIn('auditor'),
    members: await listed(['auditor', NOW - 1000]),
  });
  const rejected = await signIn('agent', 'reject');
  bad('rejected', 'a seat that the member rejected', 'seat-invalid', withSeat(rejected));
  bad('other-seat', 'another seat of the member', 'seat-invalid', withSeat(owner));
  await badly('colleague', 'a colleague’s name', 'seat-invalid', { call: { agent: 'carol@example.com' } });
  await badly('other-organisation', 'another organisation’s name', 'seat-invalid', {
    call: { organisation: 'other@example.com' },
  });
  for (const kind of ['login', 'payment'] as const) {
    await badly(kind, `a ${kind} in the same words`, 'seat-invalid', { asked: { kind } });
  }
  await badly('words', 'other words', 'seat-invalid', {
    asked: { parts: [{ type: 'h1', text: 'Pay 5000 to Mallory?' }] },
  });
  await badly('field-more', 'a field more', 'seat-invalid', {
    asked: {
      fields: [
        ...twoWayQuestion('en', {
          organisation: bank.log.name,
          agent: bob.log.name,
          reason: 'x',
          direction: 'out',
        }).fields,
        { name: 'Amount', value: '5000' },
      ],
    },
  });
  await badly('reason-long', 'a reason of 1025 bytes', 'seat-invalid', {
    call: { reason: 'x'.repeat(1025) },
  });
  await badly('other-signer', 'signed by another key than the seat’s', 'signature-invalid', { by: thief });
  await badly('key-swapped', 'a thief’s key for the answer, under their own signature', 'signature-invalid', {
    by: thief,
    change: (payload) => {
      payload.member.key = thief.opener.publicKey;
    },
  });
  await badly('too-long', 'a second more than a quarter of an hour', 'request-lifetime', {
    change: (payload) => {
      payload.exp = payload.iat + 901;
    },
  });
  const end = SIGNED_IN + 28_800;
  await badly('past-the-seat', 'it ends a second after the seat', 'seat-over', {
    change: (payload) => {
      payload.iat = end - 299;
      payload.exp = end + 1;
    },
  });
  await badly('before-the-seat', 'asked more than a minute before the seat began', 'seat-invalid', {
    change: (payload) => {
      payload.iat = SIGNED_IN - 61;
      payload.exp = SIGNED_IN + 239;
    },
  });
  await badly('to-the-organisation', 'an answer that is sealed to the organisation', 'seal-broken', {
    toOrganisation: true,
  });
  return vectors;
}
