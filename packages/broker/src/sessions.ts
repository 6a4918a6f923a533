/**
 * Mutual sessions: the server lets one page open a link, carries messages between the two pages, counts tries, and
 * keeps the order of what each side may see. What they hold it never has.
 * @module
 */
import { createHash } from 'node:crypto';
import {
  CountersignError,
  constantTimeEqual,
  customerKind,
  isSessionMatch,
  parseStatement,
  SessionStatement,
  sessionTicket,
  verifySession,
} from '@countersign/core';
import { findIdentified } from './accounts.ts';
import type { BrokerContext } from './context.ts';
import { type Actor, seatOf } from './seats.ts';
import type { SessionDigestRow, SessionMessage, SessionRow } from './store/session-store.ts';
import { checkTime } from './times.ts';

/** Of the page that opens a link: 32 bytes. */
const KEY = /^[A-Za-z0-9_-]{43}$/;
/** An agent's page that has not asked for so long is away, in ms. */
const AWAY_MS = 8000;

/**
 * Opens a session, by a device of the organisation, or by the seat of a member.
 * @param digest of one in mode digest, and of no other
 */
export async function startSession(
  context: BrokerContext,
  jws: string,
  digest?: SessionDigestRow,
): Promise<SessionRow> {
  const { crypto, store, now } = context;
  const parsed = await parseStatement(crypto, SessionStatement, jws);
  const account = await findIdentified(context, parsed.payload.iss, parsed.payload.iss_id);
  const seat = await seatOf(context, account, parsed.kid);
  const { payload, kid } = await verifySession(crypto, jws, account, seat);
  checkTime(context, payload.iat);
  const { sid, ticket, exp, iat, fields, subject, template, prefilled, commitment } = payload;
  if ((commitment === undefined) !== (digest === undefined)) {
    throw new CountersignError('input-invalid', 'a digest comes with a session that commits to its nonce');
  }
  const metadata = {
    fields: fields.map(({ name, type }) => `${name} (${type})`),
    subject: subject ?? null,
    template: template ?? null,
    duration: exp - iat,
    prefilled,
    mode: digest === undefined ? 'cpace' : 'digest',
    ...(seat === undefined ? {} : { member: { ...seat.member, seat: seat.hash } }),
  };
  const held = digest === undefined ? {} : { digest };
  const by = seat === undefined ? {} : { seat: { hash: seat.hash, memberId: seat.memberId } };
  return store.createSession(
    { sid, ticket, accountId: account.id, kid, jws, exp, metadata, ...held, ...by },
    now(),
  );
}

/**
 * Opens a link, once, for the page that has a key of its own. The same page may ask again: its answer may be lost.
 * @throws `session-invalid`, the same for every reason
 */
export async function openLink(context: BrokerContext, token: string, customer: string): Promise<SessionRow> {
  const { crypto, store, now } = context;
  if (!KEY.test(customer)) throw invalid();
  const session = await store.openSession(await sessionTicket(crypto, token), hashOf(customer), now());
  if (session === undefined) throw invalid();
  changed(context, session.sid);
  return session;
}

/** What the customer's page is told: messages of the agent's page, and whether that is there. */
export async function customerView(
  context: BrokerContext,
  sid: string,
  customer: string,
  { after, waitMs, onGone }: Polling,
) {
  const session = await findCustomers(context, sid, customer);
  const messages = await context.sessionWaiters.look(`customer ${sid}`, waitMs, onGone, async () => {
    const read = await context.store.readSessionMessages(sid, 'agent', after);
    return read.length > 0 ? read : undefined;
  });
  await findCustomers(context, sid, customer);
  const agentHere = isHere(context, sid);
  if (!agentHere && session.filledAt !== undefined) await context.store.noteAway(sid, context.now());
  return { expiresAt: session.exp, agentHere, messages: messages ?? [] };
}

/**
 * Compares the digest of what the customer typed with the one that the organisation left, in mode digest.
 * @returns the nonce from which their page makes the passcode
 * @throws `session-invalid`, the same for every reason
 */
