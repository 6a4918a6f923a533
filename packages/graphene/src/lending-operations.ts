/**
 * Operations on what is lent, pooled or locked: tickets, liquidity pools, SameT funds, credit offers and deals.
 * @module
 */
import { extension, map, optional, struct } from './codec.ts';
import { asset, ids, price } from './field-groups.ts';
import { bool, int64, noExtensions, time, uint8, uint16, uint32, varint } from './field-types.ts';

export const ticket_create = struct({
  fee: asset,
  account: ids.account,
  target_type: varint,
  amount: asset,
  extensions: noExtensions,
});

export const ticket_update = struct({
  fee: asset,
  ticket: ids.ticket,
  account: ids.account,
  target_type: varint,
  amount_for_new_target: optional(asset),
  extensions: noExtensions,
});

export const liquidity_pool_create = struct({
  fee: asset,
  account: ids.account,
  asset_a: ids.asset,
  asset_b: ids.asset,
  share_asset: ids.asset,
  taker_fee_percent: uint16,
  withdrawal_fee_percent: uint16,
  extensions: noExtensions,
});

export const liquidity_pool_delete = struct({
  fee: asset,
  account: ids.account,
  pool: ids.liquidityPool,
  extensions: noExtensions,
});

export const liquidity_pool_update = struct({
  fee: asset,
  account: ids.account,
  pool: ids.liquidityPool,
  taker_fee_percent: optional(uint16),
  withdrawal_fee_percent: optional(uint16),
  extensions: noExtensions,
});

export const liquidity_pool_deposit = struct({
  fee: asset,
  account: ids.account,
  pool: ids.liquidityPool,
  amount_a: asset,
  amount_b: asset,
  extensions: noExtensions,
});

export const liquidity_pool_withdraw = struct({
  fee: asset,
  account: ids.account,
  pool: ids.liquidityPool,
  share_amount: asset,
  extensions: noExtensions,
});

export const liquidity_pool_exchange = struct({
  fee: asset,
  account: ids.account,
  pool: ids.liquidityPool,
  amount_to_sell: asset,
  min_to_receive: asset,
  extensions: noExtensions,
});

export const samet_fund_create = struct({
  fee: asset,
  owner_account: ids.account,
  asset_type: ids.asset,
  balance: int64,
  fee_rate: uint32,
  extensions: noExtensions,
});

export const samet_fund_delete = struct({
  fee: asset,
  owner_account: ids.account,
  fund_id: ids.sametFund,
  extensions: noExtensions,
});

export const samet_fund_update = struct({
  fee: asset,
  owner_account: ids.account,
  fund_id: ids.sametFund,
  delta_amount: optional(asset),
  new_fee_rate: optional(uint32),
  extensions: noExtensions,
});

export const samet_fund_borrow = struct({
  fee: asset,
  borrower: ids.account,
  fund_id: ids.sametFund,
  borrow_amount: asset,
  extensions: noExtensions,
});

export const samet_fund_repay = struct({
  fee: asset,
  account: ids.account,
  fund_id: ids.sametFund,
  repay_amount: asset,
  fund_fee: asset,
  extensions: noExtensions,
});

export const credit_offer_create = struct({
  fee: asset,
  owner_account: ids.account,
  asset_type: ids.asset,
  balance: int64,
  fee_rate: uint32,
  max_duration_seconds: uint32,
  min_deal_amount: int64,
  enabled: bool,
  auto_disable_time: time,
  acceptable_collateral: map(ids.asset, price),
  acceptable_borrowers: map(ids.account, int64),
  extensions: noExtensions,
});

export const credit_offer_delete = struct({
  fee: asset,
  owner_account: ids.account,
  offer_id: ids.creditOffer,
  extensions: noExtensions,
});

export const credit_offer_update = struct({
  fee: asset,
  owner_account: ids.account,
  offer_id: ids.creditOffer,
  delta_amount: optional(asset),
  fee_rate: optional(uint32),
  max_duration_seconds: optional(uint32),
  min_deal_amount: optional(int64),
  enabled: optional(bool),
  auto_disable_time: optional(time),
  acceptable_collateral: optional(map(ids.asset, price)),
  acceptable_borrowers: optional(map(ids.account, int64)),
  extensions: noExtensions,
});

export const credit_offer_accept = struct({
  fee: asset,
  borrower: ids.account,
  offer_id: ids.creditOffer,
  borrow_amount: asset,
  collateral: asset,
  max_fee_rate: uint32,
  min_duration_seconds: uint32,
  extensions: extension({ auto_repay: uint8 }),
});

export const credit_deal_repay = struct({
  fee: asset,
  account: ids.account,
  deal_id: ids.creditDeal,
  repay_amount: asset,
  credit_fee: asset,
  extensions: noExtensions,
});

export const credit_deal_update = struct({
  fee: asset,
  account: ids.account,
  deal_id: ids.creditDeal,
  auto_repay: uint8,
  extensions: noExtensions,
});

export const credit_deal_expired = struct({
  fee: asset,
  deal_id: ids.creditDeal,
  offer_id: ids.creditOffer,
  offer_owner: ids.account,
  borrower: ids.account,
  unpaid_amount: asset,
  collateral: asset,
  fee_rate: uint32,
});
