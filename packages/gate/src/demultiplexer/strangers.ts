/**
 * Connections that have shown nothing yet: how many there may be, from everywhere and from one address, and how
 * fast an address may make new ones. Where there are too many the oldest makes room, so that nobody keeps a
 * genuine validator out by holding connections open. Times are milliseconds of a monotonic clock.
 * @module
 */
import { networkOf } from '@countersign/http/network';

export interface StrangerLimits {
  readonly total: number;
  readonly perAddress: number;
  /** New connections a second from one address, on average. */
  readonly perSecond: number;
  /** And how many at once, after a pause. */
  readonly burst: number;
}

export interface Stranger {
  readonly address: string;
  /** Ends the connection, since it has to make room. */
  leave(): void;
}

interface Bucket {
  tokens: number;
  filledAt: number;
  readonly held: Set<Stranger>;
}

export class Strangers {
  readonly #limits: StrangerLimits;
  readonly #all = new Map<Stranger, Bucket>();
  readonly #buckets = new Map<string, Bucket>();

  constructor(limits: StrangerLimits) {
    this.#limits = limits;
  }

  get size(): number {
    return this.#all.size;
  }

  /** Takes a new connection in; false where its address makes them too fast. */
  admit(stranger: Stranger, now: number): boolean {
    const network = networkOf(stranger.address);
    const bucket = this.#bucket(network, now);
    if (bucket.tokens < 1) return false;
    bucket.tokens--;
    if (bucket.held.size >= this.#limits.perAddress) this.#evict(bucket.held);
    if (this.#all.size >= this.#limits.total) this.#evict(this.#all.keys());
    bucket.held.add(stranger);
    this.#all.set(stranger, bucket);
    return true;
  }

  /** It has shown what it is, or is gone. */
  forget(stranger: Stranger): void {
    this.#all.get(stranger)?.held.delete(stranger);
    this.#all.delete(stranger);
  }

  /** Forgets addresses that have been quiet: to be called now and then. */
  sweep(now: number): void {
    for (const [network, bucket] of this.#buckets) {
      this.#refill(bucket, now);
      if (bucket.held.size === 0 && bucket.tokens >= this.#limits.burst) this.#buckets.delete(network);
    }
  }

  #evict(held: Iterable<Stranger>): void {
    const [oldest] = held;
    if (oldest === undefined) return;
    this.forget(oldest);
    oldest.leave();
  }

  #bucket(network: string, now: number): Bucket {
    let bucket = this.#buckets.get(network);
    if (bucket === undefined) {
      bucket = { tokens: this.#limits.burst, filledAt: now, held: new Set() };
      this.#buckets.set(network, bucket);
    } else {
      this.#refill(bucket, now);
    }
    return bucket;
  }

  #refill(bucket: Bucket, now: number): void {
    const { perSecond, burst } = this.#limits;
    bucket.tokens = Math.min(burst, bucket.tokens + ((now - bucket.filledAt) / 1000) * perSecond);
    bucket.filledAt = now;
  }
}
