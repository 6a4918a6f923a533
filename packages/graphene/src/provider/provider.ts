/**
 * A provider put together: its folder, its keys, its account of Countersign, the chain, and the server.
 * @module
 */
import { mkdir } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { type Clock, Device, Enquirer } from '@countersign/client';
import { FileKeyStore, type KeyProtection, SqliteStateStore } from '@countersign/client/node';
import { CountersignError, type CryptoProvider } from '@countersign/core';
import type { FastifyBaseLogger } from 'fastify';
import { MAX_FEE } from '../build-transaction.ts';
import { ChainClient } from '../chain-client.ts';
import { Vault } from '../vault.ts';
import { Changes, follow, type ProviderContext } from './context.ts';
import { Cosigning } from './cosigning.ts';
import { followLogin } from './logins.ts';
import { awaitPolicy } from './policies.ts';
import { followProposal, lookForProposals } from './proposals.ts';
import { awaitDevice } from './registration.ts';
import { createServer, type ServerOptions } from './server.ts';
import { ProviderStore } from './store.ts';
import type { Way } from './ways.ts';

export interface ProviderOptions {
  /** The folder with all that it keeps. */
  readonly data: string;
  /** What its keys are sealed with. */
  readonly protection: KeyProtection;
  readonly crypto: CryptoProvider;
  readonly clock: Clock;
  readonly logger?: FastifyBaseLogger;
  readonly ways?: readonly Way[];
  /** Nodes of the chain, in the place of those that it was made with. */
  readonly nodes?: readonly string[];
  /** What a transaction of the provider's own may cost, of the core asset; 100 where absent. */
  readonly maxFee?: string;
}

export interface Provider extends AsyncDisposable {
  readonly context: ProviderContext;
  /** Lets go of everybody who waits. */
  stop(): void;
}

/** How often the chain is asked for proposals, in seconds. */
const PROPOSALS_EVERY = 5;

/** What of a provider's folder is kept in `settings`. */
export const SETTINGS = {
  account: 'account',
  accountId: 'account-id',
  chain: 'chain',
  nodes: 'nodes',
  origin: 'origin',
} as const;

export function providerFiles(data: string) {
  return {
    store: join(data, 'provider.db'),
    vault: join(data, 'chain-keys.db'),
    keys: join(data, 'keys.json'),
    state: join(data, 'state.db'),
  };
}

const silent = { info: () => {}, warn: () => {}, error: () => {} };

/** The account may be registered while the provider runs: its id is looked up each time. */
function ownAccount(store: ProviderStore, name: string): ProviderContext['account'] {
  return {
    name,
    get id() {
      const id = store.setting(SETTINGS.accountId);
      if (id !== undefined) return id;
      throw new CountersignError('cosign-not-enrolled', `${name} is no account of the chain yet`);
    },
  };
}

/** Opens a provider that `provider init` has made. @throws `profile-missing`, `passphrase-wrong` */
export async function openProvider(options: ProviderOptions): Promise<Provider> {
  const { data, protection, crypto, clock, logger, ways = [], maxFee = MAX_FEE } = options;
  await mkdir(data, { recursive: true, mode: 0o700 });
  const files = providerFiles(data);
  const store = new ProviderStore(files.store);
  const setting = (name: string) => {
    const value = store.setting(name);
    if (value !== undefined) return value;
    throw new CountersignError('profile-missing', `there is no provider in ${data}`, {
      hint: '`countersign cosign provider init` makes one',
    });
  };
  try {
    const account = ownAccount(store, setting(SETTINGS.account));
    const keyStore = new FileKeyStore(files.keys, protection);
    const keys = await keyStore.load();
    if (keys === undefined) throw new CountersignError('profile-missing', `there are no keys in ${data}`);
    const vault = await Vault.open(files.vault, protection, account.name);
    const state = new SqliteStateStore(files.state);
    const client = new ChainClient({
      nodes: options.nodes ?? (JSON.parse(setting(SETTINGS.nodes)) as string[]),
      chainId: setting(SETTINGS.chain),
    });
    const stopping = new AbortController();
    const context: ProviderContext = {
      account,
      store,
      vault,
      client,
      enquirer: new Enquirer({ keys, state, crypto, clock, keyStore }),
      crypto,
      clock,
      logger: logger ?? silent,
      ways,
      maxFee,
      changes: new Changes(),
      stopping: stopping.signal,
    };
    const stop = () => {
      stopping.abort();
      context.changes.tellAll();
    };
    let closed = false;
    return {
      context,
      stop,
      async [Symbol.asyncDispose]() {
        if (closed) return;
        closed = true;
        stop();
        await context.changes.idle();
        client.close();
        vault.close();
        state.close();
        store.close();
      },
    };
  } catch (error) {
    store.close();
    throw error;
  }
}

export interface RunningProvider extends AsyncDisposable {
  readonly context: ProviderContext;
  readonly cosigning: Cosigning;
  readonly origin: string;
}

/** Serves a provider, and goes on with what it had asked before. */
export async function serveProvider(
  options: ProviderOptions &
    ServerOptions & {
      readonly host: string;
      readonly port: number;
      readonly proposalsEvery?: number;
    },
): Promise<RunningProvider> {
  const provider = await openProvider(options);
  const { context } = provider;
  const cosigning = new Cosigning(context);
  const app = await createServer(context, cosigning, options.logger, options);
  await app.listen({ host: options.host, port: options.port });
  const { session } = context.enquirer;
  void new Device(session).maintainHourly(session.keyStore!, context.stopping);
  cosigning.resume();
  for (const { id } of context.store.all('registrations', { state: 'asked' })) {
    follow(context, `registration ${id}`, () => awaitDevice(context, id));
  }
  for (const { id } of context.store.all('policy_changes', { state: 'asked' })) {
    follow(context, `policy ${id}`, () => awaitPolicy(context, id));
  }
  for (const { digest } of context.store.all('logins', { state: 'pending' })) followLogin(context, digest);
  for (const row of context.store.all('proposals', { state: 'asked' })) followProposal(context, row);
  const look = () => follow(context, 'looking for proposals', () => lookForProposals(context));
  const looking = setInterval(look, (options.proposalsEvery ?? PROPOSALS_EVERY) * 1000);
  const { port } = app.server.address() as AddressInfo;
  return {
    context,
    cosigning,
    origin: `http://${options.host}:${port}`,
    async [Symbol.asyncDispose]() {
      clearInterval(looking);
      provider.stop();
      await app.close();
      await provider[Symbol.asyncDispose]();
    },
  };
}
