/**
 * Clocks, as a parameter.
 * @module
 */

export interface Clock {
  /** Seconds since 1970, by the machine's clock. */
  now(): number;
  /** Milliseconds from some point on, never set back. */
  monotonic(): number;
}

export const systemClock: Clock = {
  now: () => Math.floor(Date.now() / 1000),
  monotonic: () => performance.now(),
};
