/**
 * How often something may happen in an hour or a day, by who does it. Kept in memory alone: addresses are nobody's to
 * read later, and whoever can make a broker restart has nothing to gain by a few more.
 * @module
 */
import { LRUCache } from 'lru-cache';
import { HOUR, judgeRecent } from './limits.ts';

const REMEMBERED = 100_000;

export class RecentLimit {
  readonly most: number;
  readonly #what: string;
  readonly #span: number;
  /** Times within the span, seconds since 1970, by who did it. */
  readonly #recent: LRUCache<string, readonly number[]>;

  /**
   * @param what as it stands behind "too many"
   * @param most so often in any span
   * @param span in seconds
   */
  constructor(what: string, most: number, span = HOUR) {
    this.most = most;
    this.#what = what;
    this.#span = span;
    this.#recent = new LRUCache({ max: REMEMBERED, ttl: span * 1000 });
  }

  /**
   * Counts one more, or several at once.
   * @param now seconds since 1970
   * @throws `too-often` with `retryAfter`, and counts nothing
   */
  count(by: string, now: number, times = 1): void {
    let recent = this.#recent.get(by) ?? [];
    for (let i = 0; i < times; i++) recent = judgeRecent(this.#what, recent, this.most, this.#span, now);
    this.#recent.set(by, recent);
  }
}
