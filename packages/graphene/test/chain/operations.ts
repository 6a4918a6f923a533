/**
 * What operations do on the small chain, and what they cost. Operations that it does not know it refuses.
 * @module
 */
import type { Authority } from '../../src/authority.ts';
import { feePayer, type OperationJson } from '../../src/required-authorities.ts';
import { ChainError, check } from './chain-error.ts';
import { createProposal, deleteProposal, updateProposal } from './proposals.ts';
import {
  type AccountObject,
  accountOf,
  CORE,
  FOREVER,
  move,
  NOTHING_SPECIAL,
  putAccount,
  type State,
} from './state.ts';

const MAX_MEMBERS = 10;
const YEARS_AGO = '1970-01-01T00:00:00';

/** In the smallest unit of the core asset. */
const FEES: Readonly<Record<number, bigint>> = {
  0: 100n,
  5: 500n,
  6: 100n,
  8: 10_000n,
  22: 200n,
  23: 200n,
  24: 100n,
  35: 100n,
};

export function requiredFee([kind]: OperationJson): bigint {
  const fee = FEES[kind];
  check(fee !== undefined, `operation ${kind} is not known to this small chain`);
  return fee;
}

export interface Moment {
  /** Seconds since 1970 of the block that is made. */
  readonly now: number;
}

/** Does one operation. @throws ChainError; the state is of no use then */
export function applyOperation(
  state: State,
  operation: OperationJson,
  moment: Moment,
  free = false,
): string | undefined {
  const [kind, fields] = operation;
  if (!free) payFee(state, operation);
  switch (kind) {
    case 0:
      return transfer(state, fields);
    case 5:
      return createAccount(state, fields);
    case 6:
      return updateAccount(state, fields);
    case 8:
      return upgradeAccount(state, fields);
    case 22:
      return createProposal(state, fields, moment);
    case 23:
      return updateProposal(state, fields, moment);
    case 24:
      return deleteProposal(state, fields);
    case 35:
      accountOf(state, fields.payer);
      return undefined;
    default:
      throw new ChainError('assert_exception', `operation ${kind} is not known to this small chain`);
  }
}

type Fields = OperationJson[1];
interface Amount {
  readonly amount: number | string;
  readonly asset_id: string;
}

function payFee(state: State, operation: OperationJson): void {
  const fee = operation[1].fee as Amount;
  check(fee.asset_id === CORE, 'this small chain takes fees in its core asset only');
  check(BigInt(fee.amount) >= requiredFee(operation), 'Insufficient Fee Paid');
  move(state, feePayer(operation), CORE, -BigInt(fee.amount));
}

function transfer(state: State, fields: Fields): undefined {
  const { from, to, amount } = fields as unknown as { from: string; to: string; amount: Amount };
  check(from !== to, 'from and to are the same account');
  check(BigInt(amount.amount) > 0n, 'amount must be above zero');
  check(state.assets.has(amount.asset_id), `Unable to find Object ${amount.asset_id}`);
  accountOf(state, to);
  move(state, from, amount.asset_id, -BigInt(amount.amount));
  move(state, to, amount.asset_id, BigInt(amount.amount));
}

type Extensions = Readonly<Record<string, unknown>>;

interface NewAccount {
  readonly registrar: string;
  readonly name: string;
  readonly owner: Authority;
  readonly active: Authority;
  readonly options: AccountObject['options'];
  readonly extensions: Extensions;
}

function createAccount(state: State, fields: Fields): string {
  const { registrar, name, owner, active, options, extensions } = fields as unknown as NewAccount;
  check(
    /^[a-z][a-z0-9-]*[a-z0-9](\.[a-z][a-z0-9-]*[a-z0-9])*$/.test(name) && name.length <= 63,
    'not a valid name',
  );
  check(!state.names.has(name), `Account '${name}' already exists.`);
  check(
    accountOf(state, registrar).membership_expiration_date === FOREVER,
    'Only Lifetime members may register an account.',
  );
  checkAuthority(state, owner);
  checkAuthority(state, active);
  const id = `1.2.${state.accounts.size}`;
  putAccount(state, {
    ...{ id, name, registrar, owner, active, options, membership_expiration_date: YEARS_AGO },
    ...NOTHING_SPECIAL,
    ...specialOf(extensions),
  });
  return id;
}

function specialOf(extensions: Extensions = {}): Partial<AccountObject> {
  return Object.fromEntries(Object.entries(extensions).filter(([name]) => name in NOTHING_SPECIAL));
}

function updateAccount(state: State, fields: Fields): undefined {
  const {
    account: id,
    owner,
    active,
    new_options,
    extensions,
  } = fields as {
    account: string;
    owner?: Authority;
    active?: Authority;
    new_options?: AccountObject['options'];
    extensions?: Extensions;
  };
  if (owner !== undefined) checkAuthority(state, owner);
  if (active !== undefined) checkAuthority(state, active);
  const account = accountOf(state, id);
  putAccount(state, {
    ...account,
    owner: owner ?? account.owner,
    active: active ?? account.active,
    options: new_options ?? account.options,
    ...specialOf(extensions),
  });
}

function upgradeAccount(state: State, fields: Fields): undefined {
  const { account_to_upgrade: id, upgrade_to_lifetime_member: forLife } = fields;
  check(forLife === true, 'only membership for life is known to this small chain');
  putAccount(state, { ...accountOf(state, id), membership_expiration_date: FOREVER });
}

function checkAuthority(state: State, authority: Authority): void {
  const { key_auths, account_auths, weight_threshold, address_auths = [] } = authority;
  const members = [...key_auths, ...account_auths];
  check(address_auths.length === 0 && members.length > 0, 'an authority without members, or with addresses');
  check(members.length <= MAX_MEMBERS, 'Maximum authority membership exceeded');
  const total = members.reduce((sum, [, weight]) => sum + weight, 0);
  check(total >= weight_threshold, 'the authority is impossible');
  for (const [id] of account_auths) {
    check(state.accounts.has(id), `Account ${id} specified in authority does not exist`);
  }
}
