/**
 * One sentence for each operation: what happens if it is signed. What has fields of its own below is not said
 * twice, but for who and how much.
 * @module
 */
import type { Wording } from './explain-values.ts';
import type { Operation, OperationFields } from './operations.ts';
import { quoteText } from './outside-text.ts';

type Titles = {
  readonly [N in Operation['name']]: (value: OperationFields<N>, say: Wording) => string;
};

const and = (...parts: readonly (string | false | undefined)[]) =>
  parts.filter((part) => typeof part === 'string').join(' and ');

export const TITLES: Titles = {
  transfer: (op, say) =>
    `Transfer ${say.amount(op.amount)} from ${say.account(op.from)} to ${say.account(op.to)}`,
  override_transfer: (op, say) =>
    `As issuer ${say.account(op.issuer)}, take ${say.amount(op.amount)} from ${say.account(op.from)} and give it to ${say.account(op.to)}`,
  limit_order_create: (op, say) =>
    `${say.account(op.seller)} offers ${say.amount(op.amount_to_sell)} for at least ${say.amount(op.min_to_receive)}`,
  limit_order_cancel: (op, say) => `${say.account(op.fee_paying_account)} cancels ${say.object(op.order)}`,
  limit_order_update: (op, say) => `${say.account(op.seller)} changes ${say.object(op.order)}`,
  call_order_update: (op, say) =>
    `${say.account(op.funding_account)} changes a debt by ${say.amount(op.delta_debt)} and its collateral by ${say.amount(op.delta_collateral)}`,
  bid_collateral: (op, say) =>
    `${say.account(op.bidder)} bids ${say.amount(op.additional_collateral)} to take over ${say.amount(op.debt_covered)} of debt`,
  account_create: (op, say) => `${say.account(op.registrar)} creates the account ${quoteText(op.name)}`,
  account_update: (op, say) => {
    const changed = and(
      op.owner && 'who owns it',
      op.active && 'who acts for it',
      op.new_options && 'its options',
      Object.values(op.extensions).some((value) => value !== undefined) && 'its special authorities',
    );
    return `Change the account ${say.account(op.account)} (${changed || 'nothing of it'})`;
  },
  account_whitelist: (op, say) =>
    `${say.account(op.authorizing_account)} lists the account ${say.account(op.account_to_list)}`,
  account_upgrade: (op, say) =>
    op.upgrade_to_lifetime_member
      ? `Make ${say.account(op.account_to_upgrade)} a lifetime member`
      : `Make ${say.account(op.account_to_upgrade)} a member for a year`,
  account_transfer: (op, say) =>
    `Give the account ${say.account(op.account_id)} away, to ${say.account(op.new_owner)}`,
  asset_create: (op, say) => `${say.account(op.issuer)} creates the asset ${quoteText(op.symbol)}`,
  asset_update: (op, say) =>
    op.new_issuer === undefined
      ? `Change the rules of ${say.symbol(op.asset_to_update)}`
      : `Change the rules of ${say.symbol(op.asset_to_update)}, and give it to ${say.account(op.new_issuer)}`,
  asset_update_bitasset: (op, say) => `Change the rules of the smart asset ${say.symbol(op.asset_to_update)}`,
  asset_update_feed_producers: (op, say) => `Change who feeds prices for ${say.symbol(op.asset_to_update)}`,
  asset_update_issuer: (op, say) =>
    `Give the asset ${say.symbol(op.asset_to_update)} from ${say.account(op.issuer)} to ${say.account(op.new_issuer)}`,
  asset_issue: (op, say) => `Issue ${say.amount(op.asset_to_issue)} to ${say.account(op.issue_to_account)}`,
  asset_reserve: (op, say) => `${say.account(op.payer)} destroys ${say.amount(op.amount_to_reserve)}`,
  asset_fund_fee_pool: (op, say) =>
    `${say.account(op.from_account)} pays into the fee pool of ${say.symbol(op.asset_id)}`,
  asset_claim_pool: (op, say) =>
    `${say.account(op.issuer)} takes ${say.amount(op.amount_to_claim)} out of the fee pool of ${say.symbol(op.asset_id)}`,
  asset_claim_fees: (op, say) =>
    `${say.account(op.issuer)} takes ${say.amount(op.amount_to_claim)} of collected fees`,
  asset_settle: (op, say) => `${say.account(op.account)} settles ${say.amount(op.amount)} for its collateral`,
  asset_global_settle: (op, say) => `Settle all of ${say.symbol(op.asset_to_settle)} at one price`,
  asset_publish_feed: (op, say) =>
    `${say.account(op.publisher)} publishes a price of ${say.symbol(op.asset_id)}`,
  witness_create: (op, say) => `Make ${say.account(op.witness_account)} a candidate for witness`,
  witness_update: (op, say) => `Change ${say.object(op.witness)} of ${say.account(op.witness_account)}`,
  committee_member_create: (op, say) =>
    `Make ${say.account(op.committee_member_account)} a candidate for the committee`,
  committee_member_update: (op, say) =>
    `Change ${say.object(op.committee_member)} of ${say.account(op.committee_member_account)}`,
  committee_member_update_global_parameters: () => 'Change the parameters of the chain',
  worker_create: (op, say) =>
    `${say.account(op.owner)} asks the chain for ${say.units(op.daily_pay, '1.3.0')} a day`,
  proposal_create: (op, say) =>
    `${say.account(op.fee_paying_account)} proposes ${op.proposed_ops.length} operation${op.proposed_ops.length === 1 ? '' : 's'}, which happen once enough have approved`,
  proposal_update: (op, say) => {
    const adds =
      op.active_approvals_to_add.length + op.owner_approvals_to_add.length + op.key_approvals_to_add.length;
    const takes =
      op.active_approvals_to_remove.length +
      op.owner_approvals_to_remove.length +
      op.key_approvals_to_remove.length;
    const what = and(adds > 0 && `approve ${adds} times`, takes > 0 && `take back ${takes} approvals`);
    return `For ${say.object(op.proposal)} ${what || 'change nothing'}`;
  },
  proposal_delete: (op, say) => `${say.account(op.fee_paying_account)} vetoes ${say.object(op.proposal)}`,
  withdraw_permission_create: (op, say) =>
    `Let ${say.account(op.authorized_account)} take up to ${say.amount(op.withdrawal_limit)} each period from ${say.account(op.withdraw_from_account)}`,
  withdraw_permission_update: (op, say) =>
    `Change ${say.object(op.permission_to_update)}, so that ${say.account(op.authorized_account)} may take up to ${say.amount(op.withdrawal_limit)} each period from ${say.account(op.withdraw_from_account)}`,
  withdraw_permission_claim: (op, say) =>
    `${say.account(op.withdraw_to_account)} takes ${say.amount(op.amount_to_withdraw)} from ${say.account(op.withdraw_from_account)}`,
  withdraw_permission_delete: (op, say) =>
    `${say.account(op.withdraw_from_account)} ends ${say.object(op.withdrawal_permission)} of ${say.account(op.authorized_account)}`,
  vesting_balance_create: (op, say) =>
    `${say.account(op.creator)} sets ${say.amount(op.amount)} aside for ${say.account(op.owner)}, to be had bit by bit`,
  vesting_balance_withdraw: (op, say) =>
    `${say.account(op.owner)} takes ${say.amount(op.amount)} out of ${say.object(op.vesting_balance)}`,
  custom: (op, say) => `${say.account(op.payer)} puts data on the chain that only other programs understand`,
  assert: (op, say) =>
    `${say.account(op.fee_paying_account)} makes all of this depend on ${op.predicates.length} facts`,
  balance_claim: (op, say) =>
    `${say.account(op.deposit_to_account)} claims ${say.amount(op.total_claimed)} from before the chain began`,
  transfer_to_blind: (op, say) =>
    `${say.account(op.from)} turns ${say.amount(op.amount)} into ${op.outputs.length} hidden amounts`,
  blind_transfer: (op) => `Turn ${op.inputs.length} hidden amounts into ${op.outputs.length} others`,
  transfer_from_blind: (op, say) =>
    `Turn ${op.inputs.length} hidden amounts into ${say.amount(op.amount)} for ${say.account(op.to)}`,
  htlc_create: (op, say) =>
    `${say.account(op.from)} locks ${say.amount(op.amount)} for ${say.account(op.to)}, who has it by showing a secret in time`,
  htlc_redeem: (op, say) => `${say.account(op.redeemer)} shows the secret of ${say.object(op.htlc_id)}`,
  htlc_extend: (op, say) => `${say.account(op.update_issuer)} gives more time to ${say.object(op.htlc_id)}`,
  custom_authority_create: (op, say) =>
    `Let others than its owners and actors act for ${say.account(op.account)}, in one kind of operation`,
  custom_authority_update: (op, say) =>
    `Change ${say.object(op.authority_to_update)} of ${say.account(op.account)}`,
  custom_authority_delete: (op, say) =>
    `End ${say.object(op.authority_to_delete)} of ${say.account(op.account)}`,
  ticket_create: (op, say) => `${say.account(op.account)} locks ${say.amount(op.amount)} for its vote`,
  ticket_update: (op, say) => `${say.account(op.account)} changes ${say.object(op.ticket)}`,
  liquidity_pool_create: (op, say) =>
    `${say.account(op.account)} makes a pool of ${say.symbol(op.asset_a)} and ${say.symbol(op.asset_b)}`,
  liquidity_pool_delete: (op, say) => `${say.account(op.account)} ends ${say.object(op.pool)}`,
  liquidity_pool_update: (op, say) => `${say.account(op.account)} changes ${say.object(op.pool)}`,
  liquidity_pool_deposit: (op, say) =>
    `${say.account(op.account)} puts ${say.amount(op.amount_a)} and ${say.amount(op.amount_b)} into ${say.object(op.pool)}`,
  liquidity_pool_withdraw: (op, say) =>
    `${say.account(op.account)} gives ${say.amount(op.share_amount)} back to ${say.object(op.pool)}`,
  liquidity_pool_exchange: (op, say) =>
    `${say.account(op.account)} gives ${say.amount(op.amount_to_sell)} to ${say.object(op.pool)} for at least ${say.amount(op.min_to_receive)}`,
  samet_fund_create: (op, say) =>
    `${say.account(op.owner_account)} lends out ${say.units(op.balance, op.asset_type)} within single transactions`,
  samet_fund_delete: (op, say) => `${say.account(op.owner_account)} ends ${say.object(op.fund_id)}`,
  samet_fund_update: (op, say) => `${say.account(op.owner_account)} changes ${say.object(op.fund_id)}`,
  samet_fund_borrow: (op, say) =>
    `${say.account(op.borrower)} borrows ${say.amount(op.borrow_amount)} from ${say.object(op.fund_id)}`,
  samet_fund_repay: (op, say) =>
    `${say.account(op.account)} pays ${say.amount(op.repay_amount)} and a fee of ${say.amount(op.fund_fee)} back to ${say.object(op.fund_id)}`,
  credit_offer_create: (op, say) =>
    `${say.account(op.owner_account)} offers credit of ${say.units(op.balance, op.asset_type)}`,
  credit_offer_delete: (op, say) => `${say.account(op.owner_account)} ends ${say.object(op.offer_id)}`,
  credit_offer_update: (op, say) => `${say.account(op.owner_account)} changes ${say.object(op.offer_id)}`,
  credit_offer_accept: (op, say) =>
    `${say.account(op.borrower)} borrows ${say.amount(op.borrow_amount)} against ${say.amount(op.collateral)} as collateral`,
  credit_deal_repay: (op, say) =>
    `${say.account(op.account)} pays ${say.amount(op.repay_amount)} and a fee of ${say.amount(op.credit_fee)} back for ${say.object(op.deal_id)}`,
  credit_deal_update: (op, say) => `${say.account(op.account)} changes ${say.object(op.deal_id)}`,
};
