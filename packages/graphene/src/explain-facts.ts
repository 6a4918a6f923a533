/**
 * What ids of a transaction stand for, as whoever asked the chain found it. Explaining asks nobody.
 * @module
 */
import { CountersignError } from '@countersign/core';
import type { Authority, MemoData } from './field-groups.ts';
import type { Operation } from './operations.ts';

export interface AccountFacts {
  readonly name: string;
  readonly owner: FactAuthority;
  readonly active: FactAuthority;
}

/** An authority as the chain answers; old addresses may be left out. */
export type FactAuthority = Omit<Authority, 'address_auths'> & Partial<Pick<Authority, 'address_auths'>>;

export interface AssetFacts {
  readonly symbol: string;
  /** Digits behind the point. */
  readonly precision: number;
}

export interface Facts {
  readonly accounts: ReadonlyMap<string, AccountFacts>;
  readonly assets: ReadonlyMap<string, AssetFacts>;
  /** What proposals propose: none can be approved whose content cannot be shown. */
  readonly proposals?: ReadonlyMap<string, readonly Operation[]>;
  /** Words for other objects and votes that have some: the witness `1.6.3`, the vote `1:22`. */
  readonly objects?: ReadonlyMap<string, string>;
  /** The text of a memo, where somebody can read it. */
  readonly readMemo?: (memo: MemoData) => string | undefined;
}

/** What the chain counts its own fees in. */
export const CORE_ASSET = '1.3.0';

/** @throws `transaction-invalid` where nothing is known of it: an operation on it could not be shown */
export function accountFacts(facts: Facts, id: string): AccountFacts {
  return facts.accounts.get(id) ?? unknown('account', id);
}

/** @throws `transaction-invalid` likewise */
export function assetFacts(facts: Facts, id: string): AssetFacts {
  return facts.assets.get(id) ?? unknown('asset', id);
}

/** @throws `transaction-invalid` likewise */
export function proposedOperations(facts: Facts, id: string): readonly Operation[] {
  return facts.proposals?.get(id) ?? unknown('proposal', id);
}

function unknown(what: string, id: string): never {
  throw new CountersignError('transaction-invalid', `the ${what} ${id} is not known, so it cannot be shown`);
}
