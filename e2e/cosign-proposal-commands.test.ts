import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { after, before, describe, test } from 'node:test';
import { type CosignProcesses, startCosignProcesses } from './cosign-processes.ts';
import { until } from './until.ts';

interface Listed {
  readonly id: string;
  readonly proposer: string;
  readonly state: string;
  readonly left: string;
  readonly approved_by: readonly string[];
  readonly needs: readonly { readonly account: string; readonly of: readonly string[] }[];
  readonly operations: readonly { readonly title: string }[];
}

const stack = new AsyncDisposableStack();
let world: CosignProcesses;

before(async () => {
  world = stack.use(await startCosignProcesses());
  const { cli, key, node, bob, faucet } = world;
  await world.require('sfactor');
  // An account of alice's own that needs nobody, and somebody who is a stranger to her.
  await cli('laptop', ['cosign', 'key', 'add', 'bob', await key('bob.wif', bob.active)]);
  await cli('mallet', [
    ...['cosign', 'key', 'add', 'faucet', await key('faucet.wif', faucet.active), '--node', node],
  ]);
});
after(() => stack.disposeAsync());

const proposal = (...words: readonly string[]) => ['cosign', 'proposal', ...words];
const transfer = (amount: string) => ['--from', 'alice', '--to', 'faucet', '--amount', amount];
const idIn = (said: string) => /^Proposed as (1\.10\.\d+)\.$/m.exec(said)![1]!;
const isGone = async (id: string) => (await world.client.proposalsById([id]))[0] === null;
const balance = async (name: string) => world.client.balance((await world.client.account(name)).id, '1.3.0');
const listed = async (id: string, profile = 'laptop', ...accounts: readonly string[]) => {
  const said = await world.cli(profile, proposal('list', ...accounts, '--json'));
  return (JSON.parse(said) as { proposals: Listed[] }).proposals.find((one) => one.id === id);
};

