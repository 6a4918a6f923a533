/**
 * A broker, a small chain and providers in this process, and people who are on both: for tests of co-signing.
 * @module
 */
import { join } from 'node:path';
import { after, before } from 'node:test';
import { CountersignError, formatAccountLink, type Question } from '@countersign/core';
import { webCrypto } from '@countersign/core/webcrypto';
import type { KeyProtection } from '../packages/client/src/node/index.ts';
import { buildTransaction, NO_FEE } from '../packages/graphene/src/build-transaction.ts';
import { ChainClient } from '../packages/graphene/src/chain-client.ts';
import { signText } from '../packages/graphene/src/challenge.ts';
import type { Chain, Transaction } from '../packages/graphene/src/index.ts';
import { type ChainPrivateKey, formatPublicKey, newPrivateKey } from '../packages/graphene/src/index.ts';
import { enroll, ownKey, publish, send } from '../packages/graphene/src/provider/enrolment.ts';
import { initProvider } from '../packages/graphene/src/provider/init.ts';
import { type RunningProvider, serveProvider } from '../packages/graphene/src/provider/provider.ts';
import type { ServerOptions } from '../packages/graphene/src/provider/server.ts';
import type { Way } from '../packages/graphene/src/provider/ways.ts';
import type { OperationJson } from '../packages/graphene/src/required-authorities.ts';
import { Vault } from '../packages/graphene/src/vault.ts';
import { broadcast, gather } from '../packages/graphene/src/wallet/gather.ts';
import { ProviderApi } from '../packages/graphene/src/wallet/provider-api.ts';
import { startChain } from '../packages/graphene/test/chain/node.ts';
import { genesisOf, newPerson, type Person } from '../packages/graphene/test/chain/people.ts';
import { makeParty, type Party, startTestBroker, type TestBroker, TestClock } from './parties.ts';
import { temporaryFolder } from './processes.ts';
import { until } from './until.ts';

/** Without Argon2id, which takes a second each time: what is tested here is not the passphrase. */
export const protection: KeyProtection = {
  create: async () => ({ key: new Uint8Array(32).fill(7), parameters: { kdf: 'none' } }),
  opens: () => true,
  unlock: async () => new Uint8Array(32).fill(7),
  discard: async () => {},
  wrongKey: (cause) => new CountersignError('passphrase-wrong', 'another key', { cause }),
};

/** Everybody calls from one address here. */
const UNLIMITED = { reading: 1e6, asking: 1e6, registering: 1e6 };

export interface Member {
  readonly name: string;
  readonly party: Party;
  readonly keys: Person;
  readonly id: string;
  readonly vault: Vault;
}

export interface ExistingChain {
  readonly node: string;
  readonly faucet: Pick<Person, 'name' | 'active'>;
  /** What a provider is given, for its membership and its fees, in the smallest unit of the core asset. */
  readonly fund: bigint;
}

export interface CosignWorld {
  readonly clock: TestClock;
  readonly home: TestBroker;
  /** The address of the chain's node. */
  readonly node: string;
  readonly client: ChainClient;
  readonly chain: Chain;
  readonly faucet: Pick<Person, 'name' | 'active'>;
  readonly folder: string;
  /** A provider that serves, its account on the chain, and its data. */
  provider(
    name: string,
    ways?: readonly Way[],
    port?: number,
  ): Promise<RunningProvider & { readonly data: string }>;
  /** The same provider, served anew from its data. */
  restart(
    provider: { readonly data: string; readonly origin: string },
    options?: ServerOptions,
  ): Promise<RunningProvider>;
  /** Somebody new on the chain and on the broker, with the key of their account in a wallet. */
  member(name: string): Promise<Member>;
  /** The person's device and the provider become contacts of each other. */
  meet(party: Party, provider: RunningProvider): Promise<void>;
  /** Steps 1 to 4: from then on the member needs the provider. */
  enrol(member: Member, provider: RunningProvider): Promise<void>;
  transfer(from: string, to: string, amount: number, asset?: string): OperationJson;
  build(operations: readonly OperationJson[], life?: number): Promise<Transaction>;
  balance(id: string): Promise<bigint>;
  /** Cuts the line to the small chain at the next call of a method: before it is done, or when its answer is lost. */
  cut(method: string, when: 'before' | 'after'): void;
  /** How the chain writes a key. */
  keyText(key: ChainPrivateKey): string;
  /** Lets the device answer the question that comes next; and what that was. */
  answer(party: Party, decision: 'accept' | 'reject'): Promise<Question>;
}

/**
 * @param chain an existing one, in the place of a small chain of one's own: the address of a node, and an account that
 *   may register others and pays for them
 */
