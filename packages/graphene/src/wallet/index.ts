/**
 * The wallet's side of co-signing, in browsers and elsewhere: finds an account's providers, gathers exactly the
 * signatures that count, and sends. Begin with `ChainClient`, `buildTransaction` and `gather`.
 * @module
 */

export { formatAmount, parseAmount } from '../amounts.ts';
export { buildTransaction, NO_FEE, operationsOf } from '../build-transaction.ts';
export { type ChainAccount, type ChainAsset, ChainClient, type Inclusion } from '../chain-client.ts';
export { accountsBelow, type ChainFacts, factsOf } from '../chain-facts.ts';
export type { OperationJson } from '../required-authorities.ts';
export { BrowserVault } from './browser-vault.ts';
export { type FoundProvider, findProviders } from './find-providers.ts';
export { broadcast, type Gathering, gather, type Step } from './gather.ts';
export { gatherLogin } from './gather-login.ts';
export type { WalletKeys } from './keys.ts';
export {
  type Carried,
  carryOutRequest,
  type Desk,
  type OpenedRequest,
  openRequest,
  refuseRequest,
} from './open-request.ts';
export { type Cosigned, ProviderApi } from './provider-api.ts';
