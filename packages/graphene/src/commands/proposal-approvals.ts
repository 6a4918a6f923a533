/**
 * What a wallet has to say to a proposal on the chain: by which keys or accounts it approves, what it has approved,
 * and who of its accounts pays for that.
 * @module
 */
import { CountersignError } from '@countersign/core';
import type { ChainAccount, ChainProposal } from '../chain-client.ts';
import { accountsBelow, speaksFor } from '../chain-facts.ts';
import { keysToAdd, requiredBy } from '../proposal-standing.ts';
import type { ApprovalChange } from '../wallet/proposals.ts';
import type { Wallet } from './context.ts';

/**
 * By the keys of the account itself where another pays, so that its providers see whose wish it is; by the account
 * where it pays, or is only a member of the one that is needed.
 * @returns undefined where nothing of this wallet's counts any more
 */
export async function approvalsOf(
  wallet: Wallet,
  proposal: ChainProposal,
  { id: payer }: ChainAccount,
): Promise<ApprovalChange | undefined> {
  const own = await ownKeys(wallet);
  const { required_active_approvals: active, available_active_approvals: approved } = proposal;
  if (active.includes(payer) && !approved.includes(payer)) {
    // What its keys approved before has no part any more once the account itself has.
    const removeKeys = proposal.available_key_approvals.filter((key) => own.get(key)?.includes(payer));
    return { addActive: [payer], removeKeys };
  }
  const required = requiredBy(proposal);
  const keys = keysToAdd(proposal, [...own.keys()], await accountsBelow(wallet.client, required));
  if (keys.length === 0) return undefined;
  const isOfRequired = (key: string) => own.get(key)!.some((id) => required.includes(id));
  const members = keys.filter((key) => !isOfRequired(key)).map((key) => own.get(key)![0]!);
  return { addKeys: keys.filter(isOfRequired), addActive: [...new Set(members)] };
}

/** What this wallet has approved of a proposal. */
export async function approvedHere(wallet: Wallet, proposal: ChainProposal) {
  const ids = (await ownAccounts(wallet)).map(({ id }) => id);
  const keys = await ownKeys(wallet);
  return {
    removeKeys: proposal.available_key_approvals.filter((key) => keys.has(key)),
    removeActive: proposal.available_active_approvals.filter((id) => ids.includes(id)),
    removeOwner: proposal.available_owner_approvals.filter((id) => ids.includes(id)),
  };
}

/**
 * Who pays: the account that is named; else one of this wallet's that its keys alone speak for, so that nobody else
 * is asked for the fee; else one for which its providers are asked.
 * @param rather ids of accounts that are taken first
 * @param only whether no others are taken
 */
export async function payerOf(
  wallet: Wallet,
  named: string | undefined,
  rather: readonly string[],
  only = false,
): Promise<ChainAccount> {
  const { client } = wallet;
  if (named !== undefined) return client.account(named);
  const keys = [...(await ownKeys(wallet)).keys()];
  const mine = (await ownAccounts(wallet)).filter(({ id }) => !only || rather.includes(id));
  const inOrder = [
    ...mine.filter(({ id }) => rather.includes(id)),
    ...mine.filter(({ id }) => !rather.includes(id)),
  ];
  const accounts = await accountsBelow(
    client,
    inOrder.map(({ id }) => id),
  );
  const payer = inOrder.find(({ id }) => speaksFor(keys, id, accounts)) ?? inOrder[0];
  if (payer !== undefined) return payer;
  throw new CountersignError('cosign-not-enrolled', 'there is no key in this wallet', {
    hint: '`countersign cosign key add` keeps one',
  });
}

/** Accounts of the chain that there are keys of in this wallet. */
export async function ownAccounts({ client, vault }: Wallet): Promise<ChainAccount[]> {
  return (await client.accountsThatAre(vault.accounts())).filter((one) => one !== null);
}

/** Keys of this wallet that the chain knows, with the ids of the accounts that they are of. */
async function ownKeys(wallet: Wallet): Promise<Map<string, string[]>> {
  const keys = new Map<string, string[]>();
  for (const { id, name, active, owner } of await ownAccounts(wallet)) {
    for (const key of wallet.vault.publicKeys(name)) {
      if (![...active.key_auths, ...owner.key_auths].some(([one]) => one === key)) continue;
      keys.set(key, [...(keys.get(key) ?? []), id]);
    }
  }
  return keys;
}
