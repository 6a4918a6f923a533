/**
 * Groups of fields that several operations share, under the chain's own names.
 * @module
 */
import { extension, map, optional, set, struct, type ValueOf, variant } from './codec.ts';
import {
  address,
  bytes,
  id,
  int64,
  noExtensions,
  nothing,
  publicKey,
  uint8,
  uint16,
  uint32,
  uint64,
  voteId,
} from './field-types.ts';

/** Ids by what they name; the numbers are the chain's object types. */
export const ids = {
  account: id(2),
  asset: id(3),
  forceSettlement: id(4),
  committeeMember: id(5),
  witness: id(6),
  limitOrder: id(7),
  callOrder: id(8),
  custom: id(9),
  proposal: id(10),
  withdrawPermission: id(12),
  vestingBalance: id(13),
  worker: id(14),
  balance: id(15),
  htlc: id(16),
  customAuthority: id(17),
  ticket: id(18),
  liquidityPool: id(19),
  sametFund: id(20),
  creditOffer: id(21),
  creditDeal: id(22),
  fbaAccumulator: id(16, 2),
} as const;

/** An amount in the asset's smallest unit. */
export const asset = struct({ amount: int64, asset_id: ids.asset });
export type Asset = ValueOf<typeof asset>;

export const price = struct({ base: asset, quote: asset });
export type Price = ValueOf<typeof price>;

/** Who must sign: accounts and keys with weights, and the sum that is enough. */
export const authority = struct({
  weight_threshold: uint32,
  account_auths: map(ids.account, uint16),
  key_auths: map(publicKey, uint16),
  address_auths: map(address, uint16),
});
export type Authority = ValueOf<typeof authority>;

export const memoData = struct({ from: publicKey, to: publicKey, nonce: uint64, message: bytes() });
export type MemoData = ValueOf<typeof memoData>;

export const accountOptions = struct({
  memo_key: publicKey,
  voting_account: ids.account,
  num_witness: uint16,
  num_committee: uint16,
  votes: set(voteId),
  extensions: noExtensions,
});
export type AccountOptions = ValueOf<typeof accountOptions>;

/** An authority that the chain itself keeps to the largest holders of an asset. */
export const specialAuthority = variant({
  no_special_authority: nothing,
  top_holders_special_authority: struct({ asset: ids.asset, num_top_holders: uint8 }),
});
export type SpecialAuthority = ValueOf<typeof specialAuthority>;

export const accountCreateExtensions = extension({
  null_ext: nothing,
  owner_special_authority: specialAuthority,
  active_special_authority: specialAuthority,
  buyback_options: struct({
    asset_to_buy: ids.asset,
    asset_to_buy_issuer: ids.account,
    markets: set(ids.asset),
  }),
});

export const accountUpdateExtensions = extension({
  null_ext: nothing,
  owner_special_authority: specialAuthority,
  active_special_authority: specialAuthority,
});

export const memo = optional(memoData);
