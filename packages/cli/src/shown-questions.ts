/**
 * Which questions were shown here: the last list, so that ids can be completed, and every one by its hash, so that
 * the start of an id means what was seen.
 * @module
 */
import type { PendingRequest, StateStore } from '@countersign/client';

export interface ShownQuestion {
  readonly id: string;
  readonly enquirer: string;
  /** Seconds since 1970. */
  readonly expiresAt: number;
}

const KIND = 'shown';
const [LISTED, SEEN] = ['pending', 'hashes'];

/** Remembers a list that was shown. */
export async function rememberList(
  state: StateStore,
  requests: readonly PendingRequest[],
  now: number,
): Promise<void> {
  await state.update<ShownQuestion[]>(KIND, LISTED, () =>
    requests.map(({ id, enquirer, expiresAt }) => ({ id, enquirer: enquirer.name, expiresAt })),
  );
  await rememberShown(state, requests, now);
}

/** Remembers questions that were shown, until they expire. */
export async function rememberShown(
  state: StateStore,
  requests: readonly PendingRequest[],
  now: number,
): Promise<void> {
  await state.update<Record<string, number>>(KIND, SEEN, (old = {}) => {
    const standing = Object.entries(old).filter(([, expiresAt]) => expiresAt > now);
    const shown = requests.map(({ hash, expiresAt }) => [hash, expiresAt] as const);
    return Object.fromEntries([...standing, ...shown]);
  });
}

/** Whether exactly this question was shown here. */
export async function wasShown(state: StateStore, { hash }: PendingRequest): Promise<boolean> {
  return Object.hasOwn((await state.get<Record<string, number>>(KIND, SEEN)) ?? {}, hash);
}

/** Those of the last list that may still be answered. */
export async function shownQuestions(state: StateStore, now: number): Promise<ShownQuestion[]> {
  const all = (await state.get<ShownQuestion[]>(KIND, LISTED)) ?? [];
  return all.filter(({ expiresAt }) => expiresAt > now);
}
