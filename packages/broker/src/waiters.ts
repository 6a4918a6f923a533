/**
 * Callers that wait for something to be settled: each is woken once, by that or by its time.
 * @module
 */
type Wake<T> = (state: T | undefined) => void;

export interface Waiting<T> {
  /** The settled state; or nothing, where the wait ended without. */
  readonly settled: Promise<T | undefined>;
  /** Ends the wait now. */
  readonly leave: () => void;
}

export class Waiters<T> {
  readonly #waiting = new Map<string, Set<Wake<T>>>();
  #count = 0;

  get count(): number {
    return this.#count;
  }

  /**
   * Waits until a request is settled, the time is over, or whoever waits leaves.
   * @param milliseconds how long
   */
  wait(hash: string, milliseconds: number): Waiting<T> {
    const { promise, resolve } = Promise.withResolvers<T | undefined>();
    const wakes = this.#waiting.get(hash) ?? new Set<Wake<T>>();
    const wake: Wake<T> = (state) => {
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

  /**
   * What a look finds; where that is nothing, what another one finds after a wait. The wait begins before the first
   * look, so that nothing in between is missed.
   * @param milliseconds how long to wait; 0 not to
   * @param onGone told how to end the wait where the caller hangs up
   */
  async look<R>(
    key: string,
    milliseconds: number,
    onGone: (leave: () => void) => void,
    look: () => Promise<R | undefined>,
  ): Promise<R | undefined> {
    if (milliseconds <= 0) return look();
    const waiting = this.wait(key, milliseconds);
    onGone(waiting.leave);
    try {
      const found = await look();
      if (found !== undefined) return found;
      await waiting.settled;
      return await look();
    } finally {
      waiting.leave();
    }
  }

  /** Whether somebody waits for this. */
  has(hash: string): boolean {
    return this.#waiting.has(hash);
  }

  wake(hash: string, state: T): void {
    for (const wake of [...(this.#waiting.get(hash) ?? [])]) wake(state);
  }

  /** Sends everybody away, as when time is over. */
  releaseAll(): void {
    for (const wakes of [...this.#waiting.values()]) for (const wake of [...wakes]) wake(undefined);
  }
}
