/**
 * What a transaction or a proposal takes from an account that is served here. The provider's signature makes the
 * account speak wherever it is asked: also where that is for somebody else, and no limit counts it.
 * @module
 */
import { type Authority, AuthorityCheck, membersWithin } from '../authority.ts';
import type { ChainAccount } from '../chain-client.ts';
import type { ChainFacts } from '../chain-facts.ts';
import { approvedBy, weigh } from '../outflows.ts';
import type { Weighed } from '../policy.ts';
import { type OperationJson, requiredAuthorities } from '../required-authorities.ts';
import type { User } from './asked-for.ts';
import type { ProviderContext } from './context.ts';

/**
 * @param together names of the accounts whose own policies and people must say yes as well before any signature is
 *   made; none in a proposal, which each approves by itself
 */
export function weighFor(
  { store }: ProviderContext,
  operations: readonly OperationJson[],
  facts: ChainFacts,
  user: User,
  together: readonly string[],
): Weighed {
  const weighed = weigh(operations, user.account_id, facts.proposals, user.signer_id);
  const own = user.account_id;
  const asked = together.flatMap((account) => store.one('users', { account })?.account_id ?? []);
  const approved = approvedBy(operations, facts.proposals);
  const elsewhere =
    hasPartBeside(operations, [own, ...asked], facts, user) || hasPartBeside(approved, [own], facts, user);
  return { ...weighed, opaque: weighed.opaque || elsewhere };
}

/** Whether somebody's account, or the one that signs for it, could have a part in what is needed beside some accounts. */
function hasPartBeside(
  operations: readonly OperationJson[],
  but: readonly string[],
  { accounts }: ChainFacts,
  { account_id, signer_id }: User,
): boolean {
  const { active, owner, other } = requiredAuthorities(operations);
  const others = [...active, ...owner].filter((id) => !but.includes(id));
  const asked = [...other, ...others.flatMap((id) => authoritiesOf(accounts.get(id)))];
  const keys = new Set(accounts.get(signer_id)?.active.key_auths.map(([key]) => key));
  let counts = false;
  // Nobody signs, so that every path is walked to its end.
  const check = new AuthorityCheck(accounts, (key) => {
    counts ||= keys.has(key);
    return false;
  });
  return asked.some((authority) => {
    const members = membersWithin(authority, accounts);
    check.holds(authority);
    return counts || members.has(account_id) || members.has(signer_id);
  });
}

function authoritiesOf(account: ChainAccount | undefined): Authority[] {
  return account === undefined ? [] : [account.active, account.owner];
}
