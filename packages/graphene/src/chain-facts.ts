/**
 * What must be known of a chain to judge a transaction and to show it: the accounts that it leads to, their
 * authorities, the assets that it names, and what is in the proposals that it approves. Read once, and agreed between
 * two nodes.
 * @module
 */
import { CountersignError } from '@countersign/core';
import { AuthorityCheck, MAX_DEPTH, type Snapshot } from './authority.ts';
import type { ChainAccount, ChainClient } from './chain-client.ts';
import type { Facts } from './explain-facts.ts';
import type { Operation } from './operations.ts';
import { type OperationJson, requiredAuthorities } from './required-authorities.ts';
import { operationToJson, parseOperation } from './transaction.ts';

export interface ChainFacts extends Facts {
  readonly accounts: ReadonlyMap<string, ChainAccount>;
  readonly proposals: ReadonlyMap<string, readonly Operation[]>;
}

const PROPOSAL_CREATE = 22;
const PROPOSAL_UPDATE = 23;
/** Fees are paid in it, whatever else is named. */
const CORE = '1.3.0';

/**
 * Accounts that operations need the authority of, also those in the proposals that they change, and those further
 * down; accounts and assets that they name.
 * @throws `transaction-invalid` where a proposal that they change is not on the chain, and what the client throws
 */
export async function factsOf(
  client: ChainClient,
  operations: readonly OperationJson[],
): Promise<ChainFacts> {
  const proposals = await proposalsOf(client, operations);
  const all = [...operations, ...operationsIn(proposals)];
  const { active, owner, other } = requiredAuthorities(all);
  const text = JSON.stringify(all);
  const ids = (space: string) =>
    text.match(new RegExp(`"1\\.${space}\\.\\d+"`, 'g'))?.map((id) => id.slice(1, -1)) ?? [];
  const accounts = await accountsBelow(client, [
    ...active,
    ...owner,
    ...other.flatMap((one) => one.account_auths.map(([id]) => id)),
  ]);
  const missing = [...new Set(ids('2'))].filter((id) => !accounts.has(id));
  for (const account of await client.accountsThatAre(missing))
    if (account !== null) accounts.set(account.id, account);
  const assets = await client.assets([...new Set([CORE, ...ids('3')])]);
  return {
    accounts,
    proposals,
    assets: new Map(assets.map((asset) => [asset.id, asset])),
    objects: await votesIn(client, text),
  };
}

/** What is in all of some proposals, in the chain's JSON. */
export function operationsIn(proposals: ChainFacts['proposals']): OperationJson[] {
  return [...proposals.values()].flat().map((one) => operationToJson(one) as OperationJson);
}

/** Names of those whom votes are for. */
async function votesIn(client: ChainClient, text: string): Promise<Map<string, string>> {
  const votes = [...new Set(text.match(/"[0-2]:\d{1,10}"/g)?.map((vote) => vote.slice(1, -1)))];
  const voted = await client.votedFor(votes);
  const ids = [...new Set(voted.filter((one) => one !== null && /^1\.2\.\d+$/.test(one)))] as string[];
  const names = new Map((await client.accounts(ids)).map(({ id, name }) => [id, name]));
  return new Map(
    votes.flatMap((vote, place) => {
      const whom = voted[place];
      return whom == null ? [] : [[vote, names.get(whom) ?? whom] as const];
    }),
  );
}

/** How far proposals may approve one another: further down nobody could still see what is approved. */
const MAX_PROPOSALS = 16;

/** What is in the proposals that operations change, and in those that these change in turn. */
async function proposalsOf(
  client: ChainClient,
  operations: readonly OperationJson[],
): Promise<Map<string, readonly Operation[]>> {
  const chain = await client.chain();
  const all = new Map<string, readonly Operation[]>();
  let wanted = changedProposals(operations);
  while (wanted.length > 0) {
    if (all.size + wanted.length > MAX_PROPOSALS) {
      throw new CountersignError('transaction-invalid', `it changes more than ${MAX_PROPOSALS} proposals`);
    }
    const found = await client.proposalsById(wanted);
    for (const [place, proposal] of found.entries()) {
      if (proposal === null)
        throw new CountersignError('transaction-invalid', `there is no proposal ${wanted[place]}`);
      const { operations: inside } = proposal.proposed_transaction;
      all.set(
        proposal.id,
        inside.map((operation) => parseOperation(operation, chain)),
      );
    }
    const inside = wanted.flatMap((id) => all.get(id) ?? []);
    wanted = changedProposals(inside.map((one) => operationToJson(one) as OperationJson));
    // Each in one place: in a circle there would be no end to what is shown.
    if (wanted.some((id) => all.has(id))) {
      throw new CountersignError('transaction-invalid', 'it changes proposals that change one another');
    }
  }
  return all;
}

/** Also those that operations would change which are only proposed. */
function changedProposals(operations: readonly OperationJson[]): string[] {
  const ids = operations.flatMap(([kind, fields]) => {
    if (kind === PROPOSAL_UPDATE) return [String(fields.proposal)];
    if (kind !== PROPOSAL_CREATE) return [];
    return changedProposals((fields.proposed_ops as { op: OperationJson }[]).map(({ op }) => op));
  });
  return [...new Set(ids)];
}

/** Some accounts, and the members of their authorities as deep as the chain looks. */
export async function accountsBelow(
  client: ChainClient,
  ids: readonly string[],
): Promise<Map<string, ChainAccount>> {
  const found = new Map<string, ChainAccount>();
  let wanted = [...new Set(ids)];
  for (let depth = 0; depth <= MAX_DEPTH && wanted.length > 0; depth++) {
    const read = (await client.accountsThatAre(wanted)).filter((one) => one !== null);
    for (const account of read) found.set(account.id, account);
    const members = read.flatMap(({ active, owner }) => [...active.account_auths, ...owner.account_auths]);
    wanted = [...new Set(members.map(([id]) => id))].filter((id) => !found.has(id));
  }
  return found;
}

/** Whether some keys alone can speak for an account. */
export function speaksFor(keys: readonly string[], account: string, accounts: Snapshot): boolean {
  return new AuthorityCheck(accounts, (key) => keys.includes(key)).active(account);
}

/** Whether some keys alone are an account's owner. */
export function ownerSpeaks(keys: readonly string[], account: string, accounts: Snapshot): boolean {
  return new AuthorityCheck(accounts, (key) => keys.includes(key)).owner(account);
}
