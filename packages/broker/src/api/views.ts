/**
 * What callers are shown of what the broker keeps: the schemas that describe it, and the functions that make
 * it. Times are seconds since 1970; hashes are SHA-256 in base64url.
 * @module
 */
import { AccountName, Hash, PublicSigningKey, type RequestState, STATES } from '@countersign/core';
import * as v from 'valibot';
import type { AccountEvent, EnrolmentRow, RequestRow } from '../store/store.ts';

const Seconds = v.pipe(v.number(), v.integer());
const Jws = v.pipe(v.string(), v.description('A signed statement: compact JWS'));
const Party = v.object({ name: AccountName, identity: Hash });

export const StateView = v.object({
  hash: Hash,
  state: v.picklist(STATES),
  expires_at: Seconds,
  settled_at: v.optional(Seconds),
  response: v.optional(
    v.pipe(v.string(), v.description('Of `answered`: the response, as the device signed it')),
  ),
  statement: v.optional(
    v.pipe(v.string(), v.description('Of `refused` and `cancelled-by-enquirer`: the signed reason')),
  ),
  reason: v.optional(v.pipe(v.string(), v.description('Of `cancelled-by-broker`: the broker’s word'))),
});

export const RequestView = v.object({
  ...StateView.entries,
  cursor: v.pipe(Seconds, v.description('Place in the list, for `before` and `after`')),
  enquirer: Party,
  posted_at: Seconds,
  held: v.pipe(
    v.boolean(),
    v.description('A contact request: the question is not shown until the asker is a contact'),
  ),
  request: v.optional(Jws),
});

export const EventView = v.object({
  cursor: v.pipe(Seconds, v.description('Resume from here')),
  kind: v.picklist(['request', 'settled', 'log', 'contacts', 'enrolment', 'notice', 'room']),
  request: v.optional(RequestView),
});

export const ENROLMENT_STATES = ['waiting', 'expired', 'accepted', 'complete', 'rejected'] as const;

export const EnrolmentView = v.object({
  hash: Hash,
  state: v.picklist(ENROLMENT_STATES),
  posted_at: Seconds,
  expires_at: Seconds,
  statement: v.optional(v.pipe(Jws, v.description('What settled it: accept, reject or complete'))),
  share: v.optional(v.pipe(Jws, v.description('Earlier room keys, sealed to the new device'))),
});

export const WaitingView = v.object({
  ...EnrolmentView.entries,
  enrolment: Jws,
  invitation: v.pipe(Jws, v.description('The invitation whose PIN the device came with')),
});

export const NoticeView = v.object({
  kind: v.picklist(['pin-used', 'pin-cancelled', 'too-many-enrolments']),
  count: v.number(),
  first: Seconds,
  newest: Seconds,
});

export const TransparencyView = v.object({
  tree_head: v.pipe(v.string(), v.description('Signed note: C2SP tlog-checkpoint')),
  index: v.pipe(v.number(), v.integer(), v.description('Of the leaf of the account’s newest head')),
  leaf: v.string(),
  inclusion: v.pipe(v.array(Hash), v.description('Proof that the leaf stands in the tree')),
  consistency: v.optional(
    v.pipe(v.array(Hash), v.description('Where `tree` was given: proof that the tree grew from that size')),
  ),
});

export const LogView = v.object({
  name: AccountName,
  identity: Hash,
  entries: v.array(Jws),
  more: v.optional(
    v.pipe(v.literal(true), v.description('There are further entries: read on from the number after these')),
  ),
  checkpoint: Jws,
  transparency: TransparencyView,
});

export const ReceiptView = v.object({
  request: Jws,
  response: Jws,
  enquirer_log: v.array(Jws),
  account_log: v.array(Jws),
  seat: v.optional(
    v.pipe(
      v.object({ request: Jws, response: Jws, member_log: v.array(Jws), members: v.array(Jws) }),
      v.description('Where a member asked: what proves their seat'),
    ),
  ),
  checkpoint: v.object({ statement: Jws, key: PublicSigningKey }),
});

export const ErrorView = v.object({
  code: v.pipe(v.string(), v.description('Stable: switch on this')),
  message: v.string(),
  hint: v.optional(v.string()),
  retry_after: v.optional(v.pipe(v.number(), v.description('Seconds'))),
});

export type StateView = v.InferOutput<typeof StateView>;
export type RequestView = v.InferOutput<typeof RequestView>;
export type EventView = v.InferOutput<typeof EventView>;

export function stateView({ hash, exp, state }: RequestRow): StateView {
  return { hash, expires_at: exp, ...settledView(state) };
}

/** What a device of the asked account may see: of a held request, who asks and no more. */
export function requestView(row: RequestRow): RequestView {
  return {
    ...stateView(row),
    cursor: row.id,
    enquirer: row.enquirer,
    posted_at: row.postedAt,
    held: row.held,
    ...(row.held ? {} : { request: row.jws }),
  };
}

/** What the waiting device itself may see. */
export function enrolmentView({ hash, state, postedAt, exp, outcome, share }: EnrolmentRow, now: number) {
  return {
    hash,
    state: state === 'waiting' && exp <= now ? ('expired' as const) : state,
    posted_at: postedAt,
    expires_at: exp,
    ...(outcome === undefined ? {} : { statement: outcome }),
    ...(share === undefined ? {} : { share }),
  };
}

/** What the devices of the account see. */
export function waitingView(row: EnrolmentRow, now: number) {
  return { ...enrolmentView(row, now), enrolment: row.jws, invitation: row.invitation };
}

export function eventView({ id, kind }: AccountEvent, row: RequestRow | undefined): EventView {
  return { cursor: id, kind, ...(row === undefined ? {} : { request: requestView(row) }) };
}

function settledView(state: RequestState) {
  if (state.state === 'pending') return { state: state.state };
  const { at, ...rest } = state;
  return { ...rest, settled_at: at };
}
