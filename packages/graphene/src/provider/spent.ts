/**
 * What was signed for an account, and what is being asked about: two questions at once cannot share one limit.
 * @module
 */
import type { Before, Outflow } from '../policy.ts';
import type { ProviderStore } from './store.ts';

interface Kept {
  readonly asset: string;
  readonly amount: string;
  readonly payee?: string;
  readonly fee?: true;
}

/** @param but a transaction, by its digest, or a proposal, by its id, that is not counted */
export function spentBy(store: ProviderStore, account: string, but?: string): Before[] {
  const transactions = store
    .all('transactions', { account })
    .filter(({ digest }) => digest !== but)
    .filter(({ state }) => state === 'signed' || state === 'pending' || state === 'accepted')
    .map(({ settled_at, posted_at, outflows }) => ({ at: settled_at ?? posted_at, outflows }));
  const proposals = store
    .all('proposals', { account })
    .filter(({ proposal }) => proposal !== but)
    .filter(({ state }) => state === 'approved' || state === 'approving' || state === 'asked')
    .map(({ asked_at: at, outflows }) => ({ at, outflows }));
  return [...transactions, ...proposals].map(({ at, outflows }) => ({
    at,
    outflows: (JSON.parse(outflows) as Kept[]).map((one) => ({ ...one, amount: BigInt(one.amount) })),
  }));
}

/** As the database keeps it. */
export function keptOutflows(outflows: readonly Outflow[]): string {
  return JSON.stringify(outflows.map((one): Kept => ({ ...one, amount: one.amount.toString() })));
}
