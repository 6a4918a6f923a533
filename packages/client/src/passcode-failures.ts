/**
 * Wrong passcodes, as a device counts them: in a row over all requests of an enquirer, and by request. What was
 * counted for a request is never taken back but by the right passcode of that very try.
 * @module
 */
import { CountersignError, PASSCODE_LOCK, PASSCODE_TRIES } from '@countersign/core';
import type { StateStore } from './state-store.ts';

const KIND = 'passcode-failures';

interface Failures {
  readonly inARow: number;
  /** By hash of the request. */
  readonly byRequest: Readonly<Record<string, number>>;
}

const NONE: Failures = { inARow: 0, byRequest: {} };

/** A try, counted as a failure before it is checked: a crash in between is one. */
export interface Try {
  /** The request had all its tries before this one: nothing is to be checked. */
  readonly over: boolean;
  readonly inARow: number;
  readonly left: number;
}

/** @throws `passcode-locked` */
export async function countTry(state: StateStore, enquirer: string, hash: string): Promise<Try> {
  let over = false;
  const counted = await state.update<Failures>(KIND, enquirer, (old = NONE) => {
    const tries = old.byRequest[hash] ?? 0;
    over = tries >= PASSCODE_TRIES;
    if (over) return old;
    if (old.inARow >= PASSCODE_LOCK) {
      throw new CountersignError(
        'passcode-locked',
        `${old.inARow} wrong passcodes in a row for this enquirer`,
        {
          hint: 'somebody may be guessing; if you trust this asker, remove it from your contacts and add it again',
        },
      );
    }
    return { inARow: old.inARow + 1, byRequest: { ...old.byRequest, [hash]: tries + 1 } };
  });
  return { over, inARow: counted.inARow, left: PASSCODE_TRIES - counted.byRequest[hash]! };
}

/** The last try was no failure; the ones before it count until the broker has taken the answer. */
export async function takeBackTry(state: StateStore, enquirer: string, hash: string): Promise<void> {
  await state.update<Failures>(KIND, enquirer, (old = NONE) => {
    const { [hash]: tries = 1, ...others } = old.byRequest;
    return {
      inARow: Math.max(0, old.inARow - 1),
      byRequest: tries <= 1 ? others : { ...others, [hash]: tries - 1 },
    };
  });
}

/** Ends a row of failures; the tries of each request stay counted. */
export async function forgiveRow(state: StateStore, enquirer: string): Promise<void> {
  await state.update<Failures>(KIND, enquirer, (old = NONE) => ({ ...old, inARow: 0 }));
}
