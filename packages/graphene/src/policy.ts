/**
 * What a person lets be signed for their account, as data: limits, payees, pace, approvers. Pure: what was spent
 * before is given, and a verdict says by which rule it is.
 * @module
 */
import { AccountName } from '@countersign/core';
import * as v from 'valibot';
import type { Facts } from './explain-facts.ts';
import { Wording } from './explain-values.ts';

const Whole = v.pipe(v.string(), v.regex(/^\d{1,19}$/));
const AssetId = v.pipe(v.string(), v.regex(/^1\.3\.\d{1,10}$/));
const AccountId = v.pipe(v.string(), v.regex(/^1\.2\.\d{1,10}$/));

export const Policy = v.strictObject({
  limits: v.optional(
    v.pipe(
      v.array(
        v.strictObject({
          asset: AssetId,
          /** In the asset's smallest unit. */
          amount: v.pipe(Whole, v.description('In the asset’s smallest unit, as the chain counts it')),
          per: v.picklist(['transaction', 'day']),
          payee: v.optional(v.pipe(AccountId, v.description('The limit of one payee; else of all together'))),
        }),
      ),
      v.maxLength(64),
    ),
    [],
  ),
  payees: v.optional(
    v.pipe(v.array(AccountId), v.maxLength(256), v.description('Whom money may go to; anybody, if absent')),
  ),
  velocity: v.optional(
    v.strictObject({
      transactions: v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(10_000)),
      seconds: v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(30 * 86_400)),
    }),
  ),
  approvers: v.optional(
    v.pipe(
      v.strictObject({
        accounts: v.pipe(v.array(AccountName), v.minLength(1), v.maxLength(16)),
        needed: v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(16)),
        /** Not asked where a transaction moves no more than this of each asset. */
        above: v.optional(
          v.pipe(
            v.array(v.strictObject({ asset: AssetId, amount: Whole })),
            v.maxLength(64),
            v.check(
              (all) => new Set(all.map(({ asset }) => asset)).size === all.length,
              'an asset that stands twice',
            ),
          ),
          [],
        ),
      }),
      v.check(
        ({ accounts, needed }) => new Set(accounts).size === accounts.length && needed <= accounts.length,
      ),
    ),
  ),
  owner_changes: v.optional(v.boolean(), false),
});
export type Policy = v.InferOutput<typeof Policy>;

/** Nothing but what always holds: the person confirms, and the owner stays. */
export const OPEN_POLICY: Policy = { limits: [], owner_changes: false };

export interface VersionedPolicy {
  /** Counted from 1. */
  readonly version: number;
  readonly policy: Policy;
}

/** What a transaction takes from the account. */
export interface Outflow {
  readonly asset: string;
  readonly amount: bigint;
  /** Absent where it goes to nobody in particular, say into a market. */
  readonly payee?: string;
  /** It goes to the chain. Whoever makes a transaction sets it, and could burn an account's money by it. */
  readonly fee?: true;
}

/** A transaction as a policy sees it. */
export interface Weighed {
  readonly outflows: readonly Outflow[];
  readonly changesOwner: boolean;
  /** It may move value in a way that is not among `outflows`. */
  readonly opaque: boolean;
}

/** What was signed before, or is being asked about now. */
export interface Before extends Pick<Weighed, 'outflows'> {
  /** Seconds since 1970. */
  readonly at: number;
}

export type PolicyRule = 'limit' | 'payee' | 'velocity' | 'owner-change' | 'not-covered';

export type PolicyVerdict =
  | { readonly allowed: true; readonly approvers: readonly string[]; readonly needed: number }
  | {
      readonly allowed: false;
      readonly rule: PolicyRule;
      readonly version: number;
      /** A sentence of what was refused and what the policy says. */
      readonly message: string;
    };

const DAY = 86_400;

