/**
 * Gathering the signatures of a login: the wallet's own, and those of the providers that the account needs, which ask
 * the person on their device.
 * @module
 */
import { CountersignError } from '@countersign/core';
import { bytesToHex } from '@noble/hashes/utils.js';
import { accountsBelow } from '../chain-facts.ts';
import { type ChainPrivateKey, formatPublicKey } from '../keys.ts';
import { recoverKey, signDigest } from '../signature.ts';
import { fewestKeys } from '../transaction-authority.ts';
import { type LoginRequest, loginFlaw, wholeLogin, wholeLoginDigest } from '../wallet-login.ts';
import { answerOf, fewest, type Gathering } from './gather.ts';
import { ProviderApi } from './provider-api.ts';

/**
 * Signatures over a login, as many as the account's active authority needs and no more. Called again with the same
 * key it goes on.
 * @param account as whom to log in
 * @param own the wallet's key for this login alone
 * @throws `authority-missing` where no choice of signatures suffices, `cosign-refused` where a provider does not sign
 */
export async function gatherLogin(
  request: LoginRequest,
  account: string,
  own: ChainPrivateKey,
  gathering: Gathering,
): Promise<readonly string[]> {
  const { client, vault, onStep = () => {} } = gathering;
  const chain = await client.chain();
  const asked = await client.account(account);
  const accounts = await accountsBelow(client, [asked.id]);
  const suffices = (keys: readonly string[]) =>
    loginFlaw(keys, asked.id, accounts) !== 'insufficient-authority';
  const needed = await fewest(gathering, [asked], accounts, (available) =>
    fewestKeys([...new Set(available)], suffices),
  );
  onStep({
    step: 'needed',
    own: needed.own.map(([name]) => name),
    providers: needed.providers.map(({ provider, url }) => ({ provider: provider.name, url })),
  });
  const login = wholeLogin(request, asked.name, own, chain);
  const digest = wholeLoginDigest(login, chain);
  const text = bytesToHex(digest);
  const mine: string[] = [];
  for (const [name, key] of needed.own) {
    mine.push(signDigest(digest, await vault.key(name, key)));
    onStep({ step: 'signed', by: name });
  }
  const theirs = await Promise.all(
    needed.providers.map(async ({ url, provider, key }) => {
      const api = new ProviderApi(url);
      const first = await api.postLogin(login, mine, chain.id);
      onStep({ step: 'asked', provider: provider.name, url, digest: text });
      const signatures = await answerOf(provider.name, first, () => api.login(text), onStep);
      const [signature] = signatures;
      if (signature !== undefined && signatures.length === 1) {
        if (formatPublicKey(recoverKey(digest, signature), chain.prefix) === key) return signature;
      }
      throw new CountersignError(
        'signature-invalid',
        `${provider.name} gave no signature of its key over this login`,
      );
    }),
  );
  return [...mine, ...theirs];
}
