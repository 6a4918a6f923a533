/**
 * How many may ask, and how often a user's own processes may. Root's are the login programs: they have places of their
 * own, and are trusted with their rate.
 * @module
 */

/** Attempts of root's at once. */
const ROOTS_AT_ONCE = 256;
/** Of all other users together: whoever has subordinate uids (subuid(5)) comes as each of them. */
const OTHERS_AT_ONCE = 64;
/** Of one other uid at once, and in a minute. */
const AT_ONCE = 2;
const IN_A_MINUTE = 10;
const MINUTE_MS = 60_000;

export class PeerRates {
  readonly #monotonic: () => number;
  readonly #open = new Map<number, number>();
  readonly #begun = new Map<number, number[]>();
  #others = 0;
  #sweptAt = Number.NEGATIVE_INFINITY;

  constructor(monotonic: () => number) {
    this.#monotonic = monotonic;
  }

  /** @returns what to call when it is over, or nothing where it is too much */
  enter(uid: number): (() => void) | undefined {
    const open = this.#open.get(uid) ?? 0;
    if (uid === 0) return open < ROOTS_AT_ONCE ? this.#take(uid, open) : undefined;
    if (open >= AT_ONCE || this.#others >= OTHERS_AT_ONCE) return undefined;
    const now = this.#monotonic();
    if (now - this.#sweptAt >= MINUTE_MS) this.#sweep(now);
    const begun = lately(this.#begun.get(uid) ?? [], now);
    if (begun.length >= IN_A_MINUTE) return undefined;
    this.#begun.set(uid, [...begun, now]);
    return this.#take(uid, open);
  }

  #take(uid: number, open: number): () => void {
    this.#open.set(uid, open + 1);
    if (uid !== 0) this.#others++;
    let over = false;
    return () => {
      if (over) return;
      over = true;
      if (uid !== 0) this.#others--;
      const left = (this.#open.get(uid) ?? 1) - 1;
      if (left === 0) this.#open.delete(uid);
      else this.#open.set(uid, left);
    };
  }

  /** Once a minute, and not at each attempt: those of many uids would cost more than the attempt. */
  #sweep(now: number): void {
    this.#sweptAt = now;
    for (const [uid, times] of this.#begun) {
      if (lately(times, now).length === 0) this.#begun.delete(uid);
    }
  }
}

function lately(times: readonly number[], now: number): number[] {
  return times.filter((time) => time > now - MINUTE_MS);
}
