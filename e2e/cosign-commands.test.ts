import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { after, before, test } from 'node:test';
import { type CosignProcesses, startCosignProcesses } from './cosign-processes.ts';

const stack = new AsyncDisposableStack();
let world: CosignProcesses;

before(async () => {
  world = stack.use(await startCosignProcesses());
});
after(() => stack.disposeAsync());

test('at the command line: enroll, policy, rotate and leave say and do what they should', async () => {
  const { cli, run, at, answer, client, alice } = world;
  const url = await world.provider('sfactor');
  const data = ['--data', at('sfactor')];
  const register = ['cosign', 'register', 'alice', '--provider', url];
  await Promise.all([cli('laptop', [...register, '--countersign', await world.link()]), answer('accept')]);

  const dear = await run('operator', ['cosign', 'enroll', 'alice', ...data, '--max-fee', '0.00001']);
  assert.match(dear.stderr, /a fee of 0\.00500 TEST, and 0\.00001 may be paid without asking/);
  assert.equal(dear.status, 9);
  const enrolled = await cli('operator', ['cosign', 'enroll', 'alice', ...data]);
  assert.match(enrolled, /^sfactor\.alice \(1\.2\.\d+\) signs for alice from now on\.$/m);
  assert.match(enrolled, /^ {2}owner {5}sfactor$/m);
  assert.match(enrolled, /^ {2}fee {7}0\.00500 TEST, paid by sfactor$/m);
  const signer = await client.account('sfactor.alice');
  const { id } = await client.account('sfactor');
  assert.deepEqual(signer.owner.account_auths, [[id, 1]]);
  assert.deepEqual(signer.owner.key_auths, []);
  await cli('laptop', ['cosign', 'require', 'alice', '--provider', 'sfactor', '--yes']);

  const policy = { limits: [{ asset: '1.3.0', amount: '1000', per: 'day' }], owner_changes: false };
  await writeFile(at('policy.json'), JSON.stringify(policy));
  const set = ['cosign', 'policy', 'set', 'alice', at('policy.json'), '--provider', 'sfactor'];
  const [done] = await Promise.all([cli('laptop', set), answer('accept')]);
  assert.match(done, /^Version 2 holds now\.$/m);
  const shown = await cli('laptop', ['cosign', 'policy', 'show', 'alice', '--provider', 'sfactor']);
  assert.deepEqual(JSON.parse(shown), { version: 2, policy });
  const pay = ['cosign', 'sign', '--from', 'alice', '--to', 'bob', '--amount', '1 TEST'];
  const over = await run('laptop', pay);
  assert.equal(over.status, 1, over.stderr);
  assert.match(over.stderr, /limit: with it 1\.001 TEST would be spent within a day, and 0\.01 TEST may be/);

  const [[before]] = signer.active.key_auths as [[string, number]];
  const rotated = await cli('operator', ['cosign', 'rotate', 'alice', ...data]);
  const now = (await client.account('sfactor.alice')).active.key_auths.map(([key]) => key);
  assert.match(rotated, new RegExp(`^ {2}active {4}${now[0]}$`, 'm'));
  assert.ok(!now.includes(before));

  const owner = await world.key('owner.wif', alice.owner);
  const leave = ['cosign', 'leave', 'alice', '--provider', 'sfactor', '--owner-key-file', owner];
  const cheap = await run('laptop', [...leave, '--max-fee', '0']);
  assert.match(cheap.stderr, /may be paid without asking/);
  assert.match(await cli('laptop', leave), /alice needs sfactor no more\./);
  assert.match(await cli('laptop', pay), /Executed by the chain/);
});
