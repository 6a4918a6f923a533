/**
 * Signed confirmations by customers who have an account, in the history of an organisation's sessions. What was answered
 * whoever asked says, a device or a member's browser, since the broker can't read it; everything else the broker knows.
 * @module
 */
import { CountersignError, memberWhoAsks, parseRequest, type StateName } from '@countersign/core';
import type { BrokerContext } from './context.ts';
import type { Actor } from './seats.ts';

/** What a device that verified an answer may say that it was. */
export const TWO_WAY_ANSWERS = ['accepted', 'rejected', 'fraud'] as const;
export type TwoWayAnswer = (typeof TWO_WAY_ANSWERS)[number];

/** For so long after a question's end, in seconds, whoever asked it may say what was answered. */
const OVERDUE = 900;
const OUTCOMES: Readonly<Record<Exclude<StateName, 'pending'>, string>> = {
  answered: 'answered',
  refused: 'refused',
  expired: 'expired',
  'cancelled-by-enquirer': 'cancelled',
  'cancelled-by-broker': 'cancelled',
};

/** Begins its history. @throws `request-unknown` where the organisation asked no such question */
export async function noteTwoWay(context: BrokerContext, actor: Actor, hash: string): Promise<void> {
  const { exp, payload } = await ownRequest(context, actor, hash);
  const { account, kid, seat } = actor;
  const what = {
    by: kid,
    ...(seat === undefined ? {} : { member: { ...seat.member, seat: seat.hash } }),
    fields: [],
    subject: payload.sub,
    template: null,
    duration: payload.exp - payload.iat,
    prefilled: false,
    mode: 'two-way',
  };
  await context.store.noteTwoWay({ hash, accountId: account.id, exp }, what, context.now());
}

/**
 * Ends its history, where the question is settled.
 * @param answer what it was answered, if it was
 * @returns whether it is in the history now, and was not before
 */
export async function endTwoWay(
  context: BrokerContext,
  actor: Actor,
  hash: string,
  answer: TwoWayAnswer | undefined,
): Promise<boolean> {
  const { state } = (await ownRequest(context, actor, hash)).state;
  if (state === 'pending') return false;
  // An answer that the device says nothing of may still be said, until that is overdue.
  if (state === 'answered' && answer === undefined) return false;
  const outcome = state === 'answered' ? answer! : OUTCOMES[state];
  return context.store.endTwoWay(hash, actor.account.id, outcome, context.now());
}

/** Ends those of which nobody said how they ended; called now and then. */
export async function endOverdueTwoWay({ store, now }: BrokerContext): Promise<number> {
  const overdue = await store.listTwoWayOverdue(now() - OVERDUE, 500);
  for (const { hash, accountId } of overdue) {
    const state = (await store.findRequest(hash))?.state.state ?? 'expired';
    await store.endTwoWay(hash, accountId, state === 'pending' ? 'expired' : OUTCOMES[state], now());
  }
  return overdue.length;
}

/** A question that a device of the organisation asked, for its devices; one by a seat, for that seat. */
async function ownRequest({ store, crypto }: BrokerContext, { account, seat }: Actor, hash: string) {
  const request = await store.findRequest(hash);
  if (request?.enquirerId === account.id) {
    const { payload } = await parseRequest(crypto, request.jws);
    if (memberWhoAsks(payload)?.seat === seat?.hash) return { ...request, payload };
  }
  throw new CountersignError('request-unknown', 'no such question was asked from here');
}
