/**
 * Operations that pay later, on a condition, or to whoever was allowed to take: vesting, withdrawals, hashed
 * time locks, claims; and data and assertions that go along with a transaction.
 * @module
 */
import { extension, list, set, struct, variant } from './codec.ts';
import { asset, ids, memo, memoData } from './field-groups.ts';
import { bytes, noExtensions, nothing, publicKey, text, time, uint16, uint32 } from './field-types.ts';

export const vesting_balance_create = struct({
  fee: asset,
  creator: ids.account,
  owner: ids.account,
  amount: asset,
  policy: variant({
    linear: struct({
      begin_timestamp: time,
      vesting_cliff_seconds: uint32,
      vesting_duration_seconds: uint32,
    }),
    coin_days_destroyed: struct({ start_claim: time, vesting_seconds: uint32 }),
    instant: nothing,
  }),
});

export const vesting_balance_withdraw = struct({
  fee: asset,
  vesting_balance: ids.vestingBalance,
  owner: ids.account,
  amount: asset,
});

export const withdraw_permission_create = struct({
  fee: asset,
  withdraw_from_account: ids.account,
  authorized_account: ids.account,
  withdrawal_limit: asset,
  withdrawal_period_sec: uint32,
  periods_until_expiration: uint32,
  period_start_time: time,
});

export const withdraw_permission_update = struct({
  fee: asset,
  withdraw_from_account: ids.account,
  authorized_account: ids.account,
  permission_to_update: ids.withdrawPermission,
  withdrawal_limit: asset,
  withdrawal_period_sec: uint32,
  period_start_time: time,
  periods_until_expiration: uint32,
});

export const withdraw_permission_claim = struct({
  fee: asset,
  withdraw_permission: ids.withdrawPermission,
  withdraw_from_account: ids.account,
  withdraw_to_account: ids.account,
  amount_to_withdraw: asset,
  memo,
});

export const withdraw_permission_delete = struct({
  fee: asset,
  withdraw_from_account: ids.account,
  authorized_account: ids.account,
  withdrawal_permission: ids.withdrawPermission,
});

export const balance_claim = struct({
  fee: asset,
  deposit_to_account: ids.account,
  balance_to_claim: ids.balance,
  balance_owner_key: publicKey,
  total_claimed: asset,
});

const preimageHash = variant({
  ripemd160: bytes(20),
  sha1: bytes(20),
  sha256: bytes(32),
  hash160: bytes(20),
});

export const htlc_create = struct({
  fee: asset,
  from: ids.account,
  to: ids.account,
  amount: asset,
  preimage_hash: preimageHash,
  preimage_size: uint16,
  claim_period_seconds: uint32,
  extensions: extension({ memo: memoData }),
});

export const htlc_redeem = struct({
  fee: asset,
  htlc_id: ids.htlc,
  redeemer: ids.account,
  preimage: bytes(),
  extensions: noExtensions,
});

export const htlc_extend = struct({
  fee: asset,
  htlc_id: ids.htlc,
  update_issuer: ids.account,
  seconds_to_add: uint32,
  extensions: noExtensions,
});

export const htlc_redeemed = struct({
  fee: asset,
  htlc_id: ids.htlc,
  from: ids.account,
  to: ids.account,
  redeemer: ids.account,
  amount: asset,
  htlc_preimage_hash: preimageHash,
  htlc_preimage_size: uint16,
  preimage: bytes(),
});

export const htlc_refund = struct({
  fee: asset,
  htlc_id: ids.htlc,
  to: ids.account,
  original_htlc_recipient: ids.account,
  htlc_amount: asset,
  htlc_preimage_hash: preimageHash,
  htlc_preimage_size: uint16,
});

export const custom = struct({
  fee: asset,
  payer: ids.account,
  required_auths: set(ids.account),
  id: uint16,
  data: bytes(),
});

export const assert = struct({
  fee: asset,
  fee_paying_account: ids.account,
  predicates: list(
    variant({
      account_name_eq_lit: struct({ account_id: ids.account, name: text }),
      asset_symbol_eq_lit: struct({ asset_id: ids.asset, symbol: text }),
      block_id: struct({ id: bytes(20) }),
    }),
  ),
  required_auths: set(ids.account),
  extensions: noExtensions,
});