export function createCosignWorld(chain?: ExistingChain): CosignWorld {
  const clock = new TestClock();
  const faucet = chain?.faucet ?? newPerson('faucet');
  const tag = chain === undefined ? '' : `-${process.pid}`;
  const stack = new AsyncDisposableStack();
  const world = {} as { -readonly [K in keyof CosignWorld]: CosignWorld[K] };
  const ready = Promise.withResolvers<void>();
  const cuts = new Map<string, 'before' | 'after'>();
  let serial = 0;

  before(async () => {
    const folder = stack.use(await temporaryFolder());
    const home = stack.use(await startTestBroker(clock));
    const node = chain?.node ?? (await smallChain());
    const client = new ChainClient({ nodes: [node] });
    stack.defer(() => client.close());
    Object.assign(world, {
      folder: folder.path,
      home,
      node,
      client,
      chain: await client.chain(),
    });
    ready.resolve();
  });
  after(() => stack.disposeAsync());

  const smallChain = async () => {
    const cut = (method: string) => {
      const when = cuts.get(method);
      cuts.delete(method);
      return when;
    };
    const { url } = stack.use(await startChain(genesisOf([faucet as Person]), { now: clock.now, cut }));
    return url;
  };
  const faucetId = async () => (await world.client.account(faucet.name)).id;
  const keyText = (key: ChainPrivateKey) => formatPublicKey(key.publicKey, world.chain.prefix);
  const fund = async (to: string, amount: number) =>
    send(world.client, [world.transfer(await faucetId(), to, amount)], [faucet.active]);

  return Object.assign(world, {
    clock,
    faucet,
    async provider(start: string, ways: readonly Way[] = [], port = 0) {
      const name = `${start}${tag}`;
      // Another hook may be the one that asks.
      await ready.promise;
      const data = join(world.folder, name);
      const common = { data, protection, crypto: webCrypto, clock };
      await initProvider({
        ...common,
        name,
        nodes: [world.node],
        countersign: { name: `${name}@example.com`, broker: world.home.origin },
        registrar: {
          name: faucet.name,
          key: faucet.active,
          fund: chain?.fund ?? 1_000_000n,
          owner: newPrivateKey(),
        },
      });
      const running = await serveProvider({
        ...common,
        ways,
        limits: UNLIMITED,
        host: '127.0.0.1',
        port,
        proposalsEvery: 0.3,
      });
      stack.use(running);
      const { context } = running;
      const { id } = context.account;
      await publish(world.client, id, running.origin, await ownKey(context));
      return { ...running, data };
    },
    restart: (
      { data, origin }: { readonly data: string; readonly origin: string },
      options: ServerOptions = { limits: UNLIMITED },
    ) => {
      const port = Number(new URL(origin).port);
      const common = { data, protection, crypto: webCrypto, clock };
      return serveProvider({ ...common, ...options, host: '127.0.0.1', port });
    },
    async member(start: string) {
      const name = `${start}${tag}${++serial}`;
      const keys = newPerson(name);
      const authority = (key: ChainPrivateKey) => ({
        weight_threshold: 1,
        account_auths: [],
        key_auths: [[keyText(key), 1]],
        address_auths: [],
      });
      const create: OperationJson = [
        5,
        {
          fee: NO_FEE,
          registrar: await faucetId(),
          referrer: await faucetId(),
          referrer_percent: 0,
          name,
          owner: authority(keys.owner),
          active: authority(keys.active),
          options: {
            memo_key: keyText(keys.active),
            voting_account: '1.2.5',
            num_witness: 0,
            num_committee: 0,
            votes: [],
            extensions: [],
          },
          extensions: {},
        },
      ];
      await send(world.client, [create], [faucet.active]);
      const { id } = await world.client.account(name);
      await fund(id, 1_000_000);
      const vault = await Vault.open(join(world.folder, `${name}.db`), protection, name);
      stack.defer(() => vault.close());
      await vault.keep(name, keys.active, keyText(keys.active));
      const party = await makeParty(world.home.origin, `${name}@example.com`, clock);
      return { name, party, keys, id, vault };
    },
    meet,
    async enrol({ name, party, keys, vault }: Member, provider: RunningProvider) {
      const api = new ProviderApi(provider.origin);
      await meet(party, provider);
      const { identity, broker } = party.device.session.keys;
      const begun = await api.begin(name, formatAccountLink({ name: party.name, identity, broker }), {});
      await api.prove(begun.registration, signText(begun.challenge!, keys.active));
      await world.answer(party, 'accept');
      const done = await api.registration(begun.registration);
      if (done.state !== 'registered') throw new Error(`the registration is ${done.state}`);
      await enroll(provider.context, name);
      const operation = (await api.requiring(name)) as OperationJson;
      const transaction = await buildTransaction(world.client, [operation]);
      const { active } = await world.client.account(name);
      const answers = async () => {
        for (const _ of active.account_auths) await world.answer(party, 'accept');
      };
      const [signed] = await Promise.all([gather(transaction, { client: world.client, vault }), answers()]);
      await broadcast(world.client, signed);
    },
    transfer: (from: string, to: string, amount: number, asset = '1.3.0'): OperationJson => [
      0,
      { fee: NO_FEE, from, to, amount: { amount, asset_id: asset }, extensions: [] },
    ],
    build: (operations: readonly OperationJson[], life?: number) =>
      buildTransaction(world.client, operations, life),
    balance: (id: string) => world.client.balance(id, '1.3.0'),
    cut: (method: string, when: 'before' | 'after') => void cuts.set(method, when),
    keyText,
    async answer(party: Party, decision: 'accept' | 'reject') {
      const first = await until(
        async () => (await party.device.pending()).requests[0],
        () => `${party.name} is asked nothing`,
      );
      await party.device.answer(first, { decision, shown: 'screen' });
      return first.question;
    },
  });
}

/** The person's device and the provider become contacts of each other. */
async function meet(party: Party, provider: RunningProvider): Promise<void> {
  const { name, identity } = provider.context.enquirer.session.keys;
  await party.device.session.book.bind(name, identity, 'link');
  await party.device.contacts.change({ name, identity }, 'allow');
}
