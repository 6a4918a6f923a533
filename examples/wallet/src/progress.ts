/**
 * Whose signatures a transaction waits for, and how far each of them is.
 * @module
 */
import type { Cosigned, Step } from '@countersign/graphene/wallet';

export interface Signature {
  readonly who: string;
  /** Where a provider is reached; absent for this wallet’s own key. */
  readonly url?: string;
  readonly state: 'waiting' | Cosigned['state'];
  readonly reason?: string;
}

/** What stands there after a step of gathering. */
export function after(before: readonly Signature[], step: Step): readonly Signature[] {
  switch (step.step) {
    case 'needed':
      return [
        ...step.own.map((account): Signature => ({ who: `Your key of ${account}`, state: 'waiting' })),
        ...step.providers.map(({ provider, url }): Signature => ({ who: provider, url, state: 'waiting' })),
      ];
    case 'signed':
      return changed(before, `Your key of ${step.by}`, { state: 'signed' });
    case 'asked':
      return changed(before, step.provider, { state: 'pending' });
    case 'answered': {
      const { state, reason } = step;
      return changed(before, step.provider, { state, ...(reason === undefined ? {} : { reason }) });
    }
  }
}

function changed(
  before: readonly Signature[],
  who: string,
  change: Pick<Signature, 'state' | 'reason'>,
): readonly Signature[] {
  return before.map((one) => (one.who === who ? { ...one, ...change } : one));
}
