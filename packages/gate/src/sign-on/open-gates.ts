/**
 * How many gates may stand open: of one user, at one place, and of one user at one place; and how often one user may
 * open them at one place. Pure; times are ms of a monotonic clock.
 * @module
 */
import { CountersignError } from '@countersign/core';
import { networkOf } from '@countersign/http/network';

/** What the demultiplexer queues of one account at a time. */
const OPEN_PER_USER = 16;
/** Whoever tries names from one place comes to an end. */
const OPEN_PER_PLACE = 32;
const OPEN_PER_BOTH = 4;
const PER_MINUTE = 20;
const MINUTE = 60_000;

export class OpenGates {
  readonly #open = new Map<string, number>();
  readonly #recent = new Map<string, number[]>();
  #sweptAt = Number.NEGATIVE_INFINITY;

  /**
   * @param place where the user stands: an address, a terminal; empty where that is not known. Addresses of one network
   *   are one place
   * @returns what to call when the gate is closed
   * @throws `too-many-pending`, `too-often`; for an unknown user as for any other
   */
  enter(user: string, place: string, now: number): () => void {
    const network = networkOf(place);
    const both = JSON.stringify([user, network]);
    const counted: [key: string, most: number][] = [
      [both, OPEN_PER_BOTH],
      [JSON.stringify({ user }), OPEN_PER_USER],
      ...(place === '' ? [] : [[JSON.stringify({ place: network }), OPEN_PER_PLACE] as [string, number]]),
    ];
    if (counted.some(([key, most]) => this.#count(key) >= most)) {
      throw new CountersignError('too-many-pending', 'too many sign-ons are open already', {
        hint: 'wait until one of them is over',
      });
    }
    if (now - this.#sweptAt >= MINUTE) this.#sweep(now);
    const recent = lately(this.#recent.get(both) ?? [], now);
    if (recent.length >= PER_MINUTE) {
      const retryAfter = Math.ceil((recent[0]! + MINUTE - now) / 1000);
      throw new CountersignError('too-often', 'too many sign-ons in a minute', { retryAfter });
    }
    this.#recent.set(both, [...recent, now]);
    for (const [key] of counted) this.#open.set(key, this.#count(key) + 1);
    let left = false;
    return () => {
      if (left) return;
      left = true;
      for (const [key] of counted) {
        const count = this.#count(key) - 1;
        if (count === 0) this.#open.delete(key);
        else this.#open.set(key, count);
      }
    };
  }

  #count(key: string): number {
    return this.#open.get(key) ?? 0;
  }

  /** Once a minute, and not at each gate: with many names and places it would cost more than the gate. */
  #sweep(now: number): void {
    this.#sweptAt = now;
    for (const [key, times] of this.#recent) {
      if (lately(times, now).length === 0) this.#recent.delete(key);
    }
  }
}

function lately(times: readonly number[], now: number): number[] {
  return times.filter((time) => time > now - MINUTE);
}
