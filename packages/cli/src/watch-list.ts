/**
 * The live list, as a value: what waits, which one is chosen, and whether a key may act on it. Pure; times in ms.
 * @module
 */
import type { PendingRequest } from '@countersign/client';

/** After the chosen question changes under the hand, keys do nothing for so long: nobody answers what they have not read. */
export const GUARD_MS = 700;

export interface WatchList {
  readonly requests: readonly PendingRequest[];
  /** Hash of the question that is shown whole. */
  readonly chosen: string | undefined;
  /** Keys act from this time on. */
  readonly guardedUntil: number;
}

export const EMPTY: WatchList = { requests: [], chosen: undefined, guardedUntil: 0 };

export function chosenRequest({ requests, chosen }: WatchList): PendingRequest | undefined {
  return requests.find(({ hash }) => hash === chosen);
}

/** The list after what waits has changed: oldest first; the chosen one stays chosen while it is there. */
export function withRequests(list: WatchList, requests: readonly PendingRequest[], now: number): WatchList {
  const sorted = [...requests].sort((a, b) => a.askedAt - b.askedAt || a.id.localeCompare(b.id));
  const stays = sorted.some(({ hash }) => hash === list.chosen);
  const chosen = stays ? list.chosen : sorted[0]?.hash;
  return { requests: sorted, chosen, guardedUntil: stays ? list.guardedUntil : now + GUARD_MS };
}

/** Chooses the next question, or the one before. */
export function move(list: WatchList, by: 1 | -1, now: number): WatchList {
  const at = list.requests.findIndex(({ hash }) => hash === list.chosen);
  const next = list.requests[at + by];
  return next === undefined ? list : { ...list, chosen: next.hash, guardedUntil: now + GUARD_MS };
}

/** The list when something else of it came to be seen. */
export function guarded(list: WatchList, now: number): WatchList {
  return { ...list, guardedUntil: now + GUARD_MS };
}

/** The question that a key may answer now. */
export function answerable(list: WatchList, now: number): PendingRequest | undefined {
  return now < list.guardedUntil ? undefined : chosenRequest(list);
}
