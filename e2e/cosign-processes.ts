/**
 * Co-signing in real processes: a broker, a small chain, providers; alice with a phone and a laptop at the command
 * line, and an operator.
 * @module
 */
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { MAX_PER_MINUTE } from '../packages/broker/src/limits.ts';
import { ChainClient } from '../packages/graphene/src/chain-client.ts';
import { type ChainPrivateKey, formatWif } from '../packages/graphene/src/index.ts';
import { genesisOf, newPerson, type Person } from '../packages/graphene/test/chain/people.ts';
import { startProgram } from './json-programs.ts';
import {
  countersign,
  type Finished,
  type RunOptions,
  startBrokerProcess,
  temporaryFolder,
} from './processes.ts';
import { until } from './until.ts';

const path = (file: string) => fileURLToPath(new URL(file, import.meta.url));
const CHAIN = path('../packages/graphene/test/chain/main.ts');
const PROVIDER = path('../packages/graphene/src/main.ts');

export interface CosignProcesses extends AsyncDisposable {
  readonly alice: Person;
  readonly bob: Person;
  /** Who registers accounts and pays for them. */
  readonly faucet: Person;
  /** Where the broker is. */
  readonly broker: string;
  /** The chain's node, and a client of it. */
  readonly node: string;
  readonly client: ChainClient;
  /** A file of this world's folder. */
  at(name: string): string;
  /** The command line in a profile (`phone`, `laptop`, `operator`); it must do what it is told. */
  cli(profile: string, words: readonly string[], options?: RunOptions): Promise<string>;
  /** The same, whatever comes of it. */
  run(profile: string, words: readonly string[], options?: RunOptions): Promise<Finished>;
  /** A file with a key in WIF. */
  key(name: string, of: ChainPrivateKey): Promise<string>;
  /** Ids of the questions on alice's phone. */
  pending(): Promise<string[]>;
  /** Answers the question that is there, or comes next, on alice's phone. */
  answer(decision: 'accept' | 'reject'): Promise<void>;
  /** Waits until a provider may ask alice once more, whose answers were all given by `answer`. */
  mayAsk(provider: string): Promise<void>;
  /** A provider that serves, known to alice's phone; where it is reached. */
  provider(name: string, args?: readonly string[]): Promise<string>;
  /** A provider that alice's account needs from then on, beside those that it needs already; where it is reached. */
  require(name: string, earlier?: number): Promise<string>;
  /** The link of alice's Countersign account. */
  link(): Promise<string>;
}

export async function startCosignProcesses(): Promise<CosignProcesses> {
  const stack = new AsyncDisposableStack();
  try {
    return await start(stack);
  } catch (error) {
    await stack.disposeAsync();
    throw error;
  }
}

async function start(stack: AsyncDisposableStack): Promise<CosignProcesses> {
  const { path: folder } = stack.use(await temporaryFolder());
  const at = (name: string) => join(folder, name);
  const broker = await startBrokerProcess(at('broker'));
  stack.defer(() => broker.stop());
  const [faucet, alice, bob] = ['faucet', 'alice', 'bob'].map(newPerson) as [Person, Person, Person];
  await writeFile(at('genesis.json'), JSON.stringify(genesisOf([faucet, alice, bob])));
  const node = String((await startProgram(stack, [CHAIN, at('genesis.json')])).ready.url);
  const client = new ChainClient({ nodes: [node] });
  stack.defer(() => client.close());

  const run = (profile: string, words: readonly string[], options: RunOptions = {}) =>
    countersign(at(profile), words, options);
  const cli = async (profile: string, words: readonly string[], options: RunOptions = {}) => {
    const { status, stdout, stderr } = await run(profile, words, options);
    assert.equal(status, 0, `${words.join(' ')}: ${stdout}${stderr}`);
    return stdout;
  };
  const key = async (name: string, of: ChainPrivateKey) => {
    await writeFile(at(name), `${formatWif(of)}\n`, { mode: 0o600 });
    return at(name);
  };
  const waiting = async () => {
    const list = await cli('phone', ['--json', 'confirm', 'pending']);
    return (JSON.parse(list) as { requests: { id: string; enquirer: { name: string }; askedAt: number }[] })
      .requests;
  };
  const pending = async () => (await waiting()).map(({ id }) => id);
  /** When alice was asked, in seconds since 1970, by the account that asked. */
  const askedBy = new Map<string, number[]>();

  await cli('phone', ['account', 'create', 'alice@example.com', '--broker', broker.origin]);
  await cli('laptop', [
    ...['cosign', 'key', 'add', 'alice', await key('alice.wif', alice.active), '--node', node],
  ]);
  const world: CosignProcesses = {
    alice,
    bob,
    faucet,
    broker: broker.origin,
    node,
    client,
    at,
    cli,
    run,
    key,
    pending,
    async answer(decision) {
      const { id, enquirer, askedAt } = await until(
        async () => (await waiting())[0],
        () => 'the phone is asked nothing',
      );
      askedBy.set(enquirer.name, [...(askedBy.get(enquirer.name) ?? []), askedAt]);
      await cli('phone', ['confirm', decision, id], { terminal: true });
    },
    async mayAsk(provider) {
      const fifthLast = askedBy.get(`${provider}@example.com`)?.at(-MAX_PER_MINUTE) ?? 0;
      await delay(Math.max(0, (fifthLast + 61) * 1000 - Date.now()));
    },
    async provider(name, args = []) {
      const data = at(name);
      const registrar = [
        '--registrar',
        'faucet',
        '--registrar-key-file',
        await key('faucet.wif', faucet.active),
      ];
      await cli('operator', [
        ...['cosign', 'provider', 'init', name, '--data', data, '--node', node],
        ...['--account', `${name}@example.com`, '--broker', broker.origin],
        ...[...registrar, '--owner-key-file', at(`${name}-owner.wif`)],
      ]);
      const port = args.includes('--port') ? [] : ['--port', '0'];
      const { ready } = await startProgram(
        stack,
        [PROVIDER, 'serve', '--data', data, ...port, ...args],
        (line) => 'local' in line,
      );
      const url = String(ready.origin);
      const info = (await (await fetch(`${url}/v1/provider`)).json()) as { countersign: string };
      await cli('phone', ['contact', 'add', info.countersign]);
      return url;
    },
    async require(name, earlier = 0) {
      const url = await world.provider(name);
      const link = ['--countersign', await world.link()];
      await Promise.all([
        cli('laptop', ['cosign', 'register', 'alice', '--provider', url, ...link]),
        world.answer('accept'),
      ]);
      await cli('operator', ['cosign', 'enroll', 'alice', '--data', at(name)]);
      const answers = async () => {
        for (let n = 0; n < earlier; n++) await world.answer('accept');
      };
      const words = ['cosign', 'require', 'alice', '--provider', url, '--yes'];
      await Promise.all([cli('laptop', words), answers()]);
      return url;
    },
    link: async () => (await cli('phone', ['account', 'show', '--link'])).trim(),
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
  return world;
}
