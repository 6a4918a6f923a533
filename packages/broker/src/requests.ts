/**
 * What the broker does with requests: checks them, keeps them, tells devices and enquirers. It judges who may
 * ask and when; how something was answered it cannot read.
 * @module
 */
import {
  activeDevice,
  askerOver,
  CancelStatement,
  CountersignError,
  checkRight,
  checkSealedFor,
  LONGEST_TWO_WAY,
  memberWhoAsks,
  type PayloadOf,
  type PublicSigningJwk,
  parseRequest,
  parseResponse,
  parseStatement,
  ReportStatement,
  type RequestPayload,
  type ResponsePayload,
  type Role,
  type Settled,
  type Statement,
  verifyRequest,
  verifyStatement,
} from '@countersign/core';
import { networkOf } from '@countersign/http/network';
import { findIdentified } from './accounts.ts';
import type { BrokerContext } from './context.ts';
import { SHORTEST_BY_BROWSER } from './limits.ts';
import { memberList } from './members.ts';
import { askingMember, readSeat } from './seats.ts';
import type { SeatRow } from './store/member-store.ts';
import type { AccountRow, Asker, RequestRow, Settlement } from './store/store.ts';
import { checkTime } from './times.ts';

/** As many as are looked through at once. */
const PAGE = 200;

/**
 * Posts a request; posting the same one again is a safe retry, after its time too.
 * @param address where the call came from
 */
export async function postRequest(
  context: BrokerContext,
  jws: string,
  address: string,
): Promise<{ request: RequestRow; created: boolean }> {
  const { crypto, store, now, origins } = context;
  const statement = await parseRequest(crypto, jws);
  const { iss, iss_id, sub, sub_id, jti, exp } = statement.payload;
  const enquirer = await findEnquirer(context, iss, iss_id);
  const member = memberWhoAsks(statement.payload) && (await askingMember(context, enquirer, statement.kid));
  try {
    await verifyRequest(crypto, statement, enquirer, { now: now(), brokers: origins, member });
  } catch (error) {
    // Time is judged last: a request that expired since it was taken is still the one that was taken.
    const known = isExpired(error) ? await store.findRequest(statement.hash) : undefined;
    if (known === undefined) throw error;
    return { request: known, created: false };
  }
  if ('seat' in statement.payload && statement.payload.seat !== undefined) {
    await checkMember(context, enquirer, sub_id, statement.payload.seat.role);
  }
  const account = await findIdentified(context, sub, sub_id);
  checkEpoch(statement, account, 'read the account’s log again, and ask anew');
  const asker = askerOf(statement.payload);
  if (asker !== 'device') {
    const known = await store.findRequest(statement.hash);
    if (known !== undefined) return { request: known, created: false };
    checkStands(statement.payload, now());
  }
  if (asker === 'sign-in') {
    context.signIns.count(`${networkOf(address)} ${enquirer.id} ${account.id}`, now());
  }
  const posted = await store.postRequest(
    {
      hash: statement.hash,
      jti,
      jws,
      enquirerId: enquirer.id,
      enquirer: { name: iss, identity: iss_id },
      accountId: account.id,
      asker,
      exp,
    },
    now(),
  );
  if (posted.outcome === 'conflict') {
    throw new CountersignError('request-conflict', 'another request was posted under this id', {
      hint: 'use a new random jti for a new question',
    });
  }
  if (posted.outcome === 'same') return { request: posted.request, created: false };
  context.metrics.posted.inc();
  context.streams.publish(account.id, posted.event, posted.request);
  // A stranger wakes nobody.
  if (!posted.request.held) context.push.notify(account, statement.hash, exp);
  return { request: posted.request, created: true };
}

function askerOf(payload: RequestPayload): Asker {
  if (memberWhoAsks(payload) !== undefined) return 'member';
  return 'seat' in payload && payload.seat !== undefined ? 'sign-in' : 'device';
}

/** Nobody can answer what is over at once: who asks so wants it to be ignored. */
function checkStands({ iat, exp }: RequestPayload, now: number): void {
  if (exp - iat >= SHORTEST_BY_BROWSER && exp - now >= SHORTEST_BY_BROWSER / 2) return;
  throw new CountersignError(
    'request-lifetime',
    `what a browser asks must stand for ${SHORTEST_BY_BROWSER} s`,
    {
      hint: 'ask anew for a longer time; if the time is long enough, check the clock of the machine that asks',
    },
  );
}

