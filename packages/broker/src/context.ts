/**
 * What every part of the broker is given: nothing in it is global, and only `main.ts` makes one for real.
 * @module
 */
import type { CryptoProvider, DeviceLog, PublicSigningJwk, Settled, Signer } from '@countersign/core';
import type { LRUCache } from 'lru-cache';
import type { ProofChecker } from './device-proof.ts';
import type { Metrics } from './metrics.ts';
import type { Registrations } from './registrations.ts';
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
  /** Signs checkpoints, tree heads and the challenges of new devices, and nothing else. */
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
  readonly proofs: ProofChecker;
  /** The tree of all heads. */
  readonly tree: Tree;
  readonly registrations: Registrations;
  /** Logs that were replayed of late, by account row. */
  readonly replayed: LRUCache<number, DeviceLog>;
  readonly metrics: Metrics;
}
