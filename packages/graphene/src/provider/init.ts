/**
 * Making a provider: its Countersign account, and its account on the chain, new or one that it has already.
 * @module
 */
import { mkdir } from 'node:fs/promises';
import { type Clock, createAccount } from '@countersign/client';
import { FileKeyStore, type KeyProtection, SqliteStateStore } from '@countersign/client/node';
import { CountersignError, type CryptoProvider } from '@countersign/core';
import { formatAmount } from '../amounts.ts';
import { NO_FEE } from '../build-transaction.ts';
import { ChainClient } from '../chain-client.ts';
import { type ChainPrivateKey, formatPublicKey } from '../keys.ts';
import type { OperationJson } from '../required-authorities.ts';
import { Vault } from '../vault.ts';
import { activeKey, newAccount, publish, send } from './enrolment.ts';
import { providerFiles, SETTINGS } from './provider.ts';
import { ProviderStore } from './store.ts';

const single = (key: string) => ({
  weight_threshold: 1,
  account_auths: [],
  key_auths: [[key, 1]],
  address_auths: [],
});

export interface InitOptions {
  readonly data: string;
  readonly protection: KeyProtection;
  readonly crypto: CryptoProvider;
  readonly clock: Clock;
  /** The account on the chain, `sfactor`. */
  readonly name: string;
  readonly nodes: readonly string[];
  readonly countersign: { readonly name: string; readonly broker: string };
  /** Keys of the account that is there already. */
  readonly adopt?: readonly ChainPrivateKey[];
  /** Who registers a new account, and pays for it. */
  readonly registrar?: {
    readonly name: string;
    readonly key: ChainPrivateKey;
    /** What it gives the new account, of the core asset in its smallest unit. */
    readonly fund: bigint;
    /** The new account's owner key, which is kept nowhere here. */
    readonly owner: ChainPrivateKey;
  };
  /** What each transaction may cost, of the core asset; the membership may cost what the registrar gives. */
  readonly maxFee?: string;
}

/** How the chain writes a membership for life. */
const FOREVER = '1969-12-31T23:59:59';

export type Initialized =
  | { readonly outcome: 'registered' | 'adopted'; readonly id: string }
  /** All is there but the account on the chain. */
  | { readonly outcome: 'not-on-chain' };

/**
 * Makes or adopts the provider's accounts; called again, it goes on where it was cut.
 */
export async function initProvider(options: InitOptions): Promise<Initialized> {
  const { data, protection, crypto, clock, name, nodes, countersign, registrar } = options;
  await mkdir(data, { recursive: true, mode: 0o700 });
  const files = providerFiles(data);
  const client = new ChainClient({ nodes });
  const vault = await Vault.open(files.vault, protection, name);
  const store = new ProviderStore(files.store);
  const state = new SqliteStateStore(files.state);
  try {
    const keyStore = new FileKeyStore(files.keys, protection);
    if ((await keyStore.account()) === undefined) {
      await createAccount({
        ...countersign,
        deviceName: `${name}’s provider`,
        keyStore,
        state,
        crypto,
        clock,
      });
    }
    store.setSetting(SETTINGS.account, name);
    store.setSetting(SETTINGS.chain, (await client.chain()).id);
    store.setSetting(SETTINGS.nodes, JSON.stringify(nodes));
    const [there] = await client.accountsThatAre([name]);
    if (there == null && registrar === undefined) return { outcome: 'not-on-chain' };
    if (there == null) await make(options, registrar!, client, vault);
    else await adopt(options, client, vault);
    await becomeMember(options, client, vault);
    const account = await client.account(name);
    store.setSetting(SETTINGS.accountId, account.id);
    const origin = store.setting(SETTINGS.origin);
    if (origin !== undefined)
      await publish(client, account.id, origin, await activeKey(vault, account), options.maxFee);
    return { outcome: there == null ? 'registered' : 'adopted', id: account.id };
  } finally {
    state.close();
    store.close();
    vault.close();
    client.close();
  }
}

async function make(
  { name, maxFee }: InitOptions,
  registrar: NonNullable<InitOptions['registrar']>,
  client: ChainClient,
  vault: Vault,
): Promise<void> {
  const { prefix } = await client.chain();
  const text = (key: ChainPrivateKey) => formatPublicKey(key.publicKey, prefix);
  const payer = await client.account(registrar.name);
  const active = await vault.create(name, text);
  const create = newAccount(
    payer.id,
    name,
    single(text(registrar.owner)),
    single(text(active)),
    text(active),
  );
  await send(client, [create], [registrar.key], maxFee);
}

/** Only a member for life may register accounts. */
async function becomeMember(
  { name, registrar, maxFee }: InitOptions,
  client: ChainClient,
  vault: Vault,
): Promise<void> {
  const { id, active, membership_expiration_date: until } = await client.account(name);
  if (until === FOREVER) return;
  let most = maxFee;
  if (registrar !== undefined) {
    const payer = await client.account(registrar.name);
    const amount = { amount: registrar.fund.toString(), asset_id: '1.3.0' };
    const pay: OperationJson = [0, { fee: NO_FEE, from: payer.id, to: id, amount, extensions: [] }];
    await send(client, [pay], [registrar.key], maxFee);
    const [core] = await client.assets(['1.3.0']);
    [most] = formatAmount(registrar.fund, core!).split(' ');
  }
  const upgrade: OperationJson = [
    8,
    { fee: NO_FEE, account_to_upgrade: id, upgrade_to_lifetime_member: true, extensions: [] },
  ];
  await send(client, [upgrade], [await activeKey(vault, { name, active })], most);
}

/** Keeps those of the given keys that the account knows as its active ones. */
async function adopt(
  { name, adopt: keys = [] }: InitOptions,
  client: ChainClient,
  vault: Vault,
): Promise<void> {
  const { prefix } = await client.chain();
  const { active } = await client.account(name);
  const known = active.key_auths.map(([key]) => key);
  for (const key of keys) {
    const text = formatPublicKey(key.publicKey, prefix);
    if (known.includes(text)) await vault.keep(name, key, text);
  }
  if (vault.holds(name, known) !== undefined) return;
  throw new CountersignError('authority-missing', `none of the keys given is an active key of ${name}`, {
    hint: 'give the active key of the account in WIF, by --key-file',
  });
}
