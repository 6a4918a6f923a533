/**
 * What a transaction takes from an account, as far as it can be told from its operations.
 * @module
 */
import { CountersignError } from '@countersign/core';
import type { Authority } from './authority.ts';
import type { Operation } from './operations.ts';
import type { Outflow, Weighed } from './policy.ts';
import { changesOwner, feePayer, type OperationJson } from './required-authorities.ts';
import { operationToJson } from './transaction.ts';

interface Amount {
  readonly amount: number | string;
  readonly asset_id: string;
}

/** Operations that move nothing of worth but their fee. */
const HARMLESS: ReadonlySet<number> = new Set([2, 5, 6, 7, 8, 22, 23, 24, 35]);

const ACCOUNT_UPDATE = 6;
const PROPOSAL_CREATE = 22;
const PROPOSAL_UPDATE = 23;

/**
 * Fees count too.
 * @param proposals what is in the proposals that are approved, and in those that these approve: it counts as if it
 *   were done now
 * @param signer the account by which the provider signs for this one
 * @throws `transaction-invalid` where an amount or a fee of the account's is below 0
 */
export function weigh(
  operations: readonly OperationJson[],
  account: string,
  proposals: ReadonlyMap<string, readonly Operation[]> = new Map(),
  signer?: string,
): Weighed {
  const outflows: Outflow[] = [];
  let opaque = false;
  const all = [...operations, ...approvedBy(operations, proposals)];
  for (const operation of all) {
    const [kind, fields] = operation;
    if (feePayer(operation) === account) outflows.push({ ...outflow(fields.fee), fee: true });
    if (kind === 0) {
      if (fields.from === account) outflows.push(outflow(fields.amount, String(fields.to)));
    } else if (kind === 1) {
      if (fields.seller === account) outflows.push(outflow(fields.amount_to_sell));
    } else if (!HARMLESS.has(kind) && feePayer(operation) === account) {
      opaque = true;
    } else if (kind === ACCOUNT_UPDATE && fields.account === account && shedsSigner(fields, signer)) {
      opaque = true;
    }
  }
  return {
    outflows,
    opaque,
    // Also where it is only proposed: nobody is to be shown it as one line of something else.
    changesOwner: [...all, ...proposedBy(all)].some((one) => changesOwner(one) && one[1].account === account),
  };
}

/** What approved proposals do, and the proposals that they approve in turn; each proposal once. */
export function approvedBy(
  operations: readonly OperationJson[],
  proposals: ReadonlyMap<string, readonly Operation[]>,
): OperationJson[] {
  const found = new Map<string, readonly OperationJson[]>();
  const visit = (some: readonly OperationJson[]) => {
    for (const [kind, { proposal }] of some) {
      const id = String(proposal);
      if (kind !== PROPOSAL_UPDATE || found.has(id)) continue;
      const inside = (proposals.get(id) ?? []).map((one) => operationToJson(one) as OperationJson);
      found.set(id, inside);
      visit(inside);
    }
  };
  visit(operations);
  return [...found.values()].flat();
}

/** Operations that are proposed, and those that these would propose. */
function proposedBy(operations: readonly OperationJson[]): OperationJson[] {
  return operations.flatMap(([kind, fields]) => {
    if (kind !== PROPOSAL_CREATE) return [];
    const inside = (fields.proposed_ops as { op: OperationJson }[]).map(({ op }) => op);
    return [...inside, ...proposedBy(inside)];
  });
}

/** Whether the active authority could speak afterwards without the provider: then no limit would hold any more. */
function shedsSigner({ active, extensions }: OperationJson[1], signer: string | undefined): boolean {
  const { active_special_authority: special } = (extensions ?? {}) as { active_special_authority?: unknown };
  if (special !== undefined) return true;
  if (active === undefined) return false;
  const { weight_threshold, account_auths, key_auths, address_auths = [] } = active as Authority;
  const others = [...account_auths, ...key_auths, ...address_auths].filter(([member]) => member !== signer);
  return others.reduce((sum, [, weight]) => sum + weight, 0) >= weight_threshold;
}

/** The chain refuses an amount below 0, but only later: until then it would make room for others under a limit. */
function outflow(value: unknown, payee?: string): Outflow {
  const { amount: given, asset_id: asset } = value as Amount;
  const amount = BigInt(given);
  if (amount < 0n) throw new CountersignError('transaction-invalid', 'an amount or a fee is below 0');
  return { asset, amount, ...(payee === undefined ? {} : { payee }) };
}
