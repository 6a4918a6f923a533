/**
 * Enquirers that wait for an answer: each is woken once, by the settling of its request or by its time.
 * @module
 */
import type { Settled } from '@countersign/core';

type Wake = (state: Settled | undefined) => void;

export class Waiters {
  readonly #waiting = new Map<string, Set<Wake>>();
  #count = 0;

  get count(): number {
    return this.#count;
  }

  /**
   * Waits until a request is settled, the time is over, or the asker has gone.
   * @param milliseconds how long
   * @returns the settled state, or nothing
   */
  wait(hash: string, milliseconds: number, gone: AbortSignal): Promise<Settled | undefined> {
    return new Promise((resolve) => {
      const wakes = this.#waiting.get(hash) ?? new Set();
      const wake: Wake = (state) => {
        clearTimeout(timer);
        gone.removeEventListener('abort', leave);
        wakes.delete(wake);
        if (wakes.size === 0) this.#waiting.delete(hash);
        this.#count--;
        resolve(state);
      };
      const leave = () => wake(undefined);
      const timer = setTimeout(leave, milliseconds);
      gone.addEventListener('abort', leave);
      wakes.add(wake);
      this.#waiting.set(hash, wakes);
      this.#count++;
      if (gone.aborted) leave();
    });
  }

  wake(hash: string, state: Settled): void {
    for (const wake of [...(this.#waiting.get(hash) ?? [])]) wake(state);
  }

  /** Sends everybody away, as when time is over. */
  releaseAll(): void {
    for (const wakes of [...this.#waiting.values()]) for (const wake of [...wakes]) wake(undefined);
  }
}
