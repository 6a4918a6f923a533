/**
 * How many things of one name may go on at once, and begin in a while. Pure; times are ms of a monotonic clock.
 * @module
 */

export interface RateLimits {
  readonly atOnce: number;
  /** So many may begin in so many ms, the longest time first. */
  readonly begun: readonly { readonly most: number; readonly ms: number }[];
}

export class Rates<Name> {
  readonly #limits: RateLimits;
  readonly #longest: number;
  readonly #open = new Map<Name, number>();
  readonly #begun = new Map<Name, number[]>();
  #sweptAt = Number.NEGATIVE_INFINITY;

  constructor(limits: RateLimits) {
    this.#limits = limits;
    this.#longest = Math.max(...limits.begun.map(({ ms }) => ms));
  }

  /** @returns what to call when it is over, or nothing where it is too much */
  enter(name: Name, now: number): (() => void) | undefined {
    if (now - this.#sweptAt >= this.#longest) this.#sweep(now);
    const open = this.#open.get(name) ?? 0;
    const begun = lately(this.#begun.get(name) ?? [], now - this.#longest);
    const tooOften = this.#limits.begun.some(({ most, ms }) => lately(begun, now - ms).length >= most);
    if (open >= this.#limits.atOnce || tooOften) return undefined;
    this.#begun.set(name, [...begun, now]);
    this.#open.set(name, open + 1);
    let over = false;
    return () => {
      if (over) return;
      over = true;
      const left = (this.#open.get(name) ?? 1) - 1;
      if (left === 0) this.#open.delete(name);
      else this.#open.set(name, left);
    };
  }

  /** Now and then, and not each time: with many names it would cost more than what is counted. */
  #sweep(now: number): void {
    this.#sweptAt = now;
    for (const [name, times] of this.#begun) {
      if (lately(times, now - this.#longest).length === 0) this.#begun.delete(name);
    }
  }
}

function lately(times: readonly number[], since: number): number[] {
  return times.filter((time) => time > since);
}
