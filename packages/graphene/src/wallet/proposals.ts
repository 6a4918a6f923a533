/**
 * The wallet's side of proposals: operations that put one on the chain, approve it, take an approval back, veto it;
 * and finding one again.
 * @module
 */
import { CountersignError } from '@countersign/core';
import { NO_FEE } from '../build-transaction.ts';
import type { ChainClient, ChainProposal } from '../chain-client.ts';
import { proposedIn } from '../proposal-standing.ts';
import { type OperationJson, requiredAuthorities } from '../required-authorities.ts';
import { sameJson } from '../same-json.ts';
import { operationToJson, parseOperation } from '../transaction.ts';

/** Whose approvals change. Accounts by their ids, keys in the chain's text. */
export interface ApprovalChange {
  readonly addKeys?: readonly string[];
  readonly removeKeys?: readonly string[];
  readonly addActive?: readonly string[];
  readonly removeActive?: readonly string[];
  readonly removeOwner?: readonly string[];
}

/**
 * @param payer id of the account that pays and stands as the proposer
 * @param operations their fees are filled in with the transaction
 * @param expires in seconds since 1970
 */
export function createProposal(
  payer: string,
  operations: readonly OperationJson[],
  expires: number,
): OperationJson {
  return [
    22,
    {
      fee: NO_FEE,
      fee_paying_account: payer,
      expiration_time: new Date(expires * 1000).toISOString().slice(0, 19),
      proposed_ops: operations.map(([kind, fields]) => ({ op: [kind, { ...fields, fee: NO_FEE }] })),
      extensions: [],
    },
  ];
}

export function changeApprovals(payer: string, proposal: string, change: ApprovalChange): OperationJson {
  const { addKeys = [], removeKeys = [], addActive = [], removeActive = [], removeOwner = [] } = change;
  return [
    23,
    {
      fee: NO_FEE,
      fee_paying_account: payer,
      proposal,
      active_approvals_to_add: addActive,
      active_approvals_to_remove: removeActive,
      owner_approvals_to_add: [],
      owner_approvals_to_remove: removeOwner,
      key_approvals_to_add: addKeys,
      key_approvals_to_remove: removeKeys,
      extensions: [],
    },
  ];
}

/** A veto: it may be by any account that the proposal needs. @param asOwner where it needs it as owner alone */
export function deleteProposal(account: string, proposal: string, asOwner: boolean): OperationJson {
  return [
    24,
    { fee: NO_FEE, fee_paying_account: account, using_owner_authority: asOwner, proposal, extensions: [] },
  ];
}

/** A proposal as the chain has it. @throws `cosign-unknown` where there is none, or none any more */
export async function proposalNamed(client: ChainClient, id: string): Promise<ChainProposal> {
  if (!/^1\.10\.\d{1,15}$/.test(id)) {
    throw new CountersignError('usage', `“${id}” is no id of a proposal`, { hint: 'like 1.10.5' });
  }
  const [found] = await client.proposalsById([id]);
  if (found != null) return found;
  throw new CountersignError(
    'cosign-unknown',
    `there is no proposal ${id}: it was never there, or was executed, was vetoed or has expired`,
  );
}

/**
 * The proposal that an operation has just made, the newest where several are alike.
 * @returns undefined where it is gone already
 */
export async function proposalMadeBy(
  client: ChainClient,
  [, fields]: OperationJson,
): Promise<ChainProposal | undefined> {
  const chain = await client.chain();
  const { fee_paying_account, expiration_time, proposed_ops } = fields as {
    fee_paying_account: string;
    expiration_time: string;
    proposed_ops: readonly { op: OperationJson }[];
  };
  const proposed = proposed_ops.map(({ op }) => op);
  const { active, owner } = requiredAuthorities(proposed);
  const [account] = [...active, ...owner];
  if (account === undefined) return undefined;
  // Both read and written anew, since a node may write what it was sent in another way.
  const plain = (operations: readonly OperationJson[]) =>
    operations.map((one) => operationToJson(parseOperation(one, chain)));
  const serial = ({ id }: ChainProposal) => Number(id.slice(id.lastIndexOf('.') + 1));
  return (await client.proposals(account))
    .filter(
      (one) =>
        one.expiration_time === expiration_time &&
        (one.proposer ?? fee_paying_account) === fee_paying_account &&
        sameJson(plain(proposedIn(one)), plain(proposed)),
    )
    .sort((a, b) => serial(b) - serial(a))[0];
}
