/**
 * What the small chain remembers: accounts, assets, balances, proposals, blocks. A transaction works on a copy of
 * what it touches, which takes the place of the old only where all of it went well.
 * @module
 */
import type { Authority } from '../../src/authority.ts';
import type { OperationJson } from '../../src/required-authorities.ts';
import { check } from './chain-error.ts';

/** Its kind, and what it is: `[0, {}]` where there is none. */
export type SpecialAuthority = readonly [number, unknown];

export interface AccountObject {
  readonly id: string;
  readonly name: string;
  readonly registrar: string;
  readonly owner: Authority;
  readonly active: Authority;
  readonly owner_special_authority: SpecialAuthority;
  readonly active_special_authority: SpecialAuthority;
  readonly options: Readonly<Record<string, unknown>>;
  /** `1969-12-31T23:59:59` where it is a member for life. */
  readonly membership_expiration_date: string;
}

export interface AssetObject {
  readonly id: string;
  readonly symbol: string;
  readonly precision: number;
  readonly issuer: string;
}

export interface ProposalObject {
  readonly id: string;
  readonly proposer: string;
  readonly expiration_time: string;
  readonly review_period_time?: string;
  readonly proposed_transaction: {
    readonly expiration: string;
    readonly operations: readonly OperationJson[];
  };
  readonly required_active_approvals: readonly string[];
  readonly required_owner_approvals: readonly string[];
  readonly available_active_approvals: readonly string[];
  readonly available_owner_approvals: readonly string[];
  readonly available_key_approvals: readonly string[];
  readonly fail_reason?: string;
}

export interface HistoryEntry {
  readonly id: string;
  readonly op: OperationJson;
  readonly block_num: number;
  readonly trx_in_block: number;
}

export interface State {
  accounts: Map<string, AccountObject>;
  names: Map<string, string>;
  assets: Map<string, AssetObject>;
  /** By `account asset`, in the asset's smallest unit. */
  balances: Map<string, bigint>;
  proposals: Map<string, ProposalObject>;
  history: Map<string, readonly HistoryEntry[]>;
  nextProposal: number;
  nextHistory: number;
}

export const FOREVER = '1969-12-31T23:59:59';
export const CORE = '1.3.0';
export const NOTHING_SPECIAL = {
  owner_special_authority: [0, {}],
  active_special_authority: [0, {}],
} as const;

export function emptyState(): State {
  return {
    accounts: new Map(),
    names: new Map(),
    assets: new Map(),
    balances: new Map(),
    proposals: new Map(),
    history: new Map(),
    nextProposal: 0,
    nextHistory: 0,
  };
}

export function copyOf(state: State): State {
  return {
    accounts: new Map(state.accounts),
    names: new Map(state.names),
    assets: new Map(state.assets),
    balances: new Map(state.balances),
    proposals: new Map(state.proposals),
    history: new Map(state.history),
    nextProposal: state.nextProposal,
    nextHistory: state.nextHistory,
  };
}

export function accountOf(state: State, id: unknown): AccountObject {
  const account = state.accounts.get(String(id));
  check(account, `Unable to find Object ${id}`);
  return account;
}

export function balanceOf(state: State, account: string, asset: string): bigint {
  return state.balances.get(`${account} ${asset}`) ?? 0n;
}

export function move(state: State, account: string, asset: string, amount: bigint): void {
  const after = balanceOf(state, account, asset) + amount;
  const { name } = accountOf(state, account);
  check(after >= 0n, `Insufficient Balance: ${name}'s balance of ${asset} is less than required`);
  state.balances.set(`${account} ${asset}`, after);
}

export function putAccount(state: State, account: AccountObject): void {
  state.accounts.set(account.id, account);
  state.names.set(account.name, account.id);
}

/** Seconds since 1970 of the chain's `2026-11-21T10:00:00`. */
export function secondsOf(text: unknown): number {
  const seconds = Date.parse(`${text}Z`) / 1000;
  check(Number.isInteger(seconds), `not a time: ${text}`);
  return seconds;
}

export function timeText(seconds: number): string {
  return new Date(seconds * 1000).toISOString().slice(0, 19);
}
