/**
 * Mutual sessions: the server lets one page open a link, carries messages between the two pages, counts tries, and
 * keeps the order of what each side may see. What they hold it never has.
 * @module
 */
import { createHash } from 'node:crypto';
import {
  CountersignError,
  constantTimeEqual,
  parseStatement,
  SessionStatement,
  sessionTicket,
  verifyCard,
  verifySession,
} from '@countersign/core';
import { findAccount, findIdentified } from './accounts.ts';
import type { BrokerContext } from './context.ts';
import type { SessionMessage, SessionRow } from './store/session-store.ts';
import { checkTime } from './times.ts';

/** An agent's page that has not asked for so long is away, in ms. */
const AWAY_MS = 8000;

/** Publishes an organisation's card. */
export async function publishCard(context: BrokerContext, name: string, jws: string): Promise<void> {
  const account = await findAccount(context, name);
  const { payload } = await verifyCard(context.crypto, jws, account);
  checkTime(context, payload.iat);
  await context.store.saveCard(account.id, payload.seq, jws);
}

/** Opens a session, by a device of the organisation. */
export async function startSession(context: BrokerContext, jws: string): Promise<SessionRow> {
  const { crypto, store, now } = context;
  const parsed = await parseStatement(crypto, SessionStatement, jws);
  const account = await findIdentified(context, parsed.payload.iss, parsed.payload.iss_id);
  const { payload, kid } = await verifySession(crypto, jws, account);
  checkTime(context, payload.iat);
  const { sid, ticket, exp, iat, fields, subject, template, prefilled } = payload;
  const metadata = {
    fields: fields.map(({ name, type }) => `${name} (${type})`),
    subject: subject ?? null,
    template: template ?? null,
    duration: exp - iat,
    prefilled,
    mode: 'cpace',
  };
  return store.createSession({ sid, ticket, accountId: account.id, kid, jws, exp, metadata }, now());
}

/**
 * Opens a link, once, for the page that has a key of its own.
 * @throws `session-invalid`, the same for every reason
 */
export async function openLink(
  context: BrokerContext,
  token: string,
  customer: string,
): Promise<{ session: SessionRow; card: string | undefined }> {
  const { crypto, store, now } = context;
  const session = await store.openSession(await sessionTicket(crypto, token), hashOf(customer), now());
  if (session === undefined) throw invalid();
  changed(context, session.sid);
  return { session, card: await store.readCard(session.accountId) };
}

/** What the customer's page is told: messages of the agent's page, and whether that is there. */
export async function customerView(
  context: BrokerContext,
  sid: string,
  customer: string,
  { after, waitMs, onGone }: Polling,
) {
  const session = await findCustomers(context, sid, customer);
  const messages = await poll(context, sid, 'customer', waitMs, onGone, async () => {
    const read = await context.store.readSessionMessages(sid, 'agent', after);
    return read.length > 0 ? read : undefined;
  });
  await findCustomers(context, sid, customer);
  return { expiresAt: session.exp, agentHere: isHere(context, sid), messages: messages ?? [] };
}

/** Takes a message of the customer's page. */
export async function customerSays(
  context: BrokerContext,
  sid: string,
  customer: string,
  step: 'try' | 'seen' | undefined,
  body: string,
): Promise<void> {
  await findCustomers(context, sid, customer);
  const said = await context.store.addSessionMessage(sid, { sender: 'customer', body }, step, context.now());
  changed(context, sid);
  if (said === undefined) throw invalid();
}

/** What the agent's page is told: where the customer is, and messages. */
export async function agentView(
  context: BrokerContext,
  name: string,
  sid: string,
  { after, waitMs, onGone, version }: Polling & { version: number },
): Promise<{ session: SessionRow; messages: readonly SessionMessage[] }> {
  await findAgents(context, name, sid);
  context.agentsSeen.set(sid, performance.now());
  const read = await poll(context, sid, 'agent', waitMs, onGone, async () => {
    const session = await findAgents(context, name, sid);
    const messages = await context.store.readSessionMessages(sid, 'customer', after);
    return messages.length > 0 || versionOf(session) !== version ? { session, messages } : undefined;
  });
  context.agentsSeen.set(sid, performance.now());
  return read ?? { session: await findAgents(context, name, sid), messages: [] };
}

