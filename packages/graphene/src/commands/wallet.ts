/**
 * `countersign cosign`, the wallet's side: key and register here, the rest by the files that it is put together of.
 * @module
 */
import { join } from 'node:path';
import { FileKeyStore } from '@countersign/client/node';
import { type AccountLink, CountersignError, formatAccountLink, parseAccountLink } from '@countersign/core';
import type { Command } from 'commander';
import encodeQR from 'qr';
import { registrationText, signText } from '../challenge.ts';
import { formatPublicKey } from '../keys.ts';
import { ProviderApi, type Registration } from '../wallet/provider-api.ts';
import { addAccountCommands } from './account.ts';
import {
  EXIT,
  isAddress,
  type NamedProvider,
  NODE,
  openWallet,
  providerNamed,
  readKeys,
  type Shell,
  type Wallet,
} from './context.ts';
import { addLoginCommand } from './login.ts';
import { addOpenCommand } from './open.ts';
import { addPolicyCommands } from './policy.ts';
import { addProposalCommands } from './proposal.ts';
import { addSignCommand } from './sign.ts';

interface Begun {
  readonly provider: string;
  readonly registration: string;
}

export function addWalletCommands(program: Command, shell: Shell): void {
  const key = program.command('key').description('keys of the chain in this wallet');
  key
    .command('add')
    .description('keep a key of an account, sealed; it is read in WIF')
    .argument('<account>', 'the account on the chain')
    .argument('<file>', 'with the key in WIF, or - for standard input')
    .option(...NODE)
    .action(async (account: string, file: string, options) => {
      await using wallet = await openWallet(shell, options);
      const { prefix } = await wallet.client.chain();
      for (const one of readKeys(file)) {
        const text = formatPublicKey(one.publicKey, prefix);
        await wallet.vault.keep(account, one, text);
        shell.print(`Kept a key of ${account}: ${text}`);
      }
    });

  program
    .command('register')
    .description(
      'identify yourself to a provider: by your account’s key, by what else it asks for, on your device',
    )
    .argument('<account>', 'your account on the chain')
    .option('--provider <name or url>', 'which provider')
    .option(...NODE)
    .option('--countersign <link>', 'the Countersign account that will confirm; by default the profile’s own')
    .option('--email <address>', 'where the provider asks for one')
    .option('--phone <number>', 'where the provider asks for one')
    .option('--token <number>', 'where the provider asks for one that it gave you')
    .option('--new-fob', 'register another security key or token of yours than the one that is known')
    .option(
      '--owner-key-file <file>',
      'sign with your owner key in WIF, or - for standard input; it is not kept',
    )
    .option(
      '--code <code...>',
      'go on with the code that was sent; where there are several, like email=123456',
    )
    .action(async (account: string, options) => {
      await using wallet = await openWallet(shell, options);
      await register(shell, wallet, account, options);
    });

  addAccountCommands(program, shell);
  addOpenCommand(program, shell);
  addLoginCommand(program, shell);
  addSignCommand(program, shell);
  addProposalCommands(program, shell);
  addPolicyCommands(program, shell);
}

interface RegisterOptions {
  readonly provider?: string;
  readonly countersign?: string;
  readonly email?: string;
  readonly phone?: string;
  readonly token?: string;
  readonly newFob?: true;
  readonly ownerKeyFile?: string;
  readonly code?: readonly string[];
}

/** `123456`, or `email=123456 phone=654321`. */
function codesOf(given: readonly string[], ways: readonly string[]): Record<string, string> {
  const named = given.map((one) => one.split('=') as [string, string?]);
  return Object.fromEntries(
    ways.map((way) => [
      way,
      named.find(([name]) => name === way)?.[1] ?? given.find((one) => !one.includes('=')) ?? '',
    ]),
  );
}

