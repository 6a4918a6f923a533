/**
 * What must hold of a transaction before anybody is asked: the account's own key has signed it, the provider's
 * signature would count for it, it acts for none of the provider's own accounts, nor by any of its keys, and there is
 * time.
 * @module
 */
import { CountersignError } from '@countersign/core';
import { AuthorityCheck } from '../authority.ts';
import { operationsOf } from '../build-transaction.ts';
import { type ChainFacts, operationsIn } from '../chain-facts.ts';
import { type OperationJson, requiredAuthorities } from '../required-authorities.ts';
import type { SignedTransaction, Transaction } from '../transaction.ts';
import { potentialKeys } from '../transaction-authority.ts';
import type { ProviderContext } from './context.ts';
import type { UserRow } from './store.ts';

/** Somebody whom the provider signs for. */
export type User = UserRow & { signer: string; signer_id: string };

/** A chain takes no transaction that expires later, in seconds. */
const MAX_EXPIRATION = 86_400;
/** What must be left when it is signed, so that it can still reach a block, in seconds. */
export const TIME_TO_SEND = 5;
/** How far the chain's clock and ours may differ, in seconds. */
const CLOCK_SKEW = 60;

/** What a transaction is judged by. */
export interface Asked {
  readonly transaction: SignedTransaction;
  readonly facts: ChainFacts;
  /** The keys that have signed it. */
  readonly signers: readonly string[];
}

/**
 * The account's own key must have signed: nobody else's wish reaches the person's device. Of the chain it reads that
 * account alone, since what else there is to read whoever posts the transaction says.
 * @param signers the keys that have signed it
 * @throws `cosign-unasked`, and what the client throws
 */
export async function checkOwnKey(
  { client }: ProviderContext,
  transaction: Transaction,
  signers: readonly string[],
  user: User,
): Promise<void> {
  if (!requiredIds(transaction).includes(user.account_id)) {
    throw new CountersignError(
      'cosign-unasked',
      `this transaction does not need the authority of ${user.account}`,
    );
  }
  const { active, owner } = await client.account(user.account_id);
  const own = [...active.key_auths, ...owner.key_auths];
  if (own.some(([key]) => signers.includes(key))) return;
  throw new CountersignError('cosign-unasked', `no key of ${user.account} has signed this transaction`, {
    hint: 'sign it first with a key of the account, for the chain that is meant',
  });
}

/**
 * The provider's signature must count for the account, and for nothing of its own.
 * @throws `cosign-unasked`
 */
export function checkAsked(context: ProviderContext, asked: Asked, user: User): void {
  if (needsProvider(context, operationsOf(asked.transaction), asked.facts)) {
    throw new CountersignError('cosign-unasked', 'this transaction acts for the provider’s own accounts');
  }
  if (!waitsFor(context, asked, user)) {
    throw new CountersignError(
      'cosign-unasked',
      `a signature of ${user.signer} would not count for this transaction`,
    );
  }
}

/** Accounts that are served here and that a transaction waits for: they say yes together, or none is signed for. */
export function waitsForAll(context: ProviderContext, asked: Asked): string[] {
  return requiredIds(asked.transaction).flatMap((id) => {
    const user = context.store.one('users', { account_id: id });
    return user?.signer != null && waitsFor(context, asked, user as User) ? [user.account] : [];
  });
}

/** Whether some of these are accounts of the provider, or ones by which it signs for people. */
export function actsForProvider(
  { store, account: provider }: ProviderContext,
  ids: readonly string[],
): boolean {
  return ids.some((id) => id === provider.id || store.one('users', { signer_id: id }) !== undefined);
}

/**
 * Whether operations, or those in the proposals that they change, need an account of the provider's or one by which it
 * signs; or ask for such an account, or a key that is kept here, beside the accounts that they need. A signature that
 * is made for somebody would speak for it as well.
 */
export function needsProvider(
  context: ProviderContext,
  operations: readonly OperationJson[],
  { proposals }: ChainFacts,
): boolean {
  const { active, owner, other } = requiredAuthorities([...operations, ...operationsIn(proposals)]);
  const members = other.flatMap(({ account_auths }) => account_auths.map(([id]) => id));
  const keys = other.flatMap(({ key_auths }) => key_auths.map(([key]) => key));
  return actsForProvider(context, [...active, ...owner, ...members]) || context.vault.holdsAny(keys);
}

/** @throws `transaction-expired`, `transaction-invalid` */
export async function checkTime(context: ProviderContext, { expiration }: Transaction): Promise<void> {
  const now = context.clock.now();
  if (await isLate(context, expiration - TIME_TO_SEND)) {
    throw new CountersignError('transaction-expired', 'the transaction has expired, or does so at once');
  }
  if (expiration > now + MAX_EXPIRATION + CLOCK_SKEW) {
    throw new CountersignError('transaction-invalid', 'the transaction expires later than the chain allows');
  }
}

/** Whether a time is over, by our clock or by the chain's: one that was set back makes nothing young again. */
export async function isLate({ client, clock }: ProviderContext, time: number): Promise<boolean> {
  return time <= Math.max(clock.now(), (await client.head()).time);
}

function requiredIds(transaction: Transaction): readonly string[] {
  const { active, owner } = requiredAuthorities(operationsOf(transaction));
  return [...active, ...owner];
}

/** Whether an account has not spoken by the signatures that are there, and the provider's could make it speak. */
function waitsFor({ vault }: ProviderContext, { transaction, facts, signers }: Asked, user: User): boolean {
  const operations = operationsOf(transaction);
  const signer = facts.accounts.get(user.signer_id);
  const key = vault.holds(user.signer, signer?.active.key_auths.map(([one]) => one) ?? []);
  if (key === undefined || !potentialKeys(operations, facts.accounts).has(key)) return false;
  const there = new AuthorityCheck(facts.accounts, (one) => signers.includes(one));
  return requiredAuthorities(operations).owner.includes(user.account_id)
    ? !there.owner(user.account_id)
    : !there.active(user.account_id);
}