export async function compareDigest(
  context: BrokerContext,
  sid: string,
  customer: string,
  digest: string,
): Promise<string> {
  await findCustomers(context, sid, customer);
  const nonce = await context.store.tryDigest(sid, digest, context.now());
  changed(context, sid);
  if (nonce === undefined) throw invalid();
  return nonce;
}

/** What a message of the customer's page does to the session: by what it is, and not by what is said of it. */
const STEPS = { open: 'try', answer: undefined, seen: 'seen' } as const;

/** Takes a message of the customer's page. @throws `session-invalid`, the same for every reason */
export async function customerSays(
  context: BrokerContext,
  sid: string,
  customer: string,
  body: string,
): Promise<void> {
  await findCustomers(context, sid, customer);
  const kind = customerKind(body);
  if (kind === undefined) throw invalid();
  const message = { sender: 'customer', body } as const;
  const said = await context.store.addSessionMessage(sid, message, STEPS[kind], context.now());
  changed(context, sid);
  if (said === undefined) throw invalid();
}

/** What the agent's page is told: where the customer is, and messages. */
export async function agentView(
  context: BrokerContext,
  actor: Actor,
  sid: string,
  { after, waitMs, onGone, version }: Polling & { version: number },
): Promise<{ session: SessionRow; messages: readonly SessionMessage[] }> {
  await findAgents(context, actor, sid);
  context.agentsSeen.set(sid, performance.now());
  const read = await context.sessionWaiters.look(`agent ${sid}`, waitMs, onGone, async () => {
    const session = await findAgents(context, actor, sid);
    const messages = await context.store.readSessionMessages(sid, 'customer', after);
    return messages.length > 0 || versionOf(session) !== version ? { session, messages } : undefined;
  });
  context.agentsSeen.set(sid, performance.now());
  return read ?? { session: await findAgents(context, actor, sid), messages: [] };
}

export async function agentSays(
  context: BrokerContext,
  actor: Actor,
  sid: string,
  body: string,
): Promise<void> {
  await findAgents(context, actor, sid);
  const said = await context.store.addSessionMessage(
    sid,
    { sender: 'agent', body },
    isSessionMatch(body) ? 'match' : undefined,
    context.now(),
  );
  if (said === undefined) throw over();
  changed(context, sid);
}

/** Lets the agent look at the passcode: not before the customer has seen theirs. */
export async function reveal(context: BrokerContext, actor: Actor, sid: string): Promise<SessionRow> {
  const session = await findAgents(context, actor, sid);
  const revealed = await context.store.revealSession(sid, context.now());
  if (revealed !== undefined) return revealed;
  if (session.endedAt !== undefined) throw over();
  throw new CountersignError('session-early', 'the receiver has not seen their passcode yet', {
    hint: 'wait until the page says that they have',
  });
}

/** Ends a session at once. */
export async function deleteSession(context: BrokerContext, actor: Actor, sid: string): Promise<SessionRow> {
  await findAgents(context, actor, sid);
  const ended = await context.store.endSession(sid, 'deleted', context.now());
  if (ended === undefined) throw over();
  changed(context, sid);
  return ended;
}

/** Ends what a member has open, who may not go on with it. */
export async function endSessionsOf(
  context: BrokerContext,
  accountId: number,
  memberId: number,
): Promise<void> {
  for (const { sid } of await context.store.endSessionsOf(accountId, memberId, context.now())) {
    changed(context, sid);
    context.agentsSeen.delete(sid);
  }
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
export function versionOf(row: SessionRow): number {
  const { tries, openedAt, filledAt, matchedAt, seenAt, awayAt, revealedAt, endedAt } = row;
  const times = [openedAt, filledAt, matchedAt, seenAt, awayAt, revealedAt, endedAt];
  return tries + times.filter((at) => at !== undefined).length;
}

export interface Polling {
  readonly after: number;
  readonly waitMs: number;
  readonly onGone: (leave: () => void) => void;
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

/** A session that one may act in: an agent in their own alone. */
async function findAgents(
  { store }: BrokerContext,
  { account, seat }: Actor,
  sid: string,
): Promise<SessionRow> {
  const session = await store.findSession(sid);
  if (session?.accountId !== account.id) throw invalid();
  if (seat?.role === 'agent' && session.seat?.memberId !== seat.memberId) throw invalid();
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