async function register(
  shell: Shell,
  wallet: Wallet,
  account: string,
  options: RegisterOptions,
): Promise<void> {
  const { state, client } = wallet;
  const before = await state.get<Begun>('cosign-registration', account);
  let api: ProviderApi;
  let now: Registration;
  if (options.code !== undefined && before !== undefined) {
    api = new ProviderApi(before.provider);
    const { codes = [] } = await api.registration(before.registration);
    now = await api.giveCodes(before.registration, codesOf(options.code, codes));
  } else {
    const named = options.provider ?? before?.provider;
    if (named === undefined) throw new CountersignError('usage', 'which provider? --provider is missing');
    const provider = await providerToBe(shell, wallet, named);
    ({ api } = provider);
    const info = await api.info();
    const chain = await client.chain();
    if (info.chain_id !== chain.id)
      throw new CountersignError('chain-other', 'this provider signs for another chain');
    const link = options.countersign ?? (await ownLink(shell, wallet));
    const begun = await api.begin(account, link, addressesOf(options, info.asks_for));
    await state.update<Begun>('cosign-registration', account, () => ({
      provider: api.url,
      registration: begun.registration,
    }));
    await state.update<string>('cosign-provider', provider.name, () => api.url);
    const asked = {
      account,
      provider: provider.name,
      countersign: parseAccountLink(link),
      challenge: begun.challenge ?? '',
    };
    now = await api.prove(begun.registration, await signChallenge(wallet, asked, options.ownerKeyFile));
    shell.print(`Signed the challenge of ${provider.name} with the key of ${account}.`);
  }
  if (now.state === 'proving') {
    showFobs(shell, now);
    const { codes: ways = [], registration } = now;
    if (ways.length > 0 && !shell.canAsk) {
      shell.print(
        `A code is asked for (${ways.join(', ')}). Go on with: countersign cosign register ${account} --code <code>`,
      );
      shell.exit = EXIT.pending;
      return;
    }
    if (ways.length > 0) {
      const codes: Record<string, string> = {};
      for (const way of ways) codes[way] = await shell.ask(`Code from your ${way}: `);
      now = await api.giveCodes(registration, codes);
    }
  }
  while (now.state === 'proving') now = await api.registration(now.registration);
  if (now.state === 'asked') shell.print('Confirm on your device …');
  while (now.state === 'asked') now = await api.registration(now.registration);
  shell.print(`${account} is ${now.state}.`);
  if (now.state !== 'registered') shell.exit = now.state === 'expired' ? EXIT.expired : EXIT.refused;
}

/** Also one that is no account of the chain yet: what is signed for it can be used by no other. */
async function providerToBe(shell: Shell, wallet: Wallet, named: string): Promise<NamedProvider> {
  if (!isAddress(named)) return providerNamed(wallet, named);
  const api = new ProviderApi(named);
  const { account: name } = await api.info();
  const [there] = await wallet.client.accountsThatAre([name]);
  if (there !== null) return providerNamed(wallet, named);
  shell.print(`${name} is no account of the chain yet: that it is reached here is the server’s word alone.`);
  return { api, name };
}

/** What a provider is told beforehand, of what it asks for. */
function addressesOf(
  { email, phone, token, newFob }: RegisterOptions,
  asked: readonly string[],
): Record<string, string> {
  const named = Object.entries({
    email,
    phone,
    token: token ?? (newFob ? 'new' : undefined),
    'security-key': newFob ? 'new' : undefined,
  });
  return Object.fromEntries(
    named.filter((one): one is [string, string] => one[1] !== undefined && asked.includes(one[0])),
  );
}

function showFobs(shell: Shell, { token, page }: Registration): void {
  if (token !== undefined) {
    shell.print(`Set up your token, or an authenticator app, with:\n  ${token}`);
    if (shell.canAsk) shell.print(encodeQR(token, 'ascii', { ecc: 'low' }));
  }
  if (page !== undefined) shell.print(`Use your security key on this page of the provider’s:\n  ${page}`);
}

interface Challenged {
  readonly account: string;
  /** As the chain names it. */
  readonly provider: string;
  /** Who will confirm, by the link that was sent. */
  readonly countersign: AccountLink;
  readonly challenge: string;
}

/** Signs only a text that says what is meant: this account, this provider, this chain, this device’s account. */
async function signChallenge(
  { client, vault }: Wallet,
  { account, provider, countersign, challenge }: Challenged,
  ownerKeyFile: string | undefined,
): Promise<string> {
  const { id: chainId } = await client.chain();
  const mine = await client.account(account);
  const expected = registrationText({
    chainId,
    provider,
    account,
    accountId: mine.id,
    countersign: countersign.name,
    identity: countersign.identity,
    // The provider's own; all else is known here.
    nonce: challenge.split('\n').at(-1)!,
  });
  if (challenge !== expected) {
    throw new CountersignError(
      'provider-answer-invalid',
      'the provider’s challenge is not one for this account',
    );
  }
  if (ownerKeyFile !== undefined) return signText(challenge, readKeys(ownerKeyFile)[0]!);
  const key = vault.holds(
    account,
    mine.active.key_auths.map(([one]) => one),
  );
  if (key === undefined) {
    throw new CountersignError('key-invalid', `no active key of ${account} is in this wallet`, {
      hint: '`countersign cosign key add` keeps one',
    });
  }
  return signText(challenge, await vault.key(account, key));
}

/** The link of the Countersign account in the same profile. */
async function ownLink(shell: Shell, { folder }: Wallet): Promise<string> {
  const account = await new FileKeyStore(join(folder, 'keys.json'), shell.protection).account();
  if (account !== undefined) return formatAccountLink(account);
  throw new CountersignError('profile-missing', 'this profile has no Countersign account', {
    hint: 'name the one that will confirm: --countersign, with the link that `countersign account show --link` prints',
  });
}
