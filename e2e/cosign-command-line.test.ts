import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { accountsBelow } from '../packages/graphene/src/chain-facts.ts';
import {
  formatLogin,
  type LoginSession,
  newPrivateKey,
  parseLoginAnswer,
  verifyLogin,
} from '../packages/graphene/src/index.ts';
import { send } from '../packages/graphene/src/provider/enrolment.ts';
import type { OperationJson } from '../packages/graphene/src/required-authorities.ts';
import { type CosignProcesses, startCosignProcesses } from './cosign-processes.ts';

let world: CosignProcesses;
let url: string;

before(async () => {
  world = await startCosignProcesses();
  url = await world.provider('sfactor');
  const link = await world.link();
  await Promise.all([
    world.cli('laptop', ['cosign', 'register', 'alice', '--provider', url, '--countersign', link]),
    world.answer('accept'),
  ]);
  await world.cli('operator', ['cosign', 'enroll', 'alice', '--data', world.at('sfactor')]);
});
after(() => world[Symbol.asyncDispose]());

test('`require --print` says what to change in any wallet, and it is enough', async () => {
  const said = await world.cli('laptop', ['cosign', 'require', 'alice', '--provider', url, '--print']);
  assert.match(said, /threshold 1 becomes 2; adds account sfactor\.alice weight 1/);
  assert.doesNotMatch(said, /ref_block|expiration/);
  const before = await world.client.account('alice');
  assert.equal(before.active.weight_threshold, 1, 'nothing is done');
  const operation = JSON.parse(said.slice(said.indexOf('[\n'))) as OperationJson;
  await send(world.client, [operation], [world.alice.active]);
  const { active } = await world.client.account('alice');
  const [signer] = await world.client.accounts(['sfactor.alice']);
  assert.equal(active.weight_threshold, 2);
  assert.deepEqual(active.account_auths, [[signer!.id, 1]]);
});

test('`login` brings an account that needs a provider in, once the phone has said yes', async () => {
  const chain = await world.client.chain();
  const session: LoginSession = { key: newPrivateKey(), callback: 'https://shop.example/login' };
  const link = formatLogin('https://wallet.example/login', session, chain);
  const unasked = await world.run('laptop', ['cosign', 'login', link]);
  assert.equal(unasked.status, 1);
  assert.match(unasked.stdout, /shop\.example asks you to log in there as alice\.\nNothing was signed/);
  const [said] = await Promise.all([
    world.cli('laptop', ['cosign', 'login', link, '--yes']),
    world.answer('accept'),
  ]);
  const address = /(https:\/\/shop\.example\/login\?\S+)/.exec(said)![1]!;
  const { id } = await world.client.account('alice');
  const accounts = await accountsBelow(world.client, [id]);
  assert.equal(verifyLogin(parseLoginAnswer(address), session, id, accounts, chain).valid, true);
});
