/**
 * The door to Graphene chains: transactions of BitShares and its sisters as bytes, what is signed of them, and
 * who must sign. Begin with `parseTransaction` and `transactionDigest`.
 * @module
 */

export * from './argument-link.ts';
export type { AccountAuthorities, AuthorityRules, Snapshot } from './authority.ts';
export * from './chain.ts';
export * from './explain.ts';
export type { AccountFacts, AssetFacts, FactAuthority, Facts } from './explain-facts.ts';
export type { Asset, Authority, MemoData, Price } from './field-groups.ts';
export { formatTime } from './field-types.ts';
export * from './keys.ts';
export * from './memo.ts';
export * from './operations.ts';
export * from './signature.ts';
export * from './transaction.ts';
export {
  type AuthorityError,
  type AuthorityVerdict,
  minimalKeys,
  verifyAuthority,
} from './transaction-authority.ts';
export * from './transaction-request.ts';
export * from './wallet-login.ts';
