/**
 * Enquirers that wait for an answer: each is woken once, by the settling of its request or by its time.
 * @module
 */
import type { Settled } from '@countersign/core';

type Wake = (state: Settled | undefined) => void;

export interface Waiting {
  /** The settled state; or nothing, where the wait ended without. */
  readonly settled: Promise<Settled | undefined>;
  /** Ends the wait now. */
  readonly leave: () => void;
}

export class Waiters {
  readonly #waiting = new Map<string, Set<Wake>>();
  #count = 0;

  get count(): number {
    return this.#count;
  }

  /**
   * Waits until a request is settled, the time is over, or whoever waits leaves.
   * @param milliseconds how long
   */
  wait(hash: string, milliseconds: number): Waiting {
    const { promise, resolve } = Promise.withResolvers<Settled | undefined>();
    const wakes = this.#waiting.get(hash) ?? new Set();
    const wake: Wake = (state) => {
      if (!wakes.delete(wake)) return;
      clearTimeout(timer);
      if (wakes.size === 0) this.#waiting.delete(hash);
      this.#count--;
      resolve(state);
    };
    const leave = () => wake(undefined);
    const timer = setTimeout(leave, milliseconds);
    wakes.add(wake);
    this.#waiting.set(hash, wakes);
    this.#count++;
    return { settled: promise, leave };
  }

  wake(hash: string, state: Settled): void {
    for (const wake of [...(this.#waiting.get(hash) ?? [])]) wake(state);
  }

  /** Sends everybody away, as when time is over. */
  releaseAll(): void {
    for (const wakes of [...this.#waiting.values()]) for (const wake of [...wakes]) wake(undefined);
  }
}
