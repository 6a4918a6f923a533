/**
 * The five steps on a chain that is there: a real `witness_node`, where its address is given, else a small chain in a
 * process of its own.
 *
 *   COSIGN_NODE=wss://node.example/ws COSIGN_FAUCET=name COSIGN_FAUCET_KEY_FILE=key.wif COSIGN_FUND=100000000 \\
 *     npm test -- e2e/cosign-node
 *
 * The faucet is a member for life; it registers four accounts, and pays for a membership of the provider's.
 */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { withoutProvider } from '../packages/graphene/src/account-change.ts';
import type { ChainRefusal } from '../packages/graphene/src/chain-socket.ts';
import { parseWif } from '../packages/graphene/src/index.ts';
import { send } from '../packages/graphene/src/provider/enrolment.ts';
import { broadcast, gather } from '../packages/graphene/src/wallet/gather.ts';
import { genesisOf, newPerson } from '../packages/graphene/test/chain/people.ts';
import { createCosignWorld, type ExistingChain } from './cosign-world.ts';
import { temporaryFolder } from './processes.ts';

const stack = new AsyncDisposableStack();
const world = createCosignWorld(await chainOf(process.env));

async function chainOf(env: NodeJS.ProcessEnv): Promise<ExistingChain> {
  const { COSIGN_NODE: node, COSIGN_FAUCET: name, COSIGN_FAUCET_KEY_FILE: file, COSIGN_FUND: fund } = env;
  if (node === undefined) return smallChain();
  if (name === undefined || file === undefined || fund === undefined) {
    throw new Error('COSIGN_NODE needs COSIGN_FAUCET, COSIGN_FAUCET_KEY_FILE and COSIGN_FUND');
  }
  const active = parseWif(readFileSync(file, 'utf8').trim());
  return { node, faucet: { name, active }, fund: BigInt(fund) };
}

async function smallChain(): Promise<ExistingChain> {
  const folder = stack.use(await temporaryFolder());
  const faucet = newPerson('faucet');
  const genesis = join(folder.path, 'genesis.json');
  await writeFile(genesis, JSON.stringify(genesisOf([faucet])));
  const program = fileURLToPath(new URL('../packages/graphene/test/chain/main.ts', import.meta.url));
  const child = spawn(process.execPath, [program, genesis], { stdio: ['ignore', 'pipe', 'inherit'] });
  stack.defer(async () => {
    const gone = once(child, 'exit');
    child.kill();
    await gone;
  });
  const [line] = (await once(createInterface({ input: child.stdout }), 'line')) as [string];
  return { node: (JSON.parse(line) as { url: string }).url, faucet, fund: 1_000_000n };
}

test('the five steps, and leaving, on a chain in another process', async (t) => {
  t.after(() => stack.disposeAsync());
  const provider = await world.provider('sfactor');
  const [alice, bob] = [await world.member('alice'), await world.member('bob')];
  await world.enrol(alice, provider);
  const pay = [world.transfer(alice.id, bob.id, 700)];
  await assert.rejects(
    send(world.client, pay, [alice.keys.active]),
    ({ chainError, message }: ChainRefusal) =>
      /missing_active_auth|Missing Active Authority/.test(`${chainError} ${message}`),
  );
  const transaction = await world.build(pay);
  const wallet = { client: world.client, vault: alice.vault };
  const [signed] = await Promise.all([gather(transaction, wallet), world.answer(alice.party, 'accept')]);
  const before = await world.balance(bob.id);
  await broadcast(world.client, signed);
  assert.equal(await world.balance(bob.id), before + 700n);

  const [signer] = await world.client.accounts([`${provider.context.account.name}.${alice.name}`]);
  const leave = withoutProvider(await world.client.account(alice.name), signer!.id);
  await send(world.client, [leave], [alice.keys.owner]);
  await send(world.client, pay, [alice.keys.active]);
  assert.equal(await world.balance(bob.id), before + 1400n);
});
