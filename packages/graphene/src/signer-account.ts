/**
 * What an account is by which a provider signs for somebody, `sfactor.alice`: made by the provider, owned by it alone,
 * and moved by one key. Names on the chain are anybody's who comes first; the name alone says nothing.
 * @module
 */
import type { ChainAccount } from './chain-client.ts';

/**
 * Why an account is not one by which a provider signs; undefined where it is.
 * @param provider id of the provider's account
 */
export function signerFlaw(
  { registrar, owner, active, ...account }: ChainAccount,
  provider: string,
): string | undefined {
  if (registrar !== provider) return 'was made by somebody else';
  const [[owned] = []] = owner.account_auths;
  if (owned !== provider || !isOne(owner)) return 'belongs to somebody else';
  if (active.key_auths.length !== 1 || !isOne(active)) return 'is moved by others too';
  const special = [account.owner_special_authority, account.active_special_authority];
  return special.every(([kind]) => kind === NO_SPECIAL) ? undefined : 'has a special authority';
}

/** Whether an authority is one member, key or account, with all the weight. */
function isOne({
  weight_threshold,
  key_auths,
  account_auths,
  address_auths,
}: ChainAccount['owner']): boolean {
  const members = [...key_auths, ...account_auths, ...address_auths];
  return members.length === 1 && members[0]![1] === 1 && weight_threshold === 1;
}

/** Under another kind the chain itself changes the authority, to those who hold most of an asset. */
const NO_SPECIAL = 0;
