/**
 * Steps 2 and 3: the provider's own account on the chain, and one for each person, which it owns and whose active
 * key it keeps and changes.
 * @module
 */
import { CountersignError } from '@countersign/core';
import { buildTransaction, checkFees, NO_FEE, signTransaction } from '../build-transaction.ts';
import type { ChainAccount, ChainClient, Inclusion } from '../chain-client.ts';
import { type ChainPrivateKey, formatPublicKey } from '../keys.ts';
import { publishAddress, publishedAddress } from '../published-address.ts';
import type { OperationJson } from '../required-authorities.ts';
import { signerFlaw } from '../signer-account.ts';
import { transactionId, transactionToJson } from '../transaction.ts';
import type { Vault } from '../vault.ts';
import type { ProviderContext } from './context.ts';
import type { UserRow } from './store.ts';

const single = (key: string) => ({
  weight_threshold: 1,
  account_auths: [],
  key_auths: [[key, 1]],
  address_auths: [],
});

export interface Fee {
  /** Of the core asset, in its smallest unit. */
  readonly amount: string;
}

/** An account_create; the registrar pays. */
export function newAccount(
  registrar: string,
  name: string,
  owner: object,
  active: object,
  memoKey: string,
): OperationJson {
  return [
    5,
    {
      fee: NO_FEE,
      registrar,
      referrer: registrar,
      referrer_percent: 0,
      name,
      owner,
      active,
      options: {
        memo_key: memoKey,
        voting_account: '1.2.5',
        num_witness: 0,
        num_committee: 0,
        votes: [],
        extensions: [],
      },
      extensions: {},
    },
  ];
}

/**
 * Builds, signs by some keys, and sends.
 * @param maxFee what it may cost, of the core asset
 * @throws what the chain refuses; `chain-answer-invalid` where it would cost more
 */
export async function send(
  client: ChainClient,
  operations: readonly OperationJson[],
  keys: readonly ChainPrivateKey[],
  maxFee?: string,
): Promise<Inclusion & { readonly fees: bigint }> {
  const chain = await client.chain();
  const transaction = await buildTransaction(client, operations, 120);
  const fees = await checkFees(client, transaction, maxFee);
  const signed = keys.reduce((so, key) => signTransaction(so, key, chain), {
    ...transaction,
    signatures: [] as readonly string[],
  });
  const done = await client.broadcast(transactionToJson(signed), transactionId(transaction, chain));
  return { ...done, fees };
}

/** The active key of an account that is kept here, as the chain knows it now. @throws `cosign-not-enrolled` */
export function activeKey(
  vault: Vault,
  { name, active }: Pick<ChainAccount, 'name' | 'active'>,
): Promise<ChainPrivateKey> {
  const held = vault.holds(
    name,
    active.key_auths.map(([key]) => key),
  );
  if (held !== undefined) return vault.key(name, held);
  throw new CountersignError('cosign-not-enrolled', `no key of ${name} that the chain knows is kept here`);
}

/** The provider's own. */
export async function ownKey({ vault, client, account }: ProviderContext): Promise<ChainPrivateKey> {
  return activeKey(vault, await client.account(account.id));
}

/** Says on the chain where wallets reach the provider, where it does not say so already. */
export async function publish(
  client: ChainClient,
  id: string,
  url: string,
  key: ChainPrivateKey,
  maxFee?: string,
): Promise<void> {
  if ((await publishedAddress(client, id)) === url) return;
  await send(client, [publishAddress(id, url)], [key], maxFee);
}

/**
 * Makes the account that signs for a registered person, `sfactor.alice`: owned by the provider, its active key new.
 * Where it is there already and was made here, goes on with that.
 * @returns the account, and what it cost
 * @throws `cosign-not-enrolled` where the person is not registered, `cosign-conflict` where it is somebody
 *   else's too
 */
export async function enroll(
  context: ProviderContext,
  name: string,
): Promise<{ readonly signer: ChainAccount; readonly fees: bigint; readonly key: string }> {
  const { store, vault, client, account: provider } = context;
  const user = store.one('users', { account: name });
  if (user === undefined) throw new CountersignError('cosign-not-enrolled', `${name} has not registered`);
  const signerName = `${provider.name}.${name}`;
  const { prefix } = await client.chain();
  const [there] = await client.accountsThatAre([signerName]);
  let fees = 0n;
  if (there === null || there === undefined) {
    const key = await vault.create(signerName, ({ publicKey }) => formatPublicKey(publicKey, prefix));
    const text = formatPublicKey(key.publicKey, prefix);
    const owner = {
      weight_threshold: 1,
      account_auths: [[provider.id, 1]],
      key_auths: [],
      address_auths: [],
    };
    const create = newAccount(provider.id, signerName, owner, single(text), text);
    ({ fees } = await send(client, [create], [await ownKey(context)], context.maxFee));
  }
  const signer = await client.account(signerName);
  // A node may have kept what we sent to itself, and somebody have used the name, and our key beside one of theirs.
  const flaw = signerFlaw(signer, provider.id);
  if (flaw !== undefined) {
    throw new CountersignError('cosign-conflict', `${signerName} is on the chain, and ${flaw}`);
  }
  const key = vault.holds(
    signerName,
    signer.active.key_auths.map(([one]) => one),
  );
  if (key === undefined) {
    throw new CountersignError('cosign-conflict', `the key of ${signerName} is not kept here`, {
      hint: `\`countersign cosign rotate ${name}\` gives it a new one`,
    });
  }
  store.change('users', { account: name }, { signer: signer.name, signer_id: signer.id });
  return { signer, fees, key };
}

/**
 * Gives the account that signs for a person a new active key, by its owner: the person has nothing to do. The old
 * key is forgotten once the chain has the new one.
 */
export async function rotate(
  context: ProviderContext,
  name: string,
): Promise<{ readonly key: string; readonly fees: bigint }> {
  const { vault, client, account: provider } = context;
  const { signer, signer_id } = enrolled(context, name);
  const { prefix } = await client.chain();
  const key = await vault.create(signer, ({ publicKey }) => formatPublicKey(publicKey, prefix));
  const text = formatPublicKey(key.publicKey, prefix);
  const update: OperationJson = [
    6,
    { fee: NO_FEE, account: signer_id, active: single(text), extensions: {} },
  ];
  const [[, { fee }]] = (await client.withFees([update])) as [OperationJson];
  // An account pays for its own change, and this one has nothing: its owner gives it what that costs.
  const pay: OperationJson = [
    0,
    { fee: NO_FEE, from: provider.id, to: signer_id, amount: fee, extensions: [] },
  ];
  const { fees } = await send(client, [pay, update], [await ownKey(context)], context.maxFee);
  vault.forgetAllBut(signer, text);
  return { key: text, fees };
}

export function enrolled(
  { store }: ProviderContext,
  name: string,
): UserRow & { signer: string; signer_id: string } {
  const user = store.one('users', { account: name });
  if (user?.signer == null || user.signer_id == null) {
    throw new CountersignError('cosign-not-enrolled', `this provider does not sign for ${name}`);
  }
  return user as UserRow & { signer: string; signer_id: string };
}
