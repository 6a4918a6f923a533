/**
 * How often a user's own processes may ask. Root is trusted with its own rate: it is the login programs.
 * @module
 */

/** Attempts of one uid at once, and in a minute. */
const AT_ONCE = 2;
const IN_A_MINUTE = 10;
const MINUTE_MS = 60_000;

export class PeerRates {
  readonly #monotonic: () => number;
  readonly #open = new Map<number, number>();
  readonly #begun = new Map<number, number[]>();

  constructor(monotonic: () => number) {
    this.#monotonic = monotonic;
  }

  /** @returns what to call when it is over, or nothing where it is too much */
  enter(uid: number): (() => void) | undefined {
    if (uid === 0) return () => {};
    const now = this.#monotonic();
    this.#forget(now);
    const begun = this.#begun.get(uid) ?? [];
    const open = this.#open.get(uid) ?? 0;
    if (open >= AT_ONCE || begun.length >= IN_A_MINUTE) return undefined;
    this.#begun.set(uid, [...begun, now]);
    this.#open.set(uid, open + 1);
    let over = false;
    return () => {
      if (over) return;
      over = true;
      const left = (this.#open.get(uid) ?? 1) - 1;
      if (left === 0) this.#open.delete(uid);
      else this.#open.set(uid, left);
    };
  }

  #forget(now: number): void {
    for (const [uid, times] of this.#begun) {
      const young = times.filter((time) => time > now - MINUTE_MS);
      if (young.length === 0) this.#begun.delete(uid);
      else this.#begun.set(uid, young);
    }
  }
}
