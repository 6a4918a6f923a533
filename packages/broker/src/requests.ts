/**
 * What the broker does with requests: checks them, keeps them, tells devices and enquirers. It judges who may
 * ask and when; how something was answered it cannot read.
 * @module
 */
import {
  activeDevice,
  CancelStatement,
  CountersignError,
  checkRight,
  type PayloadOf,
  parseRequest,
  parseResponse,
  parseStatement,
  ReportStatement,
  type Settled,
  type Statement,
  verifyRequest,
  verifyStatement,
} from '@countersign/core';
import { findIdentified } from './accounts.ts';
import type { BrokerContext } from './context.ts';
import type { AccountRow, RequestRow, Settlement } from './store/store.ts';
import { checkTime } from './times.ts';

/** Posts a request; posting the same one again is a safe retry, after its time too. */
export async function postRequest(
  context: BrokerContext,
  jws: string,
): Promise<{ request: RequestRow; created: boolean }> {
  const { crypto, store, now, origins } = context;
  const statement = await parseRequest(crypto, jws);
  const { iss, iss_id, sub, sub_id, jti, exp } = statement.payload;
  const enquirer = await findEnquirer(context, iss, iss_id);
  try {
    await verifyRequest(crypto, statement, enquirer, { now: now(), brokers: origins });
  } catch (error) {
    // Time is judged last: a request that expired since it was taken is still the one that was taken.
    const known = isExpired(error) ? await store.findRequest(statement.hash) : undefined;
    if (known === undefined) throw error;
    return { request: known, created: false };
  }
  const account = await findIdentified(context, sub, sub_id);
  if ('sealed' in statement.payload && statement.payload.sealed.epoch !== account.epoch) {
    throw new CountersignError(
      'epoch-stale',
      'the question is sealed to a key that the account has replaced',
      {
        hint: 'read the account’s log again, and ask anew',
      },
    );
  }
  const posted = await store.postRequest(
    {
      hash: statement.hash,
      jti,
      jws,
      enquirerId: enquirer.id,
      enquirer: { name: iss, identity: iss_id },
      accountId: account.id,
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
  return { request: posted.request, created: true };
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
  return settle(context, request, { state: 'answered', at: context.now(), response: jws });
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

/** Takes an account's word that a request was not of its making. */
export async function reportRequest(context: BrokerContext, hash: string, jws: string): Promise<void> {
  const statement = await parseStatement(context.crypto, ReportStatement, jws);
  checkNames(statement.payload.req, hash);
  checkTime(context, statement.payload.iat);
  const request = await findRequest(context, hash);
  const { payload } = await parseRequest(context.crypto, request.jws);
  const account = await findIdentified(context, payload.sub, payload.sub_id);
  await verifyStatement(context.crypto, statement, activeDevice(account, statement.kid).sig);
  await context.store.reportFraud(request, context.now());
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

/** The request that a cancelling is about, which must be by the same enquirer. */
async function verifyOwn(
  context: BrokerContext,
  hash: string,
  statement: Statement<PayloadOf<typeof CancelStatement>>,
): Promise<RequestRow> {
  checkNames(statement.payload.req, hash);
  checkTime(context, statement.payload.iat);
  const request = await findRequest(context, hash);
  const { name, identity } = request.enquirer;
  const enquirer = await findEnquirer(context, name, identity);
  await verifyStatement(context.crypto, statement, activeDevice(enquirer, statement.kid).sig);
  return request;
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
