/**
 * Operations on proposals: transactions that wait on the chain until enough accounts have approved them.
 * @module
 */
import { type Codec, optional, set, struct } from './codec.ts';
import { asset, ids } from './field-groups.ts';
import { bool, noExtensions, publicKey, time, uint32 } from './field-types.ts';

/** @param operations a list of wrapped operations: the table that this one stands in, closed into itself */
export function proposalOperations<T>(operations: Codec<T>) {
  return {
    proposal_create: struct({
      fee: asset,
      fee_paying_account: ids.account,
      expiration_time: time,
      proposed_ops: operations,
      review_period_seconds: optional(uint32),
      extensions: noExtensions,
    }),
    proposal_update: struct({
      fee: asset,
      fee_paying_account: ids.account,
      proposal: ids.proposal,
      active_approvals_to_add: set(ids.account),
      active_approvals_to_remove: set(ids.account),
      owner_approvals_to_add: set(ids.account),
      owner_approvals_to_remove: set(ids.account),
      key_approvals_to_add: set(publicKey),
      key_approvals_to_remove: set(publicKey),
      extensions: noExtensions,
    }),
    proposal_delete: struct({
      fee: asset,
      fee_paying_account: ids.account,
      using_owner_authority: bool,
      proposal: ids.proposal,
      extensions: noExtensions,
    }),
  };
}
