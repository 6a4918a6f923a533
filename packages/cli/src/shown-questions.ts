/**
 * Which questions were last listed here, so that their ids can be completed.
 * @module
 */
import type { PendingRequest, StateStore } from '@countersign/client';

export interface ShownQuestion {
  readonly id: string;
  readonly enquirer: string;
  /** Seconds since 1970. */
  readonly expiresAt: number;
}

const [KIND, KEY] = ['shown', 'pending'];

export async function rememberShown(state: StateStore, requests: readonly PendingRequest[]): Promise<void> {
  await state.update<ShownQuestion[]>(KIND, KEY, () =>
    requests.map(({ id, enquirer, expiresAt }) => ({ id, enquirer: enquirer.name, expiresAt })),
  );
}

/** Those that may still be answered. */
export async function shownQuestions(state: StateStore, now: number): Promise<ShownQuestion[]> {
  const all = (await state.get<ShownQuestion[]>(KIND, KEY)) ?? [];
  return all.filter(({ expiresAt }) => expiresAt > now);
}
