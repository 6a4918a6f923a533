/**
 * Custom authorities: others than owner and active, for one kind of operation, within restrictions.
 * @module
 */
import { type Codec, list, nested, optional, pair, set, struct, variant } from './codec.ts';
import { asset, authority, ids } from './field-groups.ts';
import {
  bool,
  bytes,
  int64,
  noExtensions,
  nothing,
  publicKey,
  text,
  time,
  uint16,
  varint,
} from './field-types.ts';

/** A field of the operation, by its place; what it is held against; and how. */
export interface Restriction {
  readonly member_index: number;
  readonly restriction_type: number;
  readonly argument: { readonly name: string; readonly value: unknown };
  readonly extensions: readonly [];
}

const restrictions: Codec<readonly Restriction[]> = list(nested<Restriction>(() => restriction));

/** What a field can be held against. */
export const restrictionArguments = {
  void: nothing,
  bool,
  int64,
  string: text,
  time,
  public_key: publicKey,
  sha256: bytes(32),
  account: ids.account,
  asset: ids.asset,
  force_settlement: ids.forceSettlement,
  committee_member: ids.committeeMember,
  witness: ids.witness,
  limit_order: ids.limitOrder,
  call_order: ids.callOrder,
  custom: ids.custom,
  proposal: ids.proposal,
  withdraw_permission: ids.withdrawPermission,
  vesting_balance: ids.vestingBalance,
  worker: ids.worker,
  balance: ids.balance,
  bools: set(bool),
  int64s: set(int64),
  strings: set(text),
  times: set(time),
  public_keys: set(publicKey),
  sha256s: set(bytes(32)),
  accounts: set(ids.account),
  assets: set(ids.asset),
  force_settlements: set(ids.forceSettlement),
  committee_members: set(ids.committeeMember),
  witnesses: set(ids.witness),
  limit_orders: set(ids.limitOrder),
  call_orders: set(ids.callOrder),
  customs: set(ids.custom),
  proposals: set(ids.proposal),
  withdraw_permissions: set(ids.withdrawPermission),
  vesting_balances: set(ids.vestingBalance),
  workers: set(ids.worker),
  balances: set(ids.balance),
  restrictions,
  alternatives: list(restrictions),
  variant_assert: pair(int64, restrictions),
};

const restriction: Codec<Restriction> = struct({
  member_index: varint,
  restriction_type: varint,
  argument: variant(restrictionArguments),
  extensions: noExtensions,
});

export const custom_authority_create = struct({
  fee: asset,
  account: ids.account,
  enabled: bool,
  valid_from: time,
  valid_to: time,
  operation_type: varint,
  auth: authority,
  restrictions,
  extensions: noExtensions,
});

export const custom_authority_update = struct({
  fee: asset,
  account: ids.account,
  authority_to_update: ids.customAuthority,
  new_enabled: optional(bool),
  new_valid_from: optional(time),
  new_valid_to: optional(time),
  new_auth: optional(authority),
  restrictions_to_remove: set(uint16),
  restrictions_to_add: restrictions,
  extensions: noExtensions,
});

export const custom_authority_delete = struct({
  fee: asset,
  account: ids.account,
  authority_to_delete: ids.customAuthority,
  extensions: noExtensions,
});