/** What a device that was shown out could read is not taken. */
function checkEpoch(
  { payload }: Statement<RequestPayload | ResponsePayload>,
  { name, epoch }: AccountRow,
  hint: string,
): void {
  // What is sealed to a member's browser has no epoch.
  if (!('sealed' in payload) || !('epoch' in payload.sealed) || payload.sealed.epoch === epoch) return;
  throw new CountersignError('epoch-stale', `it is sealed to a key that ${name} has replaced`, { hint });
}

/** A browser is heard by members alone: their answer would be worth nothing from anybody else. */
async function checkMember(
  context: BrokerContext,
  organisation: AccountRow,
  identity: string,
  role: Role,
): Promise<void> {
  const { members } = await memberList(context, organisation);
  if (members.get(identity)?.role === role) return;
  throw new CountersignError('not-permitted', 'this account is no member of the organisation in that role');
}

function isExpired(error: unknown): boolean {
  return error instanceof CountersignError && error.code === 'request-expired';
}

/** @throws `request-unknown` */
export async function findRequest(context: BrokerContext, hash: string): Promise<RequestRow> {
  const request = await context.store.findRequest(hash);
  if (request === undefined) throw new CountersignError('request-unknown', 'there is no such request');
  return request;
}

/**
 * The state of a request, once it is settled or the wait is over.
 * @param onGone told how to end the wait where the caller hangs up
 */
export async function awaitState(
  context: BrokerContext,
  hash: string,
  waitMs: number,
  onGone: (leave: () => void) => void,
): Promise<RequestRow> {
  if (waitMs === 0) return findRequest(context, hash);
  // Waiting begins before looking, so that an answer in between is not missed.
  const waiting = context.waiters.wait(hash, waitMs);
  onGone(waiting.leave);
  try {
    const request = await findRequest(context, hash);
    if (request.state.state !== 'pending') return request;
    const state = await waiting.settled;
    return state === undefined ? await findRequest(context, hash) : { ...request, state };
  } finally {
    waiting.leave();
  }
}

/** Takes a device's answer; the same answer again is a safe retry, another one is refused. */
export async function answerRequest(context: BrokerContext, hash: string, jws: string): Promise<RequestRow> {
  const statement = await parseResponse(context.crypto, jws);
  checkNames(statement.payload.req, hash);
  const request = await findRequest(context, hash);
  const account = await findIdentified(context, statement.payload.iss, statement.payload.iss_id);
  if (account.id !== request.accountId) {
    throw new CountersignError('account-mismatch', 'this request was put to another account');
  }
  const device = activeDevice(account, statement.kid);
  if (!device.rights.includes('answer')) checkRight(device, 'pay');
  await verifyStatement(context.crypto, statement, device.sig);
  if (request.held) {
    throw new CountersignError('contact-unknown', `${request.enquirer.name} is not a contact yet`, {
      hint: 'add the contact first, then answer',
    });
  }
  if (request.state.state === 'answered' && request.state.response === jws) return request;
  const { name, identity } = request.enquirer;
  const enquirer = await findIdentified(context, name, identity);
  const asked = await parseRequest(context.crypto, request.jws);
  if ('sealed' in statement.payload) checkSealedFor(asked.payload, statement.payload.sealed);
  await checkAskerStands(context, enquirer, asked);
  checkEpoch(statement, enquirer, 'read the asker’s log again, and seal the same answer anew');
  return settle(context, request, { state: 'answered', at: context.now(), response: jws });
}

/** Whose seat is over is told nothing more. */
async function checkAskerStands(
  context: BrokerContext,
  organisation: AccountRow,
  { payload, kid }: Statement<RequestPayload>,
): Promise<void> {
  if (memberWhoAsks(payload) === undefined) return;
  try {
    await askingMember(context, organisation, kid);
  } catch (cause) {
    if (!(cause instanceof CountersignError) || cause.code !== 'seat-over') throw cause;
    throw askerOver();
  }
}

/** Takes an enquirer's cancelling of its own request. */
export async function cancelRequest(context: BrokerContext, hash: string, jws: string): Promise<RequestRow> {
  const statement = await parseStatement(context.crypto, CancelStatement, jws);
  const request = await verifyOwn(context, hash, statement);
  if (request.state.state === 'cancelled-by-enquirer') return request;
  return settle(context, request, { state: 'cancelled-by-enquirer', at: context.now(), statement: jws });
}

/** Cancels a request by the operator's word. */
export async function cancelByBroker(
  context: BrokerContext,
  hash: string,
  reason: string,
): Promise<RequestRow> {
  const request = await findRequest(context, hash);
  return settle(context, request, { state: 'cancelled-by-broker', at: context.now(), reason });
}

