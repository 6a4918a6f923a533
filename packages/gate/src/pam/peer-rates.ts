/**
 * How many may ask, and how often a user's own processes may. Root's are the login programs: they have places of their
 * own, and are trusted with their rate.
 * @module
 */
import { Rates } from './rates.ts';

/** Attempts of root's at once. */
const ROOTS_AT_ONCE = 256;
/** Of all other users together: whoever has subordinate uids (subuid(5)) comes as each of them. */
const OTHERS_AT_ONCE = 64;
/** Of one other uid at once, and in a minute. */
const OF_ONE = { atOnce: 2, begun: [{ most: 10, ms: 60_000 }] };

export class PeerRates {
  readonly #monotonic: () => number;
  readonly #others = new Rates<number>(OF_ONE);
  readonly #open = { root: 0, others: 0 };

  constructor(monotonic: () => number) {
    this.#monotonic = monotonic;
  }

  /** @returns what to call when it is over, or nothing where it is too much */
  enter(uid: number): (() => void) | undefined {
    const who = uid === 0 ? 'root' : 'others';
    if (this.#open[who] >= (uid === 0 ? ROOTS_AT_ONCE : OTHERS_AT_ONCE)) return undefined;
    const leave = uid === 0 ? () => {} : this.#others.enter(uid, this.#monotonic());
    if (leave === undefined) return undefined;
    this.#open[who]++;
    let over = false;
    return () => {
      if (over) return;
      over = true;
      this.#open[who]--;
      leave();
    };
  }
}
