/**
 * Proposals as `countersign cosign proposal list` shows them: what they do, who has approved, who must still, and
 * when they end.
 * @module
 */
import { CountersignError, makeVisible } from '@countersign/core';
import ms from 'ms';
import type { Snapshot } from '../authority.ts';
import type { ChainAccount, ChainProposal } from '../chain-client.ts';
import { accountsBelow, type ChainFacts, factsOf } from '../chain-facts.ts';
import { type Explained, explainOperations } from '../explain.ts';
import { proposedIn, requiredBy, type Standing, standingOf } from '../proposal-standing.ts';
import type { OperationJson } from '../required-authorities.ts';
import { operationToJson, parseOperation } from '../transaction.ts';
import type { Shell, Wallet } from './context.ts';

/** A proposal in words; accounts by their names. */
export interface ProposalView {
  readonly id: string;
  readonly proposer?: string;
  /** ISO 8601. */
  readonly ends: string;
  readonly left: string;
  readonly state: 'waits' | 'approved' | 'blocked';
  readonly approved_by: readonly string[];
  readonly needs: readonly {
    readonly account: string;
    readonly authority: 'active' | 'owner';
    readonly weight: number;
    readonly threshold: number;
    readonly of: readonly string[];
  }[];
  /** Approvals by keys that have no part in it, so that it is not executed before they are taken back. */
  readonly spare: readonly string[];
  readonly operations: readonly Explained[];
  /** Why its operations are not shown. */
  readonly unshown?: string;
}

/** Seconds since 1970. */
export function endOf({ expiration_time }: ChainProposal): number {
  return Math.floor(Date.parse(`${expiration_time}Z`) / 1000);
}

/** `2026-11-22T10:00:00Z, in 24 hours`. @param now by the chain */
export function endText(end: number, now: number): string {
  const at = `${new Date(end * 1000).toISOString().slice(0, 19)}Z`;
  return `${at}, ${leftText(end, now)}`;
}

function leftText(end: number, now: number): string {
  return end > now ? `in ${ms((end - now) * 1000, { long: true })}` : 'now';
}

/** Proposals that need some accounts, each once, the oldest first. */
export async function proposalsFor(
  { client }: Wallet,
  accounts: readonly ChainAccount[],
): Promise<ChainProposal[]> {
  const found = new Map<string, ChainProposal>();
  for (const { id } of accounts) {
    for (const proposal of await client.proposals(id)) found.set(proposal.id, proposal);
  }
  const serial = (id: string) => Number(id.slice(id.lastIndexOf('.') + 1));
  return [...found.values()].sort((a, b) => serial(a.id) - serial(b.id));
}

export async function viewOf(wallet: Wallet, proposal: ChainProposal, now: number): Promise<ProposalView> {
  const { client } = wallet;
  const snapshot = await accountsBelow(client, [
    ...requiredBy(proposal),
    ...proposal.available_active_approvals,
    ...proposal.available_owner_approvals,
    ...(proposal.proposer === undefined ? [] : [proposal.proposer]),
  ]);
  const named = (id: string) => makeVisible(snapshot.get(id)?.name ?? id);
  const standing = judged(proposal, snapshot);
  const end = endOf(proposal);
  return {
    id: proposal.id,
    ...(proposal.proposer === undefined ? {} : { proposer: named(proposal.proposer) }),
    ends: `${new Date(end * 1000).toISOString().slice(0, 19)}Z`,
    left: leftText(end, now),
    state: standing.state,
    approved_by: [
      ...proposal.available_owner_approvals.map((id) => `${named(id)} as owner`),
      ...proposal.available_active_approvals.map(named),
      ...proposal.available_key_approvals.map((key) => keyText(key, snapshot)),
    ],
    needs: standing.lacking.map(({ account, authority, weight, threshold, members }) => ({
      account: named(account),
      authority,
      weight,
      threshold,
      of: members.map((one) => (snapshot.has(one) ? named(one) : keyText(one, snapshot))),
    })),
    spare: standing.spare.map((key) => keyText(key, snapshot)),
    ...(await explained(wallet, proposal)),
  };
}

/** What nobody here knows of an operation hides none of the other proposals. */
function judged(proposal: ChainProposal, snapshot: Snapshot): Standing {
  try {
    return standingOf(proposal, snapshot);
  } catch (error) {
    if (!(error instanceof CountersignError) || error.code !== 'input-invalid') throw error;
    return { state: 'waits', lacking: [], spare: [] };
  }
}

/** One that cannot be shown hides none of the others. */
async function explained(
  { client }: Wallet,
  proposal: ChainProposal,
): Promise<Pick<ProposalView, 'operations' | 'unshown'>> {
  try {
    const chain = await client.chain();
    const operations = proposedIn(proposal).map((one) => parseOperation(one, chain));
    const json = operations.map((one) => operationToJson(one) as OperationJson);
    return { operations: explainOperations(operations, await factsOf(client, json)) };
  } catch (error) {
    if (!(error instanceof CountersignError) || error.code !== 'transaction-invalid') throw error;
    return { operations: [], unshown: makeVisible(error.message) };
  }
}

/** Whose key it is, as far as that is known. */
function keyText(key: string, accounts: ChainFacts['accounts']): string {
  for (const { name, active, owner } of accounts.values()) {
    if (active.key_auths.some(([one]) => one === key)) return `key ${key} of ${makeVisible(name)}`;
    if (owner.key_auths.some(([one]) => one === key)) return `owner key ${key} of ${makeVisible(name)}`;
  }
  return `key ${makeVisible(key)}`;
}

export function showProposal(shell: Shell, view: ProposalView): void {
  const { id, proposer, ends, left, state, approved_by, needs, spare, operations, unshown } = view;
  shell.print(
    `Proposal ${id}${proposer === undefined ? '' : `, proposed by ${proposer}`}; it ends ${ends}, ${left}`,
  );
  for (const { title, lines } of operations) {
    shell.print(`  ${title}`);
    for (const { name, value } of lines) shell.print(`    ${name.padEnd(14)} ${value}`);
  }
  if (unshown !== undefined)
    shell.print(`  Its operations cannot be shown, so do not approve it: ${unshown}`);
  shell.print(`  ${'Approved by'.padEnd(16)} ${approved_by.join(', ') || 'nobody'}`);
  for (const { account, authority, weight, threshold, of } of needs) {
    const whose = authority === 'owner' ? `${account} as owner` : account;
    shell.print(
      `  ${'Still needed'.padEnd(16)} ${whose}, ${weight} of ${threshold} so far: ${of.join(', ') || 'nobody can'}`,
    );
  }
  if (state === 'blocked')
    shell.print(`  ${'Kept back by'.padEnd(16)} approvals that have no part in it: ${spare.join(', ')}`);
  if (state === 'approved')
    shell.print(`  ${'Approved'.padEnd(16)} and not executed yet; it is tried again when it ends`);
}