/** Cancels what was asked by seats that are over, and is not settled. */
export async function cancelAskedBy(
  context: BrokerContext,
  accountId: number,
  isOver: (seat: SeatRow) => boolean,
): Promise<void> {
  const { store, crypto, now } = context;
  const since = now() - LONGEST_TWO_WAY;
  for (let before = Number.MAX_SAFE_INTEGER; ; ) {
    const rows = await store.listAsked(accountId, before, PAGE);
    for (const { request } of rows) {
      if (request.postedAt < since) return;
      if (request.state.state !== 'pending') continue;
      const named = memberWhoAsks((await parseRequest(crypto, request.jws)).payload);
      const seat = named && (await store.readSeat(named.seat));
      if (seat === undefined || !isOver(seat)) continue;
      const reason = 'the member who asked is not signed in any more';
      const outcome = { state: 'cancelled-by-broker', at: now(), reason } as const;
      const settlement = await store.settleRequest(request, outcome);
      if (settlement !== undefined) announce(context, settlement);
    }
    if (rows.length < PAGE) return;
    before = rows.at(-1)!.request.id;
  }
}

/** Takes an account's word that a request was not of its making. */
export async function reportRequest(context: BrokerContext, hash: string, jws: string): Promise<void> {
  const statement = await parseStatement(context.crypto, ReportStatement, jws);
  checkNames(statement.payload.req, hash);
  checkTime(context, statement.payload.iat);
  const request = await findRequest(context, hash);
  const { payload } = await parseRequest(context.crypto, request.jws);
  const account = await findIdentified(context, payload.sub, payload.sub_id);
  await verifyStatement(context.crypto, statement, activeDevice(account, statement.kid).sig);
  await context.store.reportFraud(request, jws, context.now());
  context.metrics.fraud.inc();
}

/** Settles what has expired; called now and then. Returns how many. */
export async function expireRequests(context: BrokerContext): Promise<number> {
  const settled = await context.store.expireRequests(context.now(), 500);
  for (const settlement of settled) announce(context, settlement);
  return settled.length;
}

/** Tells the waiting enquirer and the account's devices. */
export function announce(context: BrokerContext, { request, event }: Settlement): void {
  context.metrics.settled.inc({ state: request.state.state });
  if (request.state.state !== 'pending') context.waiters.wake(request.hash, request.state);
  context.streams.publish(request.accountId, event, request);
}

async function settle(context: BrokerContext, request: RequestRow, outcome: Settled): Promise<RequestRow> {
  if (request.state.state === 'pending' && request.exp <= outcome.at) {
    throw new CountersignError('request-expired', 'the request expired before this came');
  }
  const settlement = await context.store.settleRequest(request, outcome);
  if (settlement === undefined) {
    const now = await context.store.getRequest(request.id);
    if (now?.state.state === 'pending') {
      throw new CountersignError('request-expired', 'the request expired before this came');
    }
    throw new CountersignError('request-not-pending', `the request is ${now?.state.state ?? 'gone'} already`);
  }
  announce(context, settlement);
  return settlement.request;
}

/** The request that a cancelling is about, which must be by the same enquirer, or the browser that asked. */
async function verifyOwn(
  context: BrokerContext,
  hash: string,
  statement: Statement<PayloadOf<typeof CancelStatement>>,
): Promise<RequestRow> {
  checkNames(statement.payload.req, hash);
  checkTime(context, statement.payload.iat);
  const request = await findRequest(context, hash);
  const { name, identity } = request.enquirer;
  const asked = await parseRequest(context.crypto, request.jws);
  const asker = statement.kid === asked.kid ? await browserKey(context, asked.payload) : undefined;
  const key = asker ?? activeDevice(await findEnquirer(context, name, identity), statement.kid).sig;
  await verifyStatement(context.crypto, statement, key);
  return request;
}

/** The key of a browser that asked, which takes back its own question even where its seat is over. */
async function browserKey(
  context: BrokerContext,
  payload: RequestPayload,
): Promise<PublicSigningJwk | undefined> {
  const member = memberWhoAsks(payload);
  if (member !== undefined) return (await readSeat(context, member.seat)).key;
  return 'seat' in payload ? payload.seat?.key : undefined;
}

async function findEnquirer(context: BrokerContext, name: string, identity: string): Promise<AccountRow> {
  try {
    return await findIdentified(context, name, identity);
  } catch (cause) {
    if (!(cause instanceof CountersignError) || cause.code !== 'account-unknown') throw cause;
    throw new CountersignError('enquirer-unknown', `the enquirer ${name} has no account here`, {
      cause,
      hint: 'an enquirer needs an account of its own: `countersign account create`',
    });
  }
}

function checkNames(named: string, hash: string): void {
  if (named !== hash)
    throw new CountersignError('request-mismatch', 'the statement is about another request');
}
