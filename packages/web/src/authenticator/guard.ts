/**
 * A touch that was meant for what stood there before answers nothing.
 * @module
 */
import { useEffect, useRef } from 'preact/hooks';

/** After something comes to stand under the finger, a touch does nothing for so long, in ms. */
export const GUARD_MS = 1000;

/** Whether a touch counts by now: from a while after the screen that asks this was first drawn. */
export function useGuard(): () => boolean {
  const since = useRef(Number.POSITIVE_INFINITY);
  useEffect(() => {
    since.current = performance.now();
  }, []);
  return () => performance.now() - since.current >= GUARD_MS;
}
