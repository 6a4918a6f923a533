/**
 * The two ways of load: as many in flight as are asked for, each followed by the next at once; or so many a
 * second, whether the server keeps up or not.
 * @module
 */

/** Times of one confirmation, in ms. */
export interface Times {
  /** From asking to the verified answer. */
  readonly whole: number;
  /** From sending the answer to the enquirer's long poll having returned. */
  readonly acceptToWoken: number;
}

export type Confirm<T> = (item: T) => Promise<Times>;

/** @returns times of all, and the seconds that they took together */
export async function closedLoop<T>(
  items: readonly T[],
  inFlight: number,
  confirm: Confirm<T>,
): Promise<{ seconds: number; times: Times[] }> {
  const times: Times[] = [];
  const started = performance.now();
  let next = 0;
  const lane = async () => {
    while (next < items.length) times.push(await confirm(items[next++]!));
  };
  await Promise.all(Array.from({ length: inFlight }, lane));
  return { seconds: (performance.now() - started) / 1000, times };
}

/**
 * Most confirmations under way in an open loop, at two connections each. If the machine stands still for a moment,
 * more would come at once than fit a server's queue of new connections, and be reset.
 */
const MOST_IN_FLIGHT = 200;

/** Independent askers: the pauses between them are exponential, so that some come in clusters. */
export async function openLoop<T>(
  items: readonly T[],
  perSecond: number,
  confirm: Confirm<T>,
): Promise<Times[]> {
  const running: Promise<Times>[] = [];
  const started = performance.now();
  let due = 0;
  let inFlight = 0;
  for (const item of items) {
    due += (-Math.log(1 - Math.random()) / perSecond) * 1000;
    const early = started + due - performance.now();
    if (early > 0) await new Promise((resolve) => setTimeout(resolve, early));
    while (inFlight >= MOST_IN_FLIGHT) await new Promise((resolve) => setTimeout(resolve, 1));
    inFlight++;
    running.push(confirm(item).finally(() => inFlight--));
  }
  return Promise.all(running);
}
