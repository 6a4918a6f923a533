/**
 * Asking the person and the approvers about a transaction on their devices, and what comes of it.
 * @module
 */
import { CountersignError } from '@countersign/core';
import type { ProviderContext } from './context.ts';
import type { Shown } from './question.ts';

/** Hashes of the questions that were asked about one transaction, for one account. */
export interface Requests {
  readonly person: string;
  readonly approvers: readonly string[];
  /** Accounts of the approvers. */
  readonly accounts: readonly string[];
  /** How many of the approvers must agree. */
  readonly needed: number;
  /** Those that were accepted, the person's first, once they are enough. */
  readonly accepted?: readonly string[];
}

/** Whose word a policy asks for beside the person's. */
export interface Quorum {
  readonly approvers: readonly string[];
  readonly needed: number;
}

export type Answer =
  | { readonly state: 'accepted'; readonly hashes: readonly string[] }
  | { readonly state: 'rejected' | 'expired'; readonly reason: string };

/** Asks all of them at once; where one cannot be asked, none is. @throws `account-changed`, and what asking throws */
export async function askAll(
  { enquirer }: ProviderContext,
  person: { readonly countersign: string; readonly identity: string },
  { parts, fields }: Shown,
  { approvers, needed }: Quorum,
  lifetime: number,
): Promise<Requests> {
  const hashes: string[] = [];
  try {
    for (const account of [person.countersign, ...approvers]) {
      const asked = await enquirer.ask({ account, kind: 'payment', text: parts, fields, lifetime });
      hashes.push(asked.hash);
      if (account === person.countersign && asked.account.identity !== person.identity) {
        throw new CountersignError('account-changed', `${account} is not the account that was registered`);
      }
    }
  } catch (error) {
    for (const hash of hashes) await enquirer.cancel(hash).catch(() => {});
    throw error;
  }
  const [first, ...others] = hashes;
  return { person: first!, approvers: others, accounts: approvers, needed };
}

/** Takes questions back, from whoever has not answered. */
export async function withdraw(
  { enquirer }: ProviderContext,
  { person, approvers }: Requests,
): Promise<void> {
  for (const hash of [person, ...approvers]) await enquirer.cancel(hash).catch(() => {});
}

/** What the person and, where they must, enough of the approvers say. */
export async function awaitAll(context: ProviderContext, requests: Requests): Promise<Answer> {
  const { enquirer, stopping } = context;
  const { outcome } = await enquirer.wait(requests.person, stopping);
  if (outcome !== 'accepted') {
    const late = outcome === 'expired' || outcome === 'pending';
    return { state: late ? 'expired' : 'rejected', reason: outcome };
  }
  const approved = await quorum(context, requests);
  if (approved === undefined) return { state: 'rejected', reason: 'too few of the approvers agreed' };
  return { state: 'accepted', hashes: [requests.person, ...approved] };
}

/** Those who approved, as soon as they are enough; undefined where they cannot be any more. */
async function quorum(
  { enquirer, logger, stopping }: ProviderContext,
  { approvers, needed }: Requests,
): Promise<string[] | undefined> {
  if (needed === 0) return [];
  const approved: string[] = [];
  let left = approvers.length;
  const { promise, resolve, reject } = Promise.withResolvers<boolean>();
  for (const hash of approvers) {
    enquirer
      .wait(hash, stopping)
      .then(({ outcome }) => outcome === 'accepted' && approved.push(hash))
      .catch((err: unknown) => logger.warn({ err }, 'an approver’s answer is not good'))
      .finally(() => {
        // Stopped is neither yes nor no: it is waited for again.
        if (stopping.aborted) return reject(stopping.reason);
        left--;
        if (approved.length >= needed) resolve(true);
        else if (left + approved.length < needed) resolve(false);
      });
  }
  return (await promise) ? approved : undefined;
}
