/**
 * How far a proposal on the chain has come: who has approved it, who must still, and what some keys could add. Pure.
 * The chain judges approvals by keys as it judges signatures: one too many keeps a proposal from being executed as
 * one too few does.
 * @module
 */
import { AuthorityCheck, type Snapshot } from './authority.ts';
import type { ChainProposal } from './chain-client.ts';
import { type OperationJson, requiredAuthorities } from './required-authorities.ts';
import { type Approvals, fewestKeys, potentialKeys, verifyAuthority } from './transaction-authority.ts';

/** What a proposal lacks: an account that has not spoken, and its members that have not. */
export interface Lacking {
  readonly account: string;
  readonly authority: 'active' | 'owner';
  /** What has spoken of it so far. */
  readonly weight: number;
  readonly threshold: number;
  /** Keys and ids of accounts. */
  readonly members: readonly string[];
}

/**
 * `waits` for approvals; `blocked` by approvals of keys that have no part in it; `approved`: it was tried and failed,
 * or waits for the end of its review, and is tried once more when it ends.
 */
export interface Standing {
  readonly state: 'waits' | 'approved' | 'blocked';
  readonly lacking: readonly Lacking[];
  /** Keys whose approval is one too many. */
  readonly spare: readonly string[];
}

/** What a proposal proposes. */
export function proposedIn({ proposed_transaction }: ChainProposal): readonly OperationJson[] {
  return proposed_transaction.operations;
}

/** Accounts that a proposal is for. */
export function requiredBy(proposal: ChainProposal): string[] {
  return [...new Set([...proposal.required_active_approvals, ...proposal.required_owner_approvals])];
}

/** @param snapshot the accounts that the proposal needs, and those below them */
export function standingOf(proposal: ChainProposal, snapshot: Snapshot): Standing {
  const operations = proposedIn(proposal);
  const verdict = verifyAuthority(operations, keysOn(proposal), snapshot, {}, approvalsOn(proposal));
  if (verdict.valid) return { state: 'approved', lacking: [], spare: [] };
  const { active, owner } = requiredAuthorities(operations);
  const lacking = [
    ...owner.flatMap((id) => lackingOf(proposal, id, 'owner', snapshot)),
    ...active.flatMap((id) => lackingOf(proposal, id, 'active', snapshot)),
  ];
  return verdict.error === 'tx_irrelevant_sig'
    ? { state: 'blocked', lacking, spare: verdict.keys ?? [] }
    : { state: 'waits', lacking, spare: [] };
}

/**
 * The fewest of some keys that bring a proposal on, where everybody else who can approve it does.
 * @param own the keys at hand, those that are rather used first
 * @returns none where they have no part in it, or have approved it already
 */
export function keysToAdd(proposal: ChainProposal, own: readonly string[], snapshot: Snapshot): string[] {
  const operations = proposedIn(proposal);
  const there = keysOn(proposal);
  const potential = potentialKeys(operations, snapshot);
  const mine = [...new Set(own)].filter((key) => potential.has(key));
  const all = [...mine, ...[...potential].filter((key) => !mine.includes(key))];
  const chosen = fewestKeys(
    all.filter((key) => !there.includes(key)),
    (keys) => {
      const verdict = verifyAuthority(operations, [...there, ...keys], snapshot, {}, approvalsOn(proposal));
      return verdict.valid || verdict.error === 'tx_irrelevant_sig';
    },
  );
  return (chosen ?? []).filter((key) => mine.includes(key));
}

function keysOn({ available_key_approvals: keys }: ChainProposal): readonly string[] {
  return keys;
}

function approvalsOn(proposal: ChainProposal): Approvals {
  const { available_active_approvals: active, available_owner_approvals: owner } = proposal;
  return { active, owner, committee: true };
}

function lackingOf(
  proposal: ChainProposal,
  id: string,
  authority: 'active' | 'owner',
  snapshot: Snapshot,
): Lacking[] {
  const account = snapshot.get(id);
  const { available_active_approvals: active, available_owner_approvals: owner } = proposal;
  const check = () => {
    const one = new AuthorityCheck(snapshot, (key) => keysOn(proposal).includes(key));
    for (const approved of [...active, ...owner]) one.approve(approved);
    return one;
  };
  if (account === undefined) return [{ account: id, authority, weight: 0, threshold: 1, members: [] }];
  const spoke = authority === 'owner' ? owner.includes(id) || check().owner(id) : check().active(id);
  if (spoke) return [];
  const { key_auths, account_auths, weight_threshold: threshold } = account[authority];
  const members = [
    ...key_auths.map(([key, weight]) => ({ member: key, weight, spoke: keysOn(proposal).includes(key) })),
    ...account_auths.map(([member, weight]) => {
      const alone = { weight_threshold: 1, key_auths: [], account_auths: [[member, 1]] as const };
      return { member, weight, spoke: check().holds(alone) };
    }),
  ];
  return [
    {
      account: id,
      authority,
      weight: members.reduce((sum, one) => (one.spoke ? sum + one.weight : sum), 0),
      threshold,
      members: members.filter((one) => !one.spoke).map(({ member }) => member),
    },
  ];
}
