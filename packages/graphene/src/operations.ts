/**
 * The table of operations: their numbers on the chain, their names, and their fields in the order in which the
 * chain packs them. Everything else of this package reads operations through it.
 * @module
 */
import * as accounts from './account-operations.ts';
import * as assets from './asset-operations.ts';
import { type AnyFields, type Codec, list, nested, numbered, struct, type ValueOf } from './codec.ts';
import * as confidential from './confidential-operations.ts';
import * as authorities from './custom-authority-operations.ts';
import * as governance from './governance-operations.ts';
import * as lending from './lending-operations.ts';
import * as market from './market-operations.ts';
import * as payments from './payment-operations.ts';
import { proposalOperations } from './proposal-operations.ts';

/** An operation inside a proposal stands in a wrapper of its own. */
export interface ProposedOperation {
  readonly op: Operation;
}

const proposed: Codec<readonly ProposedOperation[]> = list(
  struct({ op: nested<Operation>(() => operation) }),
);
const proposals = proposalOperations(proposed);

/** Number on the chain, and fields. Virtual ones the chain makes itself: no transaction holds them. */
export const OPERATIONS = {
  transfer: { number: 0, codec: accounts.transfer },
  limit_order_create: { number: 1, codec: market.limit_order_create },
  limit_order_cancel: { number: 2, codec: market.limit_order_cancel },
  call_order_update: { number: 3, codec: market.call_order_update },
  fill_order: { number: 4, codec: market.fill_order, virtual: true },
  account_create: { number: 5, codec: accounts.account_create },
  account_update: { number: 6, codec: accounts.account_update },
  account_whitelist: { number: 7, codec: accounts.account_whitelist },
  account_upgrade: { number: 8, codec: accounts.account_upgrade },
  account_transfer: { number: 9, codec: accounts.account_transfer },
  asset_create: { number: 10, codec: assets.asset_create },
  asset_update: { number: 11, codec: assets.asset_update },
  asset_update_bitasset: { number: 12, codec: assets.asset_update_bitasset },
  asset_update_feed_producers: { number: 13, codec: assets.asset_update_feed_producers },
  asset_issue: { number: 14, codec: assets.asset_issue },
  asset_reserve: { number: 15, codec: assets.asset_reserve },
  asset_fund_fee_pool: { number: 16, codec: assets.asset_fund_fee_pool },
  asset_settle: { number: 17, codec: assets.asset_settle },
  asset_global_settle: { number: 18, codec: assets.asset_global_settle },
  asset_publish_feed: { number: 19, codec: assets.asset_publish_feed },
  witness_create: { number: 20, codec: governance.witness_create },
  witness_update: { number: 21, codec: governance.witness_update },
  proposal_create: { number: 22, codec: proposals.proposal_create },
  proposal_update: { number: 23, codec: proposals.proposal_update },
  proposal_delete: { number: 24, codec: proposals.proposal_delete },
  withdraw_permission_create: { number: 25, codec: payments.withdraw_permission_create },
  withdraw_permission_update: { number: 26, codec: payments.withdraw_permission_update },
  withdraw_permission_claim: { number: 27, codec: payments.withdraw_permission_claim },
  withdraw_permission_delete: { number: 28, codec: payments.withdraw_permission_delete },
  committee_member_create: { number: 29, codec: governance.committee_member_create },
  committee_member_update: { number: 30, codec: governance.committee_member_update },
  committee_member_update_global_parameters: {
    number: 31,
    codec: governance.committee_member_update_global_parameters,
  },
  vesting_balance_create: { number: 32, codec: payments.vesting_balance_create },
  vesting_balance_withdraw: { number: 33, codec: payments.vesting_balance_withdraw },
  worker_create: { number: 34, codec: governance.worker_create },
  custom: { number: 35, codec: payments.custom },
  assert: { number: 36, codec: payments.assert },
  balance_claim: { number: 37, codec: payments.balance_claim },
  override_transfer: { number: 38, codec: accounts.override_transfer },
  transfer_to_blind: { number: 39, codec: confidential.transfer_to_blind },
  blind_transfer: { number: 40, codec: confidential.blind_transfer },
  transfer_from_blind: { number: 41, codec: confidential.transfer_from_blind },
  asset_settle_cancel: { number: 42, codec: assets.asset_settle_cancel, virtual: true },
  asset_claim_fees: { number: 43, codec: assets.asset_claim_fees },
  fba_distribute: { number: 44, codec: assets.fba_distribute, virtual: true },
  bid_collateral: { number: 45, codec: market.bid_collateral },
  execute_bid: { number: 46, codec: market.execute_bid, virtual: true },
  asset_claim_pool: { number: 47, codec: assets.asset_claim_pool },
  asset_update_issuer: { number: 48, codec: assets.asset_update_issuer },
  htlc_create: { number: 49, codec: payments.htlc_create },
  htlc_redeem: { number: 50, codec: payments.htlc_redeem },
  htlc_redeemed: { number: 51, codec: payments.htlc_redeemed, virtual: true },
  htlc_extend: { number: 52, codec: payments.htlc_extend },
  htlc_refund: { number: 53, codec: payments.htlc_refund, virtual: true },
  custom_authority_create: { number: 54, codec: authorities.custom_authority_create },
  custom_authority_update: { number: 55, codec: authorities.custom_authority_update },
  custom_authority_delete: { number: 56, codec: authorities.custom_authority_delete },
  ticket_create: { number: 57, codec: lending.ticket_create },
  ticket_update: { number: 58, codec: lending.ticket_update },
  liquidity_pool_create: { number: 59, codec: lending.liquidity_pool_create },
  liquidity_pool_delete: { number: 60, codec: lending.liquidity_pool_delete },
  liquidity_pool_deposit: { number: 61, codec: lending.liquidity_pool_deposit },
  liquidity_pool_withdraw: { number: 62, codec: lending.liquidity_pool_withdraw },
  liquidity_pool_exchange: { number: 63, codec: lending.liquidity_pool_exchange },
  samet_fund_create: { number: 64, codec: lending.samet_fund_create },
  samet_fund_delete: { number: 65, codec: lending.samet_fund_delete },
  samet_fund_update: { number: 66, codec: lending.samet_fund_update },
  samet_fund_borrow: { number: 67, codec: lending.samet_fund_borrow },
  samet_fund_repay: { number: 68, codec: lending.samet_fund_repay },
  credit_offer_create: { number: 69, codec: lending.credit_offer_create },
  credit_offer_delete: { number: 70, codec: lending.credit_offer_delete },
  credit_offer_update: { number: 71, codec: lending.credit_offer_update },
  credit_offer_accept: { number: 72, codec: lending.credit_offer_accept },
  credit_deal_repay: { number: 73, codec: lending.credit_deal_repay },
  credit_deal_expired: { number: 74, codec: lending.credit_deal_expired, virtual: true },
  liquidity_pool_update: { number: 75, codec: lending.liquidity_pool_update },
  credit_deal_update: { number: 76, codec: lending.credit_deal_update },
  limit_order_update: { number: 77, codec: market.limit_order_update },
} as const;

