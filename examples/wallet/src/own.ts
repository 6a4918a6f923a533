/**
 * What this browser keeps of a wallet: sealed keys, and the transaction that is under way.
 * @module
 */
import { IndexedDbStateStore } from '@countersign/client/browser';
import {
  type Chain,
  formatPublicKey,
  parseTransaction,
  parseWif,
  type Transaction,
  transactionToJson,
} from '@countersign/graphene';
import { BrowserVault, type ChainAccount, ChainClient } from '@countersign/graphene/wallet';

export interface Wallet {
  /** Where links that were opened are remembered, too. */
  readonly state: IndexedDbStateStore;
  readonly client: ChainClient;
  readonly chain: Chain;
  readonly vault: BrowserVault;
}

const state = new IndexedDbStateStore('wallet');
/** Where a transaction is kept from before its first signature until it is settled. */
const UNDER_WAY = ['wallet', 'under-way'] as const;

export async function openWallet(): Promise<Wallet> {
  const { nodes } = (await (await fetch('/settings.json')).json()) as { nodes: string[] };
  const client = new ChainClient({ nodes });
  return { state, client, chain: await client.chain(), vault: await BrowserVault.open() };
}

/** Keeps a key, if the chain knows it as one of the account's. @throws `key-invalid`, `chain-account-unknown` */
export async function keepKey({ client, chain, vault }: Wallet, name: string, wif: string): Promise<boolean> {
  const key = parseWif(wif);
  const text = formatPublicKey(key.publicKey, chain.prefix);
  const account = await client.account(name);
  if (!account.active.key_auths.some(([one]) => one === text)) return false;
  await vault.keep(account.name, key, text);
  return true;
}

/** The account that this wallet is of, if it has a key. */
export async function ownAccount({ client, vault }: Wallet): Promise<ChainAccount | undefined> {
  const [name] = vault.accounts();
  return name === undefined ? undefined : client.account(name);
}

export async function underWay({ chain }: Wallet): Promise<Transaction | undefined> {
  const kept = await state.get<Record<string, unknown>>(...UNDER_WAY);
  return kept === undefined ? undefined : parseTransaction(kept, chain);
}

export async function begin(transaction: Transaction): Promise<void> {
  await state.update(...UNDER_WAY, () => transactionToJson(transaction));
}

export const end = (): Promise<void> => state.delete(...UNDER_WAY);