/** @param facts names for the sentence of a refusal; an id stands for what is not in it */
export function judgePolicy(
  { version, policy }: VersionedPolicy,
  transaction: Weighed,
  before: readonly Before[],
  now: number,
  facts: Facts = { accounts: new Map(), assets: new Map() },
): PolicyVerdict {
  const say = new Wording(facts);
  const account = (id: string) => (facts.accounts.has(id) ? say.account(id) : id);
  const units = (amount: bigint, asset: string) =>
    facts.assets.has(asset) ? say.units(amount, asset) : `${amount} of ${asset}`;
  const refuse = (rule: PolicyRule, message: string): PolicyVerdict => ({
    allowed: false,
    rule,
    version,
    message: `${message} (version ${version} of the policy)`,
  });
  const { limits, payees, velocity, approvers } = policy;
  if (transaction.changesOwner && !policy.owner_changes) {
    return refuse('owner-change', 'it changes who owns the account, which the policy does not let be signed');
  }
  if (transaction.opaque && (limits.length > 0 || payees !== undefined)) {
    return refuse('not-covered', 'it has an operation that limits and payees cannot be held against');
  }
  for (const { payee, fee } of transaction.outflows) {
    if (fee || payees === undefined || (payee !== undefined && payees.includes(payee))) continue;
    return refuse(
      'payee',
      `${payee === undefined ? 'a market' : account(payee)} is not among those whom money may go to`,
    );
  }
  for (const { asset, amount, per, payee } of limits) {
    const counted = ({ outflows }: Pick<Before, 'outflows'>) =>
      totalOf(outflows.filter((one) => one.asset === asset && (payee === undefined || one.payee === payee)));
    const own = counted(transaction);
    if (own === 0n) continue;
    const sameDay = per === 'day' ? before.filter(({ at }) => at > now - DAY) : [];
    const total = sameDay.reduce((sum, one) => sum + counted(one), own);
    if (total <= BigInt(amount)) continue;
    const whom = payee === undefined ? '' : ` to ${account(payee)}`;
    const most = units(BigInt(amount), asset);
    return refuse(
      'limit',
      per === 'day'
        ? `with it ${units(total, asset)}${whom} would be spent within a day, and ${most} may be`
        : `it spends ${units(total, asset)}${whom}, and one transaction may spend ${most}`,
    );
  }
  if (velocity !== undefined) {
    const recent = before.filter(({ at }) => at > now - velocity.seconds).length;
    if (recent >= velocity.transactions) {
      return refuse(
        'velocity',
        `${velocity.transactions} transactions in ${velocity.seconds} s are as many as may be`,
      );
    }
  }
  if (approvers === undefined || isSmall(transaction, approvers.above)) {
    return { allowed: true, approvers: [], needed: 0 };
  }
  return { allowed: true, approvers: approvers.accounts, needed: approvers.needed };
}

/** What is below 0 makes up for nothing. */
function totalOf(outflows: readonly Outflow[]): bigint {
  return outflows.reduce((sum, { amount }) => (amount > 0n ? sum + amount : sum), 0n);
}

function isSmall(
  { outflows, opaque, changesOwner }: Weighed,
  above: readonly { asset: string; amount: string }[],
): boolean {
  if (opaque || changesOwner || above.length === 0) return false;
  const assets = new Set(outflows.map(({ asset }) => asset));
  return [...assets].every((asset) => {
    const total = totalOf(outflows.filter((one) => one.asset === asset));
    const bound = above.find((one) => one.asset === asset);
    return bound !== undefined && total <= BigInt(bound.amount);
  });
}

/** How long a change that lets more be signed waits, in seconds. */
export const RAISE_WAIT = DAY;

/** Whether a policy lets something be signed that another one does not: such a change waits, and is told. */
export function raises(before: Policy, after: Policy): boolean {
  const keptLimits = before.limits.every((old) =>
    after.limits.some(
      (one) =>
        one.asset === old.asset &&
        (one.payee === undefined || one.payee === old.payee) &&
        (one.per === old.per || one.per === 'day') &&
        BigInt(one.amount) <= BigInt(old.amount),
    ),
  );
  const keptPayees =
    before.payees === undefined || (after.payees?.every((one) => before.payees!.includes(one)) ?? false);
  const [pace, newPace] = [before.velocity, after.velocity];
  const keptPace =
    pace === undefined ||
    (newPace !== undefined && newPace.transactions <= pace.transactions && newPace.seconds >= pace.seconds);
  return (
    !keptLimits ||
    !keptPayees ||
    !keptPace ||
    !keepsApprovers(before.approvers, after.approvers) ||
    (after.owner_changes && !before.owner_changes)
  );
}

function keepsApprovers(before: Policy['approvers'], after: Policy['approvers']): boolean {
  if (before === undefined) return true;
  if (after === undefined || after.needed < before.needed) return false;
  if (!after.accounts.every((one) => before.accounts.includes(one))) return false;
  if (before.above.length === 0) return after.above.length === 0;
  return after.above.every((one) =>
    before.above.some((old) => old.asset === one.asset && BigInt(one.amount) <= BigInt(old.amount)),
  );
}
