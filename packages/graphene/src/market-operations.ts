/**
 * Operations on the market: limit orders, and debts against collateral.
 * @module
 */
import { extension, list, optional, struct, variant } from './codec.ts';
import { asset, ids, price } from './field-groups.ts';
import { bool, noExtensions, objectId, time, uint16, uint32 } from './field-types.ts';

/** What an order does by itself once it is filled. */
const autoActions = list(
  variant({
    create_take_profit_order_action: struct({
      fee_asset_id: ids.asset,
      spread_percent: uint16,
      size_percent: uint16,
      expiration_seconds: uint32,
      repeat: bool,
      extensions: noExtensions,
    }),
  }),
);

export const limit_order_create = struct({
  fee: asset,
  seller: ids.account,
  amount_to_sell: asset,
  min_to_receive: asset,
  expiration: time,
  fill_or_kill: bool,
  extensions: extension({ on_fill: autoActions }),
});

export const limit_order_cancel = struct({
  fee: asset,
  fee_paying_account: ids.account,
  order: ids.limitOrder,
  extensions: noExtensions,
});

export const limit_order_update = struct({
  fee: asset,
  seller: ids.account,
  order: ids.limitOrder,
  new_price: optional(price),
  delta_amount_to_sell: optional(asset),
  new_expiration: optional(time),
  on_fill: optional(autoActions),
  extensions: noExtensions,
});

export const call_order_update = struct({
  fee: asset,
  funding_account: ids.account,
  delta_collateral: asset,
  delta_debt: asset,
  extensions: extension({ target_collateral_ratio: uint16 }),
});

export const bid_collateral = struct({
  fee: asset,
  bidder: ids.account,
  additional_collateral: asset,
  debt_covered: asset,
  extensions: noExtensions,
});

export const fill_order = struct({
  fee: asset,
  order_id: objectId,
  account_id: ids.account,
  pays: asset,
  receives: asset,
  fill_price: price,
  is_maker: bool,
});

export const execute_bid = struct({ fee: asset, bidder: ids.account, debt: asset, collateral: asset });
