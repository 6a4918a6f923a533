/**
 * Which providers an account needs, and where they are reached: the account's own authority names the accounts that
 * sign for it, their owner is the provider, and a provider publishes its address on the chain.
 * @module
 */
import { CountersignError } from '@countersign/core';
import type { ChainAccount, ChainClient } from '../chain-client.ts';
import { publishedAddress } from '../published-address.ts';
import { signerFlaw } from '../signer-account.ts';

const PUBLISHES = 'a provider publishes where it is reached when it starts: ask whoever runs it';

export interface FoundProvider {
  /** The account that signs, `sfactor.alice`. */
  readonly signer: ChainAccount;
  /** Whose it is, `sfactor`. */
  readonly provider: ChainAccount;
  readonly url: string;
}

/**
 * The providers in an account's active authority.
 * @param known addresses by the names of providers, for those that publish none
 */
export async function findProviders(
  client: ChainClient,
  account: ChainAccount,
  known: Readonly<Record<string, string>> = {},
): Promise<FoundProvider[]> {
  const signers = await client.accounts(account.active.account_auths.map(([id]) => id));
  const found: FoundProvider[] = [];
  for (const signer of signers) {
    const [[owner] = []] = signer.owner.account_auths;
    if (owner === undefined) continue;
    const provider = await client.account(owner);
    const url = await reachedAt(client, provider, known);
    if (url !== undefined) found.push({ signer, provider, url });
  }
  return found;
}

/** @throws `cosign-not-enrolled` where there is no way to reach a provider */
export async function addressOf(
  client: ChainClient,
  provider: string,
  known: Readonly<Record<string, string>> = {},
): Promise<string> {
  const url = await reachedAt(client, await client.account(provider), known);
  if (url !== undefined) return url;
  throw new CountersignError('cosign-not-enrolled', `${provider} has published no address`, {
    hint: PUBLISHES,
  });
}

/**
 * The account by which a provider signs for somebody, by its name on the chain.
 * @throws `cosign-not-enrolled` where there is none, `cosign-conflict` where it is not the provider’s alone
 */
export async function signerOf(
  client: ChainClient,
  provider: string,
  account: string,
): Promise<ChainAccount> {
  const name = `${provider}.${account}`;
  const { id } = await client.account(provider);
  const [signer] = await client.accountsThatAre([name]);
  if (signer == null)
    throw new CountersignError('cosign-not-enrolled', `the chain has no account ${name} yet`);
  const flaw = signerFlaw(signer, id);
  if (flaw === undefined) return signer;
  throw new CountersignError('cosign-conflict', `${name} is not by ${provider} alone: it ${flaw}`);
}

/**
 * That a provider is reached at an address by its own word on the chain. A server’s word for whose it is is no more than
 * that: it may pass on the answers of another.
 * @param url without a slash at its end
 * @throws `provider-answer-invalid`, `chain-account-unknown`
 */
export async function checkReachedAt(client: ChainClient, provider: string, url: string): Promise<void> {
  const { id, name } = await client.account(provider);
  const published = await publishedAddress(client, id);
  if (name === provider && published?.replace(/\/$/, '') === url) return;
  if (published === undefined) {
    throw new CountersignError('provider-answer-invalid', `${provider} has published no address`, {
      hint: PUBLISHES,
    });
  }
  throw new CountersignError(
    'provider-answer-invalid',
    `${provider} is reached at ${published}, and not at ${url}`,
    { hint: `nothing was signed; if it is ${provider} that you mean: --provider ${provider}` },
  );
}

/** What it published holds: it may have moved since its address was told. */
async function reachedAt(
  client: ChainClient,
  { id, name }: ChainAccount,
  known: Readonly<Record<string, string>>,
): Promise<string | undefined> {
  const published = await publishedAddress(client, id).catch((error: unknown) => {
    // A node may keep no history.
    if (known[name] === undefined) throw error;
  });
  return published ?? known[name];
}
