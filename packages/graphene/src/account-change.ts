/**
 * Changes of who can speak for an account: requiring a provider besides, and leaving one again.
 * @module
 */
import { CountersignError } from '@countersign/core';
import type { AccountAuthorities, Authority, Snapshot } from './authority.ts';
import { NO_FEE } from './build-transaction.ts';
import type { OperationJson } from './required-authorities.ts';

interface Changeable {
  readonly id: string;
  readonly active: Authority;
}

/**
 * The account_update after which an account does nothing without a provider's account, nor by it alone. What was
 * needed before is needed still.
 */
export function withProvider({ id, active }: Changeable, signer: string): OperationJson {
  if (active.account_auths.some(([account]) => account === signer)) {
    throw new CountersignError('cosign-conflict', 'the account requires this provider already');
  }
  const total = weightOf(active);
  // As heavy as what the others have to spare, so that no choice of them does without it.
  const weight = Math.max(1, total - active.weight_threshold + 1);
  return update(id, {
    ...active,
    weight_threshold: active.weight_threshold + weight,
    account_auths: sorted([...active.account_auths, [signer, weight]]),
  });
}

/**
 * The account_update after which a provider is asked for no more. Where the account needed it, what it needed before is
 * needed again; where it did not, as with one of two, no less than now. Other providers come no nearer to acting alone.
 * @param snapshot with the other accounts of the authority, by which their providers are known; one that is not in it
 *   is taken for a provider’s
 * @throws `cosign-conflict` where the account does not require it, or would be left to providers alone
 */
export function withoutProvider(
  { id, active }: Changeable,
  signer: string,
  snapshot: Snapshot = new Map(),
): OperationJson {
  const member = active.account_auths.find(([account]) => account === signer);
  if (member === undefined)
    throw new CountersignError('cosign-conflict', 'the account does not require this provider');
  const account_auths = active.account_auths.filter(([account]) => account !== signer);
  const rest = { ...active, account_auths };
  const threshold = active.weight_threshold;
  const needed = weightOf(rest) < threshold ? Math.max(1, threshold - member[1]) : threshold;
  const providers = account_auths.filter(([account]) => isProviders(snapshot.get(account)));
  const theirs = weightOf({ ...rest, key_auths: [], account_auths: providers });
  if (theirs > 0 && weightOf(rest) === theirs) {
    throw new CountersignError(
      'cosign-conflict',
      'without it nobody but providers could act for the account',
      {
        hint: 'leave them first, or add a key of your own by your owner key',
      },
    );
  }
  return update(id, { ...rest, weight_threshold: Math.max(needed, theirs + 1) });
}

/** Like `sfactor.alice`, which another account alone owns. */
function isProviders(account: AccountAuthorities | undefined): boolean {
  return account === undefined || account.owner.key_auths.length === 0;
}

function update(account: string, active: Authority): OperationJson {
  return [6, { fee: NO_FEE, account, active: { address_auths: [], ...active }, extensions: {} }];
}

function weightOf({ key_auths, account_auths }: Authority): number {
  return [...key_auths, ...account_auths].reduce((sum, [, weight]) => sum + weight, 0);
}

/** The chain keeps members in order of their numbers. */
function sorted(members: readonly (readonly [string, number])[]): (readonly [string, number])[] {
  const number = (id: string) => Number(id.slice(id.lastIndexOf('.') + 1));
  return [...members].sort(([a], [b]) => number(a) - number(b));
}
