/**
 * Waiting for what comes about by itself. The patience is for a machine that is busy with other tests: no test takes
 * it, unless it fails.
 * @module
 */
import { setTimeout as delay } from 'node:timers/promises';

/** How long anything is waited for, in ms: a page's own waits too. */
export const PATIENCE_MS = 60_000;

/**
 * Looks again and again.
 * @param patience in ms: a test may have less of it
 * @returns the first that is neither nothing nor false
 * @throws what `otherwise` says, once that has passed
 */
export async function until<T>(
  look: () => T | Promise<T>,
  otherwise: () => string = () => `never so: ${look}`,
  patience = PATIENCE_MS,
): Promise<Exclude<T, undefined | false>> {
  for (const end = performance.now() + patience; ; ) {
    const seen = await look();
    if (seen !== undefined && seen !== false) return seen as Exclude<T, undefined | false>;
    if (performance.now() > end) throw new Error(otherwise());
    await delay(50);
  }
}
