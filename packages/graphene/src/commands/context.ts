/**
 * What the commands of `countersign cosign` have in common.
 * @module
 */
import { readFileSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { type Clock, systemClock } from '@countersign/client';
import { type KeyProtection, passphraseProtection, SqliteStateStore } from '@countersign/client/node';
import { CountersignError, type CryptoProvider } from '@countersign/core';
import { webCrypto } from '@countersign/core/webcrypto';
import { read } from 'read';
import { ChainClient } from '../chain-client.ts';
import { type ChainPrivateKey, parseWif } from '../keys.ts';
import { Vault } from '../vault.ts';
import { addressOf, checkReachedAt } from '../wallet/find-providers.ts';
import { ProviderApi } from '../wallet/provider-api.ts';

export interface Shell {
  readonly crypto: CryptoProvider;
  readonly clock: Clock;
  readonly variables: NodeJS.ProcessEnv;
  readonly protection: KeyProtection;
  /** What a script learns: 0 only where it is done. */
  exit: number;
  print(text: string): void;
  canAsk: boolean;
  ask(prompt: string): Promise<string>;
}

export const EXIT = {
  ok: 0,
  refused: 1,
  expired: 2,
  pending: 6,
  failed: 9,
  usage: 64,
  unreachable: 69,
} as const;

export function processShell(): Shell {
  let typed: string | undefined;
  const canAsk = process.stdin.isTTY === true && process.stderr.isTTY === true;
  return {
    crypto: webCrypto,
    clock: systemClock,
    variables: process.env,
    // One passphrase seals all the keys of one folder, and is asked for once.
    protection: passphraseProtection(async (name, fresh) => {
      typed ??= await passphrase(name, fresh, canAsk);
      return typed;
    }),
    exit: EXIT.ok,
    print: (text) => void process.stdout.write(`${text}\n`),
    canAsk,
    ask: (prompt) => read({ prompt, output: process.stderr }),
  };
}

/**
 * Whether the person says yes, here or beforehand; where nobody can be asked, nobody has. A no is said, and is the
 * program's exit status.
 */
export async function saysYes(shell: Shell, question: string, beforehand: boolean): Promise<boolean> {
  if (beforehand || (shell.canAsk && (await shell.ask(`${question} (yes or no): `)) === 'yes')) return true;
  shell.print('Nothing was signed.');
  shell.exit = EXIT.refused;
  return false;
}

async function passphrase(name: string, fresh: boolean, canAsk: boolean): Promise<string> {
  const { COUNTERSIGN_PASSPHRASE_FILE: file, COUNTERSIGN_PASSPHRASE: given } = process.env;
  const text = file !== undefined ? readFileSync(file, 'utf8').replace(/\r?\n$/, '') : given;
  if (text !== undefined) {
    if (text.length > 0 || !fresh) return text;
    throw new CountersignError('passphrase-needed', 'an empty passphrase seals nothing');
  }
  if (!canAsk) {
    throw new CountersignError(
      'passphrase-needed',
      'the keys are sealed with a passphrase, and nobody can be asked',
      {
        hint: 'set COUNTERSIGN_PASSPHRASE_FILE to a file that holds it, readable by this user only',
      },
    );
  }
  const typed = await secret(`${fresh ? 'New passphrase' : 'Passphrase'} for the keys of ${name} here: `);
  if (fresh && (typed.length === 0 || (await secret('Once more: ')) !== typed)) {
    throw new CountersignError('passphrase-wrong', 'the two passphrases differ, or are empty');
  }
  return typed;
}

async function secret(prompt: string): Promise<string> {
  const typed = await read({ prompt, silent: true, output: process.stderr });
  process.stderr.write('\n');
  return typed;
}

/** Private keys in WIF, one a line. @throws `key-invalid` */
export function readKeys(file: string): ChainPrivateKey[] {
  return readFileSync(file === '-' ? 0 : file, 'utf8')
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '')
    .map(parseWif);
}

/** The option by which every command of the wallet finds the chain. */
export const NODE = [
  '--node <url...>',
  'nodes of the chain, remembered; where there are two, both must agree',
] as const;

export interface WalletOptions {
  readonly node?: readonly string[];
}

/** A wallet: the folder of a profile, with sealed keys of the chain, and what it remembers. */
export interface Wallet extends AsyncDisposable {
  readonly folder: string;
  readonly client: ChainClient;
  readonly vault: Vault;
  readonly state: SqliteStateStore;
  /** Addresses of providers by their names, as the person gave them. */
  known(): Promise<Record<string, string>>;
}

interface Network {
  readonly nodes: readonly string[];
  readonly chainId: string;
}

/** Opens the wallet of the profile. Nodes are remembered, and so is the chain that they are of. */
export async function openWallet(shell: Shell, { node }: WalletOptions): Promise<Wallet> {
  const folder = shell.variables.COUNTERSIGN_PROFILE;
  if (folder === undefined) {
    throw new CountersignError('usage', 'which profile? COUNTERSIGN_PROFILE is not set', {
      hint: '`countersign --profile alice cosign …` sets it',
    });
  }
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const state = new SqliteStateStore(join(folder, 'state.db'));
  const kept = await state.get<Network>('cosign', 'network');
  const nodes = node ?? kept?.nodes;
  if (nodes === undefined) {
    state.close();
    throw new CountersignError('usage', 'which chain? name a node of it', {
      hint: '--node wss://node.example/ws',
    });
  }
  const client = new ChainClient({ nodes, ...(kept === undefined ? {} : { chainId: kept.chainId }) });
  const { id: chainId } = await client.chain();
  await state.update<Network>('cosign', 'network', () => ({ nodes, chainId }));
  const vault = await Vault.open(join(folder, 'chain-keys.db'), shell.protection, 'the chain');
  return {
    folder,
    client,
    vault,
    state,
    known: async () =>
      Object.fromEntries((await state.list<string>('cosign-provider')).map(([name, url]) => [name, url])),
    async [Symbol.asyncDispose]() {
      client.close();
      vault.close();
      state.close();
    },
  };
}

/** A provider, and its account on the chain: nothing is signed for another. */
export interface NamedProvider {
  readonly api: ProviderApi;
  readonly name: string;
}

/**
 * A provider by its address, or by its name on the chain. Whose address it is the chain must say as well.
 * @throws `cosign-not-enrolled`, `provider-answer-invalid`
 */
export async function providerNamed(wallet: Wallet, named: string): Promise<NamedProvider> {
  const { client } = wallet;
  if (!isAddress(named)) {
    return { api: new ProviderApi(await addressOf(client, named, await wallet.known())), name: named };
  }
  const api = new ProviderApi(named);
  const { account: name } = await api.info();
  await checkReachedAt(client, name, api.url);
  return { api, name };
}

export function isAddress(named: string): boolean {
  return /^https?:/.test(named);
}
