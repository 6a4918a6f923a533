/**
 * Operations on accounts, and the plain transfer between them.
 * @module
 */
import { optional, struct } from './codec.ts';
import {
  accountCreateExtensions,
  accountOptions,
  accountUpdateExtensions,
  asset,
  authority,
  ids,
  memo,
} from './field-groups.ts';
import { bool, noExtensions, text, uint8, uint16 } from './field-types.ts';

export const transfer = struct({
  fee: asset,
  from: ids.account,
  to: ids.account,
  amount: asset,
  memo,
  extensions: noExtensions,
});

export const override_transfer = struct({
  fee: asset,
  issuer: ids.account,
  from: ids.account,
  to: ids.account,
  amount: asset,
  memo,
  extensions: noExtensions,
});

export const account_create = struct({
  fee: asset,
  registrar: ids.account,
  referrer: ids.account,
  referrer_percent: uint16,
  name: text,
  owner: authority,
  active: authority,
  options: accountOptions,
  extensions: accountCreateExtensions,
});

export const account_update = struct({
  fee: asset,
  account: ids.account,
  owner: optional(authority),
  active: optional(authority),
  new_options: optional(accountOptions),
  extensions: accountUpdateExtensions,
});

export const account_whitelist = struct({
  fee: asset,
  authorizing_account: ids.account,
  account_to_list: ids.account,
  new_listing: uint8,
  extensions: noExtensions,
});

export const account_upgrade = struct({
  fee: asset,
  account_to_upgrade: ids.account,
  upgrade_to_lifetime_member: bool,
  extensions: noExtensions,
});

export const account_transfer = struct({
  fee: asset,
  account_id: ids.account,
  new_owner: ids.account,
  extensions: noExtensions,
});
