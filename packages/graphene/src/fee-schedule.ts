/**
 * What the committee asks for each operation: one entry a kind, under the number of the operation.
 * @module
 */
import { type AnyCodec, numberedSet, struct } from './codec.ts';
import { int64, uint32, uint64 } from './field-types.ts';

const none = struct({});
const flat = struct({ fee: uint64 });
const signed = struct({ fee: int64 });
const bySize = struct({ fee: uint64, price_per_kbyte: uint32 });
const byOutput = struct({ fee: uint64, price_per_output: uint32 });
const byDay = struct({ fee: uint64, fee_per_day: uint64 });
const restricted = struct({ basic_fee: uint64, price_per_byte: uint32 });

/** In the order of the operations' numbers. */
const PARAMETERS: readonly (readonly [string, AnyCodec])[] = [
  ['transfer', bySize],
  ['limit_order_create', flat],
  ['limit_order_cancel', flat],
  ['call_order_update', flat],
  ['fill_order', none],
  ['account_create', struct({ basic_fee: uint64, premium_fee: uint64, price_per_kbyte: uint32 })],
  ['account_update', struct({ fee: int64, price_per_kbyte: uint32 })],
  ['account_whitelist', signed],
  ['account_upgrade', struct({ membership_annual_fee: uint64, membership_lifetime_fee: uint64 })],
  ['account_transfer', flat],
  [
    'asset_create',
    struct({ symbol3: uint64, symbol4: uint64, long_symbol: uint64, price_per_kbyte: uint32 }),
  ],
  ['asset_update', bySize],
  ['asset_update_bitasset', flat],
  ['asset_update_feed_producers', flat],
  ['asset_issue', bySize],
  ['asset_reserve', flat],
  ['asset_fund_fee_pool', flat],
  ['asset_settle', flat],
  ['asset_global_settle', flat],
  ['asset_publish_feed', flat],
  ['witness_create', flat],
  ['witness_update', signed],
  ['proposal_create', bySize],
  ['proposal_update', bySize],
  ['proposal_delete', flat],
  ['withdraw_permission_create', flat],
  ['withdraw_permission_update', flat],
  ['withdraw_permission_claim', bySize],
  ['withdraw_permission_delete', flat],
  ['committee_member_create', flat],
  ['committee_member_update', flat],
  ['committee_member_update_global_parameters', flat],
  ['vesting_balance_create', flat],
  ['vesting_balance_withdraw', flat],
  ['worker_create', flat],
  ['custom', bySize],
  ['assert', flat],
  ['balance_claim', none],
  ['override_transfer', bySize],
  ['transfer_to_blind', byOutput],
  ['blind_transfer', byOutput],
  ['transfer_from_blind', flat],
  ['asset_settle_cancel', none],
  ['asset_claim_fees', flat],
  ['fba_distribute', none],
  ['bid_collateral', flat],
  ['execute_bid', none],
  ['asset_claim_pool', flat],
  ['asset_update_issuer', flat],
  ['htlc_create', byDay],
  ['htlc_redeem', struct({ fee: uint64, fee_per_kb: uint64 })],
  ['htlc_redeemed', none],
  ['htlc_extend', byDay],
  ['htlc_refund', none],
  ['custom_authority_create', restricted],
  ['custom_authority_update', restricted],
  ['custom_authority_delete', flat],
  ['ticket_create', flat],
  ['ticket_update', flat],
  ['liquidity_pool_create', flat],
  ['liquidity_pool_delete', flat],
  ['liquidity_pool_deposit', flat],
  ['liquidity_pool_withdraw', flat],
  ['liquidity_pool_exchange', flat],
  ['samet_fund_create', flat],
  ['samet_fund_delete', flat],
  ['samet_fund_update', flat],
  ['samet_fund_borrow', flat],
  ['samet_fund_repay', flat],
  ['credit_offer_create', bySize],
  ['credit_offer_delete', flat],
  ['credit_offer_update', bySize],
  ['credit_offer_accept', flat],
  ['credit_deal_repay', flat],
  ['credit_deal_expired', none],
  ['liquidity_pool_update', flat],
  ['credit_deal_update', flat],
  ['limit_order_update', flat],
];

export const feeSchedule = struct({
  parameters: numberedSet<{
    readonly name: string;
    readonly value: Readonly<Record<string, bigint | number>>;
  }>(PARAMETERS.map(([name, codec], number) => ({ number, name, codec }))),
  scale: uint32,
});
