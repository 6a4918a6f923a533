/**
 * What accounts think of enquirers, and when those asked. The times are those of the stored requests, so a post
 * writes none of its own: they are read once for an account, and then kept in memory.
 * @module
 */
import { RECENT, STRANGER, type Standing } from '../../limits.ts';
import { BoundedMap } from './bounded-map.ts';
import type { Statements } from './statements.ts';

const CACHED_ACCOUNTS = 20_000;
const CACHED_ENQUIRERS = 1000;

/** Of one account, by enquirer. */
interface Known {
  readonly standings: Map<number, Standing>;
  /** Times of the last hour's posts as they were when the account was read, oldest first. */
  readonly posts: ReadonlyMap<number, readonly number[]>;
}

export class Standings {
  readonly #sql: Statements;
  readonly #accounts = new BoundedMap<number, Known>(CACHED_ACCOUNTS);

  constructor(sql: Statements) {
    this.#sql = sql;
  }

  find(accountId: number, enquirerId: number, now: number): Standing {
    const known = this.#known(accountId, now);
    let standing = known.standings.get(enquirerId);
    if (standing === undefined) {
      standing = { ...this.#read(accountId, enquirerId), recent: known.posts.get(enquirerId) ?? [] };
      known.standings.set(enquirerId, standing);
    }
    return standing;
  }

  /** Remembers a post whose request is written. */
  posted(accountId: number, enquirerId: number, standing: Standing): void {
    this.#accounts.get(accountId)?.standings.set(enquirerId, standing);
  }

  save(accountId: number, enquirerId: number, standing: Standing): void {
    const { policy, ignored, pausedUntil } = standing;
    this.#sql.saveStanding.run(accountId, enquirerId, policy, ignored, pausedUntil);
    this.#accounts.get(accountId)?.standings.set(enquirerId, standing);
  }

  /** Forgets what is in memory: it may be of a transaction that did not happen. */
  clear(): void {
    this.#accounts.clear();
  }

  #known(accountId: number, now: number): Known {
    const known = this.#accounts.get(accountId);
    if (known !== undefined && known.standings.size < CACHED_ENQUIRERS) return known;
    const read = { standings: new Map(), posts: this.#readPosts(accountId, now - RECENT) };
    this.#accounts.set(accountId, read);
    return read;
  }

  #read(accountId: number, enquirerId: number): Standing {
    const row = this.#sql.standing.get(accountId, enquirerId) as
      | { policy: Standing['policy']; ignored: number; paused_until: number }
      | undefined;
    if (row === undefined) return STRANGER;
    return { policy: row.policy, recent: [], ignored: row.ignored, pausedUntil: row.paused_until };
  }

  #readPosts(accountId: number, since: number): Map<number, number[]> {
    const posts = new Map<number, number[]>();
    for (const newestFirst of [this.#sql.pendingPosts, this.#sql.settledPosts]) {
      for (const row of newestFirst.iterate(accountId)) {
        const { enquirer_id: enquirerId, posted_at: at } = row as { enquirer_id: number; posted_at: number };
        if (at <= since) break;
        posts.set(enquirerId, [...(posts.get(enquirerId) ?? []), at]);
      }
    }
    for (const times of posts.values()) times.sort((a, b) => a - b);
    return posts;
  }
}
