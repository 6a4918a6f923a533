/**
 * `npm run wallet-demo`: the wallet in a browser, alone, with all that it needs: a broker, a small chain, two
 * providers that alice's account needs, and a shop with links for the wallet. It runs until Ctrl-C.
 * @module
 */
import { once } from 'node:events';
import { startWallet } from '../../examples/wallet/server.ts';
import { startShop } from '../../examples/wallet/shop.ts';
import { formatWif } from '../../packages/graphene/src/index.ts';
import { compileOnce } from '../compile-once.ts';
import { startCosignProcesses } from '../cosign-processes.ts';
import { PASSPHRASE } from '../processes.ts';

const say = (text: string) => void process.stdout.write(`${text}\n`);

const stop = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => stop.abort());

compileOnce();
await using stack = new AsyncDisposableStack();
try {
  await bringUp(stack);
  if (!stop.signal.aborted) await once(stop.signal, 'abort');
} catch (error) {
  // Ctrl-C reaches the commands that are at work as well: that they end is no failure.
  if (!stop.signal.aborted) throw error;
}
say('Stopping …');

async function bringUp(all: AsyncDisposableStack): Promise<void> {
  say('Starting a broker, a small chain, and two providers; this takes a minute …');
  const world = all.use(await startCosignProcesses());
  for (const [earlier, name] of ['sfactor', 'guardian'].entries()) {
    stop.signal.throwIfAborted();
    await world.require(name, earlier);
    say(`alice’s account needs ${name} now.`);
  }
  const wallet = await startWallet({ port: 0, nodes: [world.node] });
  all.defer(() => wallet.close());
  const { origin } = wallet;
  const shop = await startShop({
    ...{ port: 0, nodes: [world.node], wallet: origin },
    ...{ account: 'bob', key: world.bob.active, customer: 'alice' },
  });
  all.defer(() => shop.close());
  say(`
The wallet:          ${origin}
  account            alice
  its key            ${formatWif(world.alice.active)}
A shop, with links:  ${shop.origin}
alice’s phone, in another terminal, where each provider asks:
  COUNTERSIGN_PASSPHRASE='${PASSPHRASE}' COUNTERSIGN_PROFILE=${world.at('phone')} npm run countersign -- watch

Ctrl-C stops everything, and leaves nothing behind.`);
}
