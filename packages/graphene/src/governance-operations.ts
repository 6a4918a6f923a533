/**
 * Operations of those who run the chain: witnesses, committee, workers, and the chain's own parameters.
 * @module
 */
import { extension, optional, struct, variant } from './codec.ts';
import { feeSchedule } from './fee-schedule.ts';
import { asset, ids } from './field-groups.ts';
import { bool, int64, nothing, publicKey, text, time, uint8, uint16, uint32 } from './field-types.ts';

export const witness_create = struct({
  fee: asset,
  witness_account: ids.account,
  url: text,
  block_signing_key: publicKey,
});

export const witness_update = struct({
  fee: asset,
  witness: ids.witness,
  witness_account: ids.account,
  new_url: optional(text),
  new_signing_key: optional(publicKey),
});

export const committee_member_create = struct({
  fee: asset,
  committee_member_account: ids.account,
  url: text,
});

export const committee_member_update = struct({
  fee: asset,
  committee_member: ids.committeeMember,
  committee_member_account: ids.account,
  new_url: optional(text),
});

const chainParameters = struct({
  current_fees: feeSchedule,
  block_interval: uint8,
  maintenance_interval: uint32,
  maintenance_skip_slots: uint8,
  committee_proposal_review_period: uint32,
  maximum_transaction_size: uint32,
  maximum_block_size: uint32,
  maximum_time_until_expiration: uint32,
  maximum_proposal_lifetime: uint32,
  maximum_asset_whitelist_authorities: uint8,
  maximum_asset_feed_publishers: uint8,
  maximum_witness_count: uint16,
  maximum_committee_count: uint16,
  maximum_authority_membership: uint16,
  reserve_percent_of_fee: uint16,
  network_percent_of_fee: uint16,
  lifetime_referrer_percent_of_fee: uint16,
  cashback_vesting_period_seconds: uint32,
  cashback_vesting_threshold: int64,
  count_non_member_votes: bool,
  allow_non_member_whitelists: bool,
  witness_pay_per_block: int64,
  worker_budget_per_day: int64,
  max_predicate_opcode: uint16,
  fee_liquidation_threshold: int64,
  accounts_per_fee_scale: uint16,
  account_fee_scale_bitshifts: uint8,
  max_authority_depth: uint8,
  extensions: extension({
    updatable_htlc_options: struct({ max_timeout_secs: uint32, max_preimage_size: uint32 }),
    custom_authority_options: struct({
      max_custom_authority_lifetime_seconds: uint32,
      max_custom_authorities_per_account: uint32,
      max_custom_authorities_per_account_op: uint32,
      max_custom_authority_restrictions: uint32,
    }),
    market_fee_network_percent: uint16,
    maker_fee_discount_percent: uint16,
  }),
});

export const committee_member_update_global_parameters = struct({
  fee: asset,
  new_parameters: chainParameters,
});

export const worker_create = struct({
  fee: asset,
  owner: ids.account,
  work_begin_date: time,
  work_end_date: time,
  daily_pay: int64,
  name: text,
  url: text,
  initializer: variant({
    refund: nothing,
    vesting_balance: struct({ pay_vesting_period_days: uint16 }),
    burn: nothing,
  }),
});
