/**
 * Operations on assets: making them, their rules, feeds, issue and settlement.
 * @module
 */
import { extension, optional, set, struct, type ValueOf } from './codec.ts';
import { asset, ids, memo, price } from './field-groups.ts';
import { bool, int64, noExtensions, text, uint8, uint16, uint32 } from './field-types.ts';

const assetOptions = struct({
  max_supply: int64,
  market_fee_percent: uint16,
  max_market_fee: int64,
  issuer_permissions: uint16,
  flags: uint16,
  core_exchange_rate: price,
  whitelist_authorities: set(ids.account),
  blacklist_authorities: set(ids.account),
  whitelist_markets: set(ids.asset),
  blacklist_markets: set(ids.asset),
  description: text,
  extensions: extension({
    reward_percent: uint16,
    whitelist_market_fee_sharing: set(ids.account),
    taker_fee_percent: uint16,
  }),
});
export type AssetOptions = ValueOf<typeof assetOptions>;

const bitassetOptions = struct({
  feed_lifetime_sec: uint32,
  minimum_feeds: uint8,
  force_settlement_delay_sec: uint32,
  force_settlement_offset_percent: uint16,
  maximum_force_settlement_volume: uint16,
  short_backing_asset: ids.asset,
  extensions: extension({
    initial_collateral_ratio: uint16,
    maintenance_collateral_ratio: uint16,
    maximum_short_squeeze_ratio: uint16,
    margin_call_fee_ratio: uint16,
    force_settle_fee_percent: uint16,
    black_swan_response_method: uint8,
  }),
});
export type BitassetOptions = ValueOf<typeof bitassetOptions>;

export const asset_create = struct({
  fee: asset,
  issuer: ids.account,
  symbol: text,
  precision: uint8,
  common_options: assetOptions,
  bitasset_opts: optional(bitassetOptions),
  is_prediction_market: bool,
  extensions: noExtensions,
});

export const asset_update = struct({
  fee: asset,
  issuer: ids.account,
  asset_to_update: ids.asset,
  new_issuer: optional(ids.account),
  new_options: assetOptions,
  extensions: extension({ new_precision: uint8, skip_core_exchange_rate: bool }),
});

export const asset_update_bitasset = struct({
  fee: asset,
  issuer: ids.account,
  asset_to_update: ids.asset,
  new_options: bitassetOptions,
  extensions: noExtensions,
});

export const asset_update_feed_producers = struct({
  fee: asset,
  issuer: ids.account,
  asset_to_update: ids.asset,
  new_feed_producers: set(ids.account),
  extensions: noExtensions,
});

export const asset_update_issuer = struct({
  fee: asset,
  issuer: ids.account,
  asset_to_update: ids.asset,
  new_issuer: ids.account,
  extensions: noExtensions,
});

export const asset_issue = struct({
  fee: asset,
  issuer: ids.account,
  asset_to_issue: asset,
  issue_to_account: ids.account,
  memo,
  extensions: noExtensions,
});

export const asset_reserve = struct({
  fee: asset,
  payer: ids.account,
  amount_to_reserve: asset,
  extensions: noExtensions,
});

export const asset_fund_fee_pool = struct({
  fee: asset,
  from_account: ids.account,
  asset_id: ids.asset,
  amount: int64,
  extensions: noExtensions,
});

export const asset_claim_pool = struct({
  fee: asset,
  issuer: ids.account,
  asset_id: ids.asset,
  amount_to_claim: asset,
  extensions: noExtensions,
});

export const asset_claim_fees = struct({
  fee: asset,
  issuer: ids.account,
  amount_to_claim: asset,
  extensions: extension({ claim_from_asset_id: ids.asset }),
});

export const asset_settle = struct({
  fee: asset,
  account: ids.account,
  amount: asset,
  extensions: noExtensions,
});

export const asset_settle_cancel = struct({
  fee: asset,
  settlement: ids.forceSettlement,
  account: ids.account,
  amount: asset,
});

export const asset_global_settle = struct({
  fee: asset,
  issuer: ids.account,
  asset_to_settle: ids.asset,
  settle_price: price,
  extensions: noExtensions,
});

export const asset_publish_feed = struct({
  fee: asset,
  publisher: ids.account,
  asset_id: ids.asset,
  feed: struct({
    settlement_price: price,
    maintenance_collateral_ratio: uint16,
    maximum_short_squeeze_ratio: uint16,
    core_exchange_rate: price,
  }),
  extensions: extension({ initial_collateral_ratio: uint16 }),
});

export const fba_distribute = struct({
  fee: asset,
  account_id: ids.account,
  fba_id: ids.fbaAccumulator,
  amount: int64,
});
