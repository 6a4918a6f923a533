/**
 * What a broker answers, as it comes over the wire: parsed here, and believed by nobody.
 * @module
 */
import {
  AccountName,
  DOMAIN_PROOFS,
  Domain,
  Hash,
  makeVisible,
  Origin,
  PublicSigningKey,
  Role,
  Seconds,
  STATES,
  wholeFrom,
} from '@countersign/core';
import * as v from 'valibot';

/** Whatever a broker says in words may reach a terminal: nothing in it may act there, or mislead. */
const Words = v.pipe(v.string(), v.transform(makeVisible));

export const WellKnown = v.object({
  versions: v.array(v.string()),
  origin: Origin,
  key: PublicSigningKey,
  domains: v.array(v.string()),
  /** Where it sends notices by Web Push: the key that its messages are signed with (RFC 8292). */
  push: v.optional(v.object({ key: v.string() })),
});

export const State = v.object({
  hash: Hash,
  state: v.picklist(STATES),
  expires_at: Seconds,
  settled_at: v.optional(Seconds),
  response: v.optional(v.string()),
  statement: v.optional(v.string()),
  reason: v.optional(Words),
});
export type WireState = v.InferOutput<typeof State>;

export const Request = v.object({
  ...State.entries,
  cursor: wholeFrom(0),
  enquirer: v.object({ name: AccountName, identity: Hash }),
  posted_at: Seconds,
  held: v.boolean(),
  request: v.optional(v.string()),
});
export type WireRequest = v.InferOutput<typeof Request>;

export const Event = v.object({
  cursor: wholeFrom(0),
  kind: v.string(),
  request: v.optional(Request),
});
export const Enrolment = v.object({
  hash: Hash,
  state: v.picklist(['waiting', 'expired', 'accepted', 'complete', 'rejected']),
  posted_at: Seconds,
  expires_at: Seconds,
  statement: v.optional(v.string()),
  share: v.optional(v.string()),
});
export type WireEnrolment = v.InferOutput<typeof Enrolment>;