export async function agentSays(
  context: BrokerContext,
  name: string,
  sid: string,
  body: string,
): Promise<void> {
  await findAgents(context, name, sid);
  const said = await context.store.addSessionMessage(
    sid,
    { sender: 'agent', body },
    undefined,
    context.now(),
  );
  if (said === undefined) throw over();
  changed(context, sid);
}

/** Lets the agent look at the passcode: not before the customer has seen theirs. */
export async function reveal(context: BrokerContext, name: string, sid: string): Promise<SessionRow> {
  const session = await findAgents(context, name, sid);
  const revealed = await context.store.revealSession(sid, context.now());
  if (revealed !== undefined) return revealed;
  if (session.endedAt !== undefined) throw over();
  throw new CountersignError('session-early', 'the receiver has not seen their passcode yet', {
    hint: 'wait until the page says that they have',
  });
}

/** Ends a session at once. */
export async function deleteSession(context: BrokerContext, name: string, sid: string): Promise<SessionRow> {
  await findAgents(context, name, sid);
  const ended = await context.store.endSession(sid, 'deleted', context.now());
  if (ended === undefined) throw over();
  changed(context, sid);
  return ended;
}

/** Ends sessions whose time is over; called now and then. */
export async function expireSessions(context: BrokerContext): Promise<number> {
  const ended = await context.store.expireSessions(context.now(), 500);
  for (const { sid } of ended) {
    changed(context, sid);
    context.agentsSeen.delete(sid);
  }
  return ended.length;
}

/** Grows with everything that happens to a session, but its messages. */
export function versionOf({ tries, openedAt, filledAt, seenAt, revealedAt, endedAt }: SessionRow): number {
  return tries + [openedAt, filledAt, seenAt, revealedAt, endedAt].filter((at) => at !== undefined).length;
}

export interface Polling {
  readonly after: number;
  readonly waitMs: number;
  readonly onGone: (leave: () => void) => void;
}

async function poll<T>(
  { sessionWaiters }: BrokerContext,
  sid: string,
  side: 'agent' | 'customer',
  waitMs: number,
  onGone: (leave: () => void) => void,
  look: () => Promise<T | undefined>,
): Promise<T | undefined> {
  // Waiting begins before looking, so that nothing in between is missed.
  const waiting = sessionWaiters.wait(`${side} ${sid}`, waitMs);
  onGone(waiting.leave);
  try {
    const found = await look();
    if (found !== undefined || waitMs === 0) return found;
    await waiting.settled;
    return await look();
  } finally {
    waiting.leave();
  }
}

function changed({ sessionWaiters }: BrokerContext, sid: string): void {
  sessionWaiters.wake(`agent ${sid}`, true);
  sessionWaiters.wake(`customer ${sid}`, true);
}

function isHere({ agentsSeen, sessionWaiters }: BrokerContext, sid: string): boolean {
  const seen = agentsSeen.get(sid);
  return sessionWaiters.has(`agent ${sid}`) || (seen !== undefined && performance.now() - seen < AWAY_MS);
}

/** The session of the one page that opened it, while it stands. */
async function findCustomers(context: BrokerContext, sid: string, customer: string): Promise<SessionRow> {
  const session = await context.store.findSession(sid);
  const own = Buffer.from(hashOf(customer));
  const known = Buffer.from(session?.customer ?? ''.padEnd(own.length));
  if (!constantTimeEqual(own, known) || session === undefined) throw invalid();
  if (session.endedAt !== undefined || session.exp <= context.now()) throw invalid();
  return session;
}

async function findAgents(context: BrokerContext, name: string, sid: string): Promise<SessionRow> {
  const account = await findAccount(context, name);
  const session = await context.store.findSession(sid);
  if (session?.accountId !== account.id) throw invalid();
  return session;
}

function hashOf(customer: string): string {
  return createHash('sha256').update(customer).digest('base64url');
}

function invalid(): CountersignError {
  return new CountersignError('session-invalid', 'this link is not valid');
}

function over(): CountersignError {
  return new CountersignError('session-over', 'this session is over', { hint: '“Recreate” makes a new one' });
}
