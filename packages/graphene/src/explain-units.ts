/**
 * What the numbers of operations count, by the names of their fields. A name means the same wherever it stands;
 * amounts whose asset stands elsewhere are told apart by their operation.
 * @module
 */
import { CORE_ASSET } from './explain-facts.ts';
import type { OperationName } from './operations.ts';

/** Numbers in words: units, flags, kinds. */
export type Unit = (value: number) => string;

/** A whole number as a fraction, exactly: 30 of 10,000 is 0.3 %. */
function percentOf(whole: number): Unit {
  return (value) => {
    const digits = whole.toString().length - 3;
    const scaled = String(value).padStart(digits + 1, '0');
    const fraction = digits === 0 ? '' : scaled.slice(-digits).replace(/0+$/, '');
    const percent = digits === 0 ? scaled : scaled.slice(0, -digits);
    return `${percent}${fraction === '' ? '' : `.${fraction}`} %`;
  };
}

const hundredths = percentOf(10_000);
const thousandths = percentOf(1_000);
const millionths = percentOf(1_000_000);
const seconds: Unit = (value) => `${value} seconds`;
const days: Unit = (value) => `${value} days`;

/** A number with its word; one that has none says so. */
function oneOf(...words: readonly string[]): Unit {
  return (value) => `${value} (${words[value] ?? 'unknown'})`;
}

const PERMISSIONS = [
  'charge market fee',
  'white list',
  'override authority',
  'transfer restricted',
  'disable force settle',
  'global settle',
  'disable confidential',
  'witness fed',
  'committee fed',
  'lock max supply',
  'disable new supply',
  'disable update of maintenance ratio',
  'disable update of initial ratio',
  'disable update of squeeze ratio',
  'disable update of black swan response',
];

const flags: Unit = (value) => {
  const set = Array.from({ length: 16 }, (_, bit) => bit).filter((bit) => value & (1 << bit));
  return `${value} (${set.map((bit) => PERMISSIONS[bit] ?? `unknown bit ${bit}`).join(', ') || 'none'})`;
};

export const UNITS: Readonly<Record<string, Unit>> = {
  referrer_percent: hundredths,
  market_fee_percent: hundredths,
  taker_fee_percent: hundredths,
  withdrawal_fee_percent: hundredths,
  reward_percent: hundredths,
  force_settlement_offset_percent: hundredths,
  maximum_force_settlement_volume: hundredths,
  force_settle_fee_percent: hundredths,
  reserve_percent_of_fee: hundredths,
  network_percent_of_fee: hundredths,
  lifetime_referrer_percent_of_fee: hundredths,
  market_fee_network_percent: hundredths,
  maker_fee_discount_percent: hundredths,
  spread_percent: hundredths,
  size_percent: hundredths,
  maintenance_collateral_ratio: thousandths,
  maximum_short_squeeze_ratio: thousandths,
  initial_collateral_ratio: thousandths,
  target_collateral_ratio: thousandths,
  margin_call_fee_ratio: thousandths,
  fee_rate: millionths,
  new_fee_rate: millionths,
  max_fee_rate: millionths,
  feed_lifetime_sec: seconds,
  force_settlement_delay_sec: seconds,
  withdrawal_period_sec: seconds,
  review_period_seconds: seconds,
  claim_period_seconds: seconds,
  seconds_to_add: seconds,
  expiration_seconds: seconds,
  max_duration_seconds: seconds,
  min_duration_seconds: seconds,
  vesting_seconds: seconds,
  vesting_cliff_seconds: seconds,
  vesting_duration_seconds: seconds,
  cashback_vesting_period_seconds: seconds,
  committee_proposal_review_period: seconds,
  maximum_time_until_expiration: seconds,
  maximum_proposal_lifetime: seconds,
  maintenance_interval: seconds,
  block_interval: seconds,
  max_timeout_secs: seconds,
  max_custom_authority_lifetime_seconds: seconds,
  pay_vesting_period_days: days,
  issuer_permissions: flags,
  flags,
  new_listing: oneOf('no opinion', 'white-listed', 'black-listed', 'white-listed and black-listed'),
  black_swan_response_method: oneOf(
    'global settlement',
    'no settlement',
    'individual settlement to a fund',
    'individual settlement to an order',
  ),
  auto_repay: oneOf('no', 'only in full', 'as far as the balance goes'),
  target_type: oneOf('liquid', 'locked 180 days', 'locked 360 days', 'locked 720 days', 'locked forever'),
};

/** The asset that a bare amount is in: an id, a field of the same operation, or nothing that stands here. */
export type AmountIn = { readonly id: string } | { readonly field: string } | { readonly unknown: string };

const core = { id: CORE_ASSET };

/** Bare amounts, by operation and field. */
export const AMOUNTS: Partial<Record<OperationName, Readonly<Record<string, AmountIn>>>> = {
  asset_fund_fee_pool: { amount: core },
  samet_fund_create: { balance: { field: 'asset_type' } },
  credit_offer_create: {
    balance: { field: 'asset_type' },
    min_deal_amount: { field: 'asset_type' },
    acceptable_borrowers: { field: 'asset_type' },
  },
  credit_offer_update: {
    min_deal_amount: { unknown: 'the smallest unit of the offer’s asset' },
    acceptable_borrowers: { unknown: 'the smallest unit of the offer’s asset' },
  },
  asset_create: {
    max_supply: { unknown: 'its smallest unit' },
    max_market_fee: { unknown: 'its smallest unit' },
  },
  asset_update: { max_supply: { field: 'asset_to_update' }, max_market_fee: { field: 'asset_to_update' } },
  worker_create: { daily_pay: core },
  committee_member_update_global_parameters: {
    cashback_vesting_threshold: core,
    witness_pay_per_block: core,
    worker_budget_per_day: core,
    fee_liquidation_threshold: core,
  },
};