export const Waiting = v.object({
  waiting: v.array(v.object({ ...Enrolment.entries, enrolment: v.string(), invitation: v.string() })),
  notices: v.array(
    v.object({
      kind: v.picklist(['pin-used', 'pin-cancelled', 'too-many-enrolments']),
      count: wholeFrom(0),
      first: Seconds,
      newest: Seconds,
    }),
  ),
});
export type WireWaiting = v.InferOutput<typeof Waiting>;
export const At = v.optional(Seconds);
export const MutualSession = v.object({
  sid: v.string(),
  session: v.string(),
  created_at: Seconds,
  expires_at: Seconds,
  tries: wholeFrom(0),
  version: wholeFrom(0),
  opened_at: At,
  filled_at: At,
  matched_at: At,
  seen_at: At,
  away_at: At,
  revealed_at: At,
  ended_at: At,
  outcome: v.optional(v.string()),
});
export type WireSession = v.InferOutput<typeof MutualSession>;
export const SessionRead = v.object({
  state: MutualSession,
  messages: v.array(v.object({ cursor: wholeFrom(0), body: v.string() })),
});
export const SessionList = v.object({
  sessions: v.array(v.object({ ...MutualSession.entries, cursor: wholeFrom(0) })),
});
export type WireListedSession = v.InferOutput<typeof SessionList>['sessions'][number];
export const SessionHistory = v.object({ entries: v.array(v.object({ entry: v.string(), hash: Hash })) });
export const MemberChanges = v.object({ changes: v.array(v.string()) });
export const SeatProof = v.object({ request: v.string(), response: v.string() });
export const TakenSeat = v.object({ seat: Hash, member: v.string(), role: Role, expires_at: Seconds });
export const TextSignatures = v.object({
  signatures: v.array(v.object({ cursor: wholeFrom(0), signature: v.string(), created_at: Seconds })),
});
export const Card = v.object({ card: v.optional(v.string()), domain_check: v.optional(v.string()) });
export type WireCard = v.InferOutput<typeof Card>;
export const Profile = v.object({
  ...Card.entries,
  recommendations: v.pipe(v.array(v.string()), v.maxLength(100)),
  /** Of accounts that have a card. */
  counts: v.optional(
    v.object({
      sessions: wholeFrom(0),
      authenticated: wholeFrom(0),
      sessions_since: At,
      answers: wholeFrom(0),
      answers_since: At,
      signatures: wholeFrom(0),
    }),
  ),
});
export type WireProfile = v.InferOutput<typeof Profile>;
export const Domains = v.object({
  domains: v.array(
    v.object({
      domain: Domain,
      by: v.picklist(DOMAIN_PROOFS),
      claimed_at: Seconds,
      checked_at: At,
      outcome: v.optional(v.picklist(['proven', 'absent', 'unreachable', 'refused'])),
      proven_at: At,
    }),
  ),
});
export type WireDomain = v.InferOutput<typeof Domains>['domains'][number];
/** What an account asked: see `StateView`. */
export const Asked = v.object({
  requests: v.array(
    v.object({
      ...State.entries,
      cursor: wholeFrom(0),
      request: v.string(),
      posted_at: Seconds,
      report: v.optional(v.object({ statement: v.string(), reported_at: Seconds })),
    }),
  ),
});
/** What became of the newest that it asked: see the route. */
export const AskedCounts = v.object({
  newest: wholeFrom(0),
  outcomes: v.array(v.object({ outcome: v.picklist([...STATES, 'reported']), count: wholeFrom(0) })),
  times: v.array(v.object({ seconds: v.pipe(v.number(), v.integer()), count: wholeFrom(0) })),
});
export type WireAskedCounts = v.InferOutput<typeof AskedCounts>;
export type WireAsked = v.InferOutput<typeof Asked>['requests'][number];
export const ReachedDevice = v.object({
  kid: v.string(),
  /** When the device itself spoke to the broker. */
  reached_at: v.optional(Seconds),
  /** There, where it may be told by Web Push; when its push service last took a notice. */
  push: v.optional(v.literal(true)),
  pushed_at: v.optional(Seconds),
});
export type Reached = v.InferOutput<typeof ReachedDevice>;
export const RoomItems = v.object({
  items: v.array(v.object({ cursor: wholeFrom(0), room: v.string(), statement: v.string() })),
});
export const Done = v.object({ done: v.literal(true) });

export type WireEvent = v.InferOutput<typeof Event>;

export const Listed = v.object({ requests: v.array(Request), cursor: wholeFrom(0) });
/** A proof in a tree of 2^53 leaves has no more hashes than this. */
export const Proof = v.pipe(v.array(Hash), v.maxLength(128));
export const Transparency = v.object({
  tree_head: v.string(),
  index: wholeFrom(0),
  leaf: v.string(),
  inclusion: Proof,
  consistency: v.optional(Proof),
});
export type WireTransparency = v.InferOutput<typeof Transparency>;

export const Log = v.object({
  name: AccountName,
  identity: Hash,
  entries: v.array(v.string()),
  more: v.optional(v.literal(true)),
  checkpoint: v.string(),
  transparency: Transparency,
});
export const ReceiptParts = v.object({
  request: v.string(),
  response: v.string(),
  enquirer_log: v.array(v.string()),
  account_log: v.array(v.string()),
  seat: v.optional(
    v.object({
      request: v.string(),
      response: v.string(),
      member_log: v.array(v.string()),
      members: v.array(v.string()),
    }),
  ),
  checkpoint: v.object({ statement: v.string(), key: PublicSigningKey }),
});
export const Failure = v.object({
  code: v.string(),
  message: Words,
  hint: v.optional(Words),
  retry_after: v.optional(v.pipe(v.number(), v.minValue(0), v.maxValue(86_400))),
});
