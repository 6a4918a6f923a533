/**
 * Refusals that take the same time, whatever their reason: who asks learns nothing from how long it took.
 * @module
 */
import { setTimeout as sleep } from 'node:timers/promises';

const REFUSAL_MS = 80;

/** Does some work; where it throws, not before its time. */
export async function steady<T>(work: () => Promise<T>): Promise<T> {
  const begun = performance.now();
  try {
    return await work();
  } catch (error) {
    await sleep(Math.max(0, REFUSAL_MS - (performance.now() - begun)));
    throw error;
  }
}
