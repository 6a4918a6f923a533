/**
 * What every part of the broker is given: nothing in it is global, and only `main.ts` makes one for real.
 * @module
 */
import type {
  CryptoProvider,
  DeviceLog,
  MemberList,
  PublicSigningJwk,
  Settled,
  Signer,
} from '@countersign/core';
import type { LRUCache } from 'lru-cache';
import type { ProofChecker } from './device-proof.ts';
import type { DomainChecks } from './domain-checks.ts';
import type { MailNotices } from './mail-notices.ts';
import type { Metrics } from './metrics.ts';
import type { Push } from './push.ts';
import type { Reached } from './reached.ts';
import type { RecentLimit } from './recent-limit.ts';
import type { Relay } from './relay.ts';
import type { Counts } from './store/profile-store.ts';
import type { Store } from './store/store.ts';
import type { Streams } from './streams.ts';
import type { Tree } from './tree.ts';
import type { Waiters } from './waiters.ts';

export interface BrokerContext {
  readonly store: Store;
  readonly crypto: CryptoProvider;
  /** Seconds since 1970. */
  readonly now: () => number;
  /** Origins under which this broker is known; the first is the one it calls itself. */
  readonly origins: readonly [string, ...string[]];
  /** Signs checkpoints, tree heads, challenges of new devices and what it found at domains, and nothing else. */
  readonly signer: Signer;
  readonly publicKey: PublicSigningJwk;
  /** Domains in which accounts may be made; empty for any. */
  readonly domains: readonly string[];
  /** Enquirers that wait for an answer, by the request's hash. */
  readonly waiters: Waiters<Settled>;
  /** New devices that wait before the door, by the enrolment's hash. */
  readonly waitingDevices: Waiters<true>;
  /** Pages of mutual sessions, by side and session. */
  readonly sessionWaiters: Waiters<true>;
  /** When the agent's page of a session asked last, by the monotonic clock in ms. */
  readonly agentsSeen: Map<string, number>;
  readonly streams: Streams;
  /** For hosts that dial out; none, unless the operator wants one. */
  readonly relay: Relay | undefined;
  /** Notices to devices that are not on a stream. */
  readonly push: Push;
  /** Notices by e-mail; absent where the operator named no mail server. */
  readonly mail: MailNotices | undefined;
  readonly reached: Reached;
  /** Looks at the domains of organisations. */
  readonly domainChecks: DomainChecks;
  /** What accounts did, as it was counted of late, by account row. */
  readonly counts: LRUCache<number, Counts>;
  readonly proofs: ProofChecker;
  /** The tree of all heads. */
  readonly tree: Tree;
  /** By the network that it comes from. */
  readonly registrations: RecentLimit;
  /** Questions to sign in, by network, organisation and member. */
  readonly signIns: RecentLimit;
  /** Entries of device logs, by the device that signed them. */
  readonly appends: RecentLimit;
  /** Rooms, keys of rooms and messages, by the account that made them. */
  readonly roomItems: RecentLimit;
  /** Logs that were replayed of late, by account row. */
  readonly replayed: LRUCache<number, DeviceLog>;
  /** Lists of members that were replayed of late, by account row. */
  readonly members: LRUCache<number, MemberList>;
  readonly metrics: Metrics;
}
