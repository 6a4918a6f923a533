/**
 * How often something may happen in an hour, by who does it. Kept in memory alone: addresses are nobody's to read
 * later, and whoever can make a broker restart has nothing to gain by a few more.
 * @module
 */
import { LRUCache } from 'lru-cache';
import { judgeHourly } from './limits.ts';

const REMEMBERED = 100_000;
const HOUR_MS = 3_600_000;

export class HourlyLimit {
  readonly perHour: number;
  readonly #what: string;
  /** Times of the last hour, seconds since 1970, by who did it. */
  readonly #recent = new LRUCache<string, readonly number[]>({ max: REMEMBERED, ttl: HOUR_MS });

  /** @param what as it stands behind "too many" */
  constructor(what: string, perHour: number) {
    this.#what = what;
    this.perHour = perHour;
  }

  /**
   * Counts one more.
   * @param now seconds since 1970
   * @throws `too-often` with `retryAfter`, and counts nothing
   */
  count(by: string, now: number): void {
    this.#recent.set(by, judgeHourly(this.#what, this.#recent.get(by) ?? [], this.perHour, now));
  }
}
