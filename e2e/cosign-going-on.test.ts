import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { newPerson } from '../packages/graphene/test/chain/people.ts';
import { type CosignProcesses, startCosignProcesses } from './cosign-processes.ts';
import { PASSPHRASE } from './processes.ts';
import { until } from './until.ts';

const COSIGN = fileURLToPath(new URL('../packages/graphene/src/main.ts', import.meta.url));

const stack = new AsyncDisposableStack();
let world: CosignProcesses;

before(async () => {
  world = stack.use(await startCosignProcesses());
  await world.require('sfactor');
});
after(() => stack.disposeAsync());

const balance = async (name: string) => world.client.balance((await world.client.account(name)).id, '1.3.0');

describe('`cosign sign`', () => {
  test('killed while the phone is asked, goes on without arguments: asked once, executed once', async () => {
    const before = await balance('bob');
    const pay = ['sign', '--from', 'alice', '--to', 'bob', '--amount', '3 TEST', '--memo', 'for the tea'];
    const env = {
      ...process.env,
      COUNTERSIGN_PASSPHRASE: PASSPHRASE,
      COUNTERSIGN_PROFILE: world.at('laptop'),
    };
    const wallet = spawn(process.execPath, [COSIGN, ...pay], { env, stdio: 'ignore' });
    const asked = await until(async () => {
      const pending = await world.pending();
      return pending.length > 0 && pending;
    });
    wallet.kill('SIGKILL');
    await once(wallet, 'exit');
    assert.equal(await balance('bob'), before);
    assert.deepEqual(await world.pending(), asked);

    const [said] = await Promise.all([
      world.cli('laptop', ['cosign', 'sign']),
      world.answer('accept').then(async () => assert.deepEqual(await world.pending(), [])),
    ]);
    assert.match(said, /^Transfer 3 TEST from alice to bob$/m);
    assert.match(said, /for the tea/);
    assert.match(said, /^Executed by the chain, in block \d+/m);
    assert.equal(await balance('bob'), before + 300_000n);
    const nothing = await world.run('laptop', ['cosign', 'sign']);
    assert.equal(nothing.status, 64, 'what is done is not done again');
  });
});

describe('`provider init --key-file`', () => {
  test('adopts an account that is there, and refuses a key that is not its own', async () => {
    const { cli, run, at, key, bob, node, client, broker } = world;
    const words = [
      ...['cosign', 'provider', 'init', 'bob', '--data', at('adopted'), '--node', node],
      ...['--account', 'bobs-provider@example.com', '--broker', broker, '--key-file'],
    ];
    const foreign = await run('operator', [...words, await key('foreign.wif', newPerson('x').active)]);
    assert.equal(foreign.status, 9, foreign.stderr);
    assert.match(foreign.stderr, /none of the keys given is an active key of bob \(authority-missing\)/);
    const said = await cli('operator', [...words, await key('bob.wif', bob.active)]);
    const { id } = await client.account('bob');
    assert.match(
      said,
      new RegExp(`^Adopted bob \\(${id}\\) as the provider’s account on the chain\\.$`, 'm'),
    );
    assert.match(said, /asks people as {2}bobs-provider@example\.com$/m);
    assert.match(await cli('operator', [...words, at('bob.wif')]), /^Adopted bob/m, 'twice is once');
  });
});

describe('`register --phone`, with a provider that sends by `--sms-webhook`', () => {
  test('asks for the code that was sent, takes it once, and refuses a wrong one', async () => {
    const messages: { to: string; text: string }[] = [];
    const gateway = createServer(async (call, reply) => {
      messages.push((await json(call)) as { to: string; text: string });
      reply.writeHead(204).end();
    });
    stack.defer(() => void gateway.close());
    gateway.listen(0, '127.0.0.1');
    await once(gateway, 'listening');
    const hook = `http://127.0.0.1:${(gateway.address() as AddressInfo).port}/send`;
    const url = await world.provider('smsfactor', ['--sms-webhook', hook]);
    const register = ['cosign', 'register', 'alice', '--provider', url, '--countersign', await world.link()];
    const without = await world.run('laptop', register);
    assert.match(without.stderr, /asks for your phone too \(input-invalid\)/);
    const odd = await world.run('laptop', [...register, '--phone', '030 123456']);
    assert.match(odd.stderr, /written like \+493012345678/);

    const begun = await world.run('laptop', [...register, '--phone', '+493012345678']);
    assert.equal(begun.status, 6, begun.stderr);
    assert.match(begun.stdout, /A code is asked for \(phone\)\. Go on with: /);
    assert.deepEqual(
      messages.map(({ to }) => to),
      ['+493012345678'],
    );
    const code = /^(\d{6}) is your code for smsfactor\./.exec(messages[0]!.text)![1]!;
    const goOn = (given: string) => ['cosign', 'register', 'alice', '--code', given];
    const wrong = await world.run('laptop', goOn(code === '000000' ? '000001' : '000000'));
    assert.match(wrong.stderr, /the code from your phone is another \(passcode-wrong\)/);
    const [done] = await Promise.all([world.cli('laptop', goOn(code)), world.answer('accept')]);
    assert.match(done, /^alice is registered\.$/m);
  });
});
