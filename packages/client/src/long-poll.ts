/**
 * Waiting for a request's state over cuts and restarts of the broker.
 * @module
 */
import { CountersignError } from '@countersign/core';
import pRetry from 'p-retry';
import type { Session } from './session.ts';
import { sleep } from './sleep.ts';
import type { WireState } from './wire.ts';

/** Longest single poll, in seconds; the broker allows 120. */
const LONGEST_POLL = 60;
/** Between two polls that were answered at once, in ms. */
const PAUSE_MS = 500;

/**
 * Polls until a request is settled.
 * @param milliseconds how long at the most
 * @returns nothing where the time is over
 * @throws `broker-unreachable` where it stays so until the end; what the broker refuses; the signal's reason
 */
export async function waitForState(
  { api, clock }: Pick<Session, 'api' | 'clock'>,
  hash: string,
  milliseconds: number,
  signal?: AbortSignal,
): Promise<WireState | undefined> {
  const end = clock.monotonic() + milliseconds;
  for (;;) {
    const left = end - clock.monotonic();
    const asked = clock.monotonic();
    const wait = Math.min(LONGEST_POLL, Math.max(0, Math.ceil(left / 1000)));
    const state = await pRetry(() => api.readState(hash, wait, signal), {
      retries: Number.POSITIVE_INFINITY,
      maxRetryTime: Math.max(left, 1),
      minTimeout: 200,
      maxTimeout: 2000,
      randomize: true,
      ...(signal === undefined ? {} : { signal }),
      shouldRetry: ({ error }) => error instanceof CountersignError && error.code === 'broker-unreachable',
    });
    if (state.state !== 'pending') return state;
    if (clock.monotonic() >= end) return undefined;
    // A broker that does not wait is not asked without a pause.
    if (wait > 0 && clock.monotonic() - asked < PAUSE_MS) await sleep(PAUSE_MS, signal);
  }
}
