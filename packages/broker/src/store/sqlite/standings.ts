/**
 * What accounts think of enquirers, and when those asked. The times are those of the stored requests, so a post
 * writes none of its own: they are read once for an account, and then kept in memory.
 * @module
 */
import { RECENT, STRANGER, type Standing } from '../../limits.ts';
import type { NewRequest } from '../store.ts';
import { BoundedMap } from './bounded-map.ts';
import type { RequestRecord } from './rows.ts';
import type { Statements } from './statements.ts';

const CACHED_ACCOUNTS = 20_000;
const CACHED_ENQUIRERS = 1000;

/** Which standing of an account: whose questions, and who asks them. */
type Of = Pick<NewRequest, 'accountId' | 'enquirerId' | 'asker'>;

/** Of one account, by enquirer and who asks. */
interface Known {
  readonly standings: Map<string, Standing>;
  /** Times of the last hour's posts as they were when the account was read, oldest first. */
  readonly posts: ReadonlyMap<string, readonly number[]>;
}

type PostRecord = Pick<RequestRecord, 'enquirer_id' | 'asker' | 'posted_at'>;

export class Standings {
  readonly #sql: Statements;
  readonly #accounts = new BoundedMap<number, Known>(CACHED_ACCOUNTS);

  constructor(sql: Statements) {
    this.#sql = sql;
  }

  /** The policy is the account's word on the enquirer, whoever asks for that one. */
  find(of: Of, now: number): Standing {
    const standing = this.#find(of, now);
    if (of.asker === 'device') return standing;
    return { ...standing, policy: this.#find({ ...of, asker: 'device' }, now).policy };
  }

  /** Remembers a post whose request is written. */
  posted(of: Of, standing: Standing): void {
    this.#accounts.get(of.accountId)?.standings.set(keyOf(of), standing);
  }

  save(of: Of, standing: Standing): void {
    const { accountId, enquirerId, asker } = of;
    const { policy, ignored, pausedUntil } = standing;
    if (asker === 'device') this.#sql.saveStanding.run(accountId, enquirerId, policy, ignored, pausedUntil);
    else this.#sql.saveAskerStanding.run(accountId, enquirerId, asker, ignored, pausedUntil);
    this.posted(of, standing);
  }

  /** Forgets what is in memory: it may be of a transaction that did not happen. */
  clear(): void {
    this.#accounts.clear();
  }

  #find(of: Of, now: number): Standing {
    const known = this.#known(of.accountId, now);
    const key = keyOf(of);
    let standing = known.standings.get(key);
    if (standing === undefined) {
      standing = { ...this.#read(of), recent: known.posts.get(key) ?? [] };
      known.standings.set(key, standing);
    }
    return standing;
  }

  #known(accountId: number, now: number): Known {
    const known = this.#accounts.get(accountId);
    if (known !== undefined && known.standings.size < CACHED_ENQUIRERS) return known;
    const read = { standings: new Map(), posts: this.#readPosts(accountId, now - RECENT) };
    this.#accounts.set(accountId, read);
    return read;
  }

  #read({ accountId, enquirerId, asker }: Of): Standing {
    const row = (
      asker === 'device'
        ? this.#sql.standing.get(accountId, enquirerId)
        : this.#sql.askerStanding.get(accountId, enquirerId, asker)
    ) as { policy?: Standing['policy']; ignored: number; paused_until: number } | undefined;
    if (row === undefined) return STRANGER;
    const { policy = STRANGER.policy, ignored, paused_until: pausedUntil } = row;
    return { policy, recent: [], ignored, pausedUntil };
  }

  #readPosts(accountId: number, since: number): Map<string, number[]> {
    const posts = new Map<string, number[]>();
    for (const newestFirst of [this.#sql.pendingPosts, this.#sql.settledPosts]) {
      for (const row of newestFirst.iterate(accountId)) {
        const { enquirer_id: enquirerId, asker, posted_at: at } = row as unknown as PostRecord;
        if (at <= since) break;
        const key = keyOf({ enquirerId, asker });
        posts.set(key, [...(posts.get(key) ?? []), at]);
      }
    }
    for (const times of posts.values()) times.sort((a, b) => a - b);
    return posts;
  }
}

function keyOf({ enquirerId, asker }: Pick<Of, 'enquirerId' | 'asker'>): string {
  return `${enquirerId} ${asker}`;
}