describe('`cosign proposal`, for an account that needs a provider', () => {
  test('create shows what is proposed and when it ends, and proposes nothing without a yes', async () => {
    const said = await world.run('laptop', proposal('create', ...transfer('1 TEST'), '--expires', '2h'));
    assert.equal(said.status, 1);
    assert.match(said.stdout, /^bob proposes 1 operation, /m);
    assert.match(said.stdout, /Proposed 1 +Transfer 1 TEST from alice to faucet$/m);
    assert.match(said.stdout, /^It ends \d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ, in 2 hours, unless/m);
    assert.match(said.stdout, /Nothing was signed\.$/m);
    assert.deepEqual(await world.client.proposals((await world.client.account('alice')).id), []);
  });

  test('created and approved by the wallet, asked about by the provider, and executed', async () => {
    const before = await balance('faucet');
    const said = await world.cli('laptop', proposal('create', ...transfer('2 TEST'), '--yes'));
    const id = idIn(said);
    assert.match(said, /^Approved, in block \d+\.$/m);
    assert.match(said, /^Still needed for alice: sfactor\.alice$/m);
    const one = (await listed(id))!;
    assert.equal(one.proposer, 'bob');
    assert.equal(one.state, 'waits');
    assert.match(one.approved_by.join(), /^key TEST\w+ of alice$/);
    assert.deepEqual(one.needs, [
      { account: 'alice', authority: 'active', weight: 1, threshold: 2, of: ['sfactor.alice'] },
    ]);
    assert.deepEqual(
      one.operations.map(({ title }) => title),
      ['Transfer 2 TEST from alice to faucet'],
    );
    const again = await world.cli('laptop', proposal('approve', id, '--yes'));
    assert.match(again, /already/);
    await world.answer('accept');
    await until(() => isGone(id));
    assert.equal(await balance('faucet'), before + 200_000n);
    const late = await world.run('laptop', proposal('approve', id, '--yes'));
    assert.equal(late.status, 9);
    assert.match(late.stderr, /there is no proposal .* \(cosign-unknown\)/);
  });

  test('a stranger’s proposal is listed, never asked about, and vetoed on the device alone', async () => {
    const said = await world.cli('mallet', proposal('create', ...transfer('3 TEST'), '--yes'));
    const id = idIn(said);
    assert.match(said, /No key of this wallet counts for it: others must approve it\./);
    const refused = await world.run('mallet', proposal('approve', id, '--yes'));
    assert.equal(refused.status, 9);
    assert.match(
      refused.stderr,
      /no key of this wallet counts .*\(authority-missing\)\nhint: .* list alice$/m,
    );
    const barred = await world.run('mallet', proposal('veto', id, '--yes'));
    assert.match(barred.stderr, /has approved nothing of .*\(authority-missing\)/);
    const text = await world.cli('laptop', proposal('list'));
    assert.match(
      text,
      new RegExp(`^Proposal ${id}, proposed by faucet; it ends .*, in (1 day|24 hours)$`, 'm'),
    );
    assert.match(text, /^ {2}Approved by +nobody$/m);
    assert.deepEqual(await world.pending(), []);

    const [vetoed] = await Promise.all([
      world.cli('laptop', proposal('veto', id, '--yes')),
      world.answer('accept'),
    ]);
    assert.match(vetoed, /^Vetoed, in block \d+: .* is gone\.$/m);
    assert.equal(await listed(id), undefined);
  });

  test('an approval is taken back alone; the account itself approves through its provider', async () => {
    const before = await balance('faucet');
    const id = idIn(
      await world.cli('laptop', proposal('create', ...transfer('4 TEST'), '--no-approve', '--yes')),
    );
    assert.deepEqual((await listed(id))?.approved_by, []);
    const nothing = await world.run('laptop', proposal('veto', id, '--approval-only', '--yes'));
    assert.match(nothing.stderr, /this wallet has approved nothing/);
    await world.cli('laptop', proposal('approve', id, '--yes'));
    const back = await world.cli('laptop', proposal('veto', id, '--approval-only', '--yes'));
    assert.match(back, /^Taken back, in block \d+: .* is still there\.$/m);
    assert.deepEqual((await listed(id))?.approved_by, []);
    await world.cli('laptop', proposal('approve', id, '--yes'));
    await world.answer('reject');
    // By the account, that pays: what its key approved before has no part in it then.
    const [done] = await Promise.all([
      world.cli('laptop', proposal('approve', id, '--by', 'alice', '--yes')),
      world.answer('accept'),
    ]);
    assert.match(done, /has all its approvals: executed by the chain\.$/m);
    assert.equal(await balance('faucet'), before + 400_000n);
  });

  test('takes a transaction out of a file, and an end that is over is the chain’s', async () => {
    const out = world.at('signed.json');
    const payment = ['--from', 'bob', '--to', 'faucet', '--amount', '5 TEST', '--out', out];
    await world.cli('laptop', ['cosign', 'sign', ...payment]);
    const { operations, signatures, ...rest } = JSON.parse(await readFile(out, 'utf8')) as {
      operations: unknown[];
      signatures: unknown;
    };
    await writeFile(world.at('plain.json'), JSON.stringify({ ...rest, operations }));
    const before = await balance('faucet');
    const said = await world.cli('laptop', proposal('create', world.at('plain.json'), '--yes'));
    assert.match(said, /has all its approvals: executed by the chain\.$/m);
    assert.equal(await balance('faucet'), before + 500_000n);
    const short = await world.run('laptop', proposal('create', ...transfer('1 TEST'), '--expires', '5s'));
    assert.equal(short.status, 64);
    const long = ['create', ...transfer('1 TEST'), '--expires', '60d', '--yes'];
    const far = await world.run('laptop', proposal(...long));
    assert.match(far.stderr, /too far in the future.*\(chain-refused\)/);
    assert.equal(far.status, 9);
  });
});