export type OperationName = keyof typeof OPERATIONS;

/** The fields of an operation, by its name. */
export type OperationFields<N extends OperationName> = ValueOf<(typeof OPERATIONS)[N]['codec']>;

export type OperationOf<N extends OperationName> = {
  [K in N]: { readonly name: K; readonly value: OperationFields<K> };
}[N];

/** `[number, fields]` in JSON; in memory one of a union, told apart by its name. */
export type AnyOperation = OperationOf<OperationName>;

type VirtualName = {
  [N in OperationName]: (typeof OPERATIONS)[N] extends { virtual: true } ? N : never;
}[OperationName];

/** What a transaction can hold. */
export type Operation = OperationOf<Exclude<OperationName, VirtualName>>;

const kinds = Object.entries(OPERATIONS).map(([name, entry]) => ({
  number: entry.number,
  name,
  codec: entry.codec,
  virtual: 'virtual' in entry,
}));

/** Operations as the chain's history has them. */
export const historicOperation: Codec<AnyOperation> = numbered<AnyOperation>(kinds);

/** Operations as a transaction has them. */
export const operation: Codec<Operation> = numbered<Operation>(
  kinds.filter((kind) => !kind.virtual),
  new Map(
    kinds
      .filter((kind) => kind.virtual)
      .map(({ number, name }) => [number, `only the chain itself makes ${name}`]),
  ),
);

/** The names of an operation's fields, in the chain's order. */
export function fieldNames(name: OperationName): readonly string[] {
  return Object.keys(OPERATIONS[name].codec.fields satisfies AnyFields);
}
