import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { OPEN_POLICY, type Policy } from '../packages/graphene/src/policy.ts';
import { send } from '../packages/graphene/src/provider/enrolment.ts';
import { lookForProposals } from '../packages/graphene/src/provider/proposals.ts';
import type { RunningProvider } from '../packages/graphene/src/provider/provider.ts';
import type { OperationJson } from '../packages/graphene/src/required-authorities.ts';
import { deleteProposal } from '../packages/graphene/src/wallet/proposals.ts';
import { ProviderApi } from '../packages/graphene/src/wallet/provider-api.ts';
import { keyText } from '../packages/graphene/test/chain/people.ts';
import { approvalsOf, createCosignScene, nothing } from './cosign-scene.ts';
import type { Member } from './cosign-world.ts';
import { refused } from './parties.ts';
import { until } from './until.ts';

const { world, freshProvider, enrolled, ofAlice, post, setPolicy, theirKey } = createCosignScene();

const soon = () => new Date((world.clock.now() + 3600) * 1000).toISOString().slice(0, 19);
const paid = (kind: number, fields: object): OperationJson => [
  kind,
  { ...fields, fee: { amount: 200, asset_id: '1.3.0' } },
];

/** A reference account of alice's own proposes, and adds the approval of her key where she wants it. */
async function propose(
  alice: Member,
  reference: Member,
  proposed: readonly OperationJson[],
  approves: boolean,
) {
  const before = (await world.client.proposals(alice.id)).map(({ id }) => id);
  const create: OperationJson = [
    22,
    {
      fee_paying_account: reference.id,
      expiration_time: soon(),
      proposed_ops: proposed.map(([kind, fields]) => ({ op: paid(kind, fields) })),
      extensions: [],
    },
  ];
  await send(world.client, [create], [reference.keys.active]);
  const { id } = (await world.client.proposals(alice.id)).find((one) => !before.includes(one.id))!;
  if (approves) {
    const approve = approvalsOf(reference, id, { key_approvals_to_add: [keyText(alice.keys.active)] });
    await send(world.client, [approve], [reference.keys.active, alice.keys.active]);
  }
  return id;
}

const rowOf = ({ context }: RunningProvider, proposal: string, { name }: Member) =>
  context.store.one('proposals', { proposal, account: name });
const isGone = async (id: string) => (await world.client.proposalsById([id]))[0] === null;

describe('the proposal route, with no change to the wallet', () => {
  test('what alice’s key has approved is asked about on her device, approved, and executed once', async () => {
    const { alice, bob } = await enrolled();
    const before = await world.balance(bob.id);
    const reference = await world.member('reference');
    const id = await propose(alice, reference, [world.transfer(alice.id, bob.id, 55)], true);
    const question = await world.answer(alice.party, 'accept');
    const by = question.fields?.find(({ name }) => name === 'Proposed by');
    assert.equal(by?.value, `${reference.name} (${reference.id})`);
    assert.match(JSON.stringify(question.parts), /Approve a proposal for alice\d+.*Transfer 0\.00055 TEST/);
    await until(() => isGone(id));
    assert.equal(await world.balance(bob.id), before + 55n);
  });

  test('rejected on the device it stays unapproved', async () => {
    const { provider, alice, bob } = await enrolled();
    const reference = await world.member('reference');
    const id = await propose(alice, reference, [world.transfer(alice.id, bob.id, 55)], true);
    await world.answer(alice.party, 'reject');
    await until(() => rowOf(provider, id, alice)?.state === 'rejected');
    assert.deepEqual((await world.client.proposalsById([id]))[0]?.available_active_approvals, []);
  });

  test('a stranger’s proposal never reaches the device, approved by the stranger or not', async () => {
    const { provider, alice, bob } = await enrolled();
    const mallet = await world.member('mallet');
    const id = await propose(alice, mallet, [world.transfer(alice.id, bob.id, 55)], false);
    const theirs = {
      active_approvals_to_add: [mallet.id],
      key_approvals_to_add: [keyText(mallet.keys.active)],
    };
    await send(world.client, [approvalsOf(mallet, id, theirs)], [mallet.keys.active]);
    await lookForProposals(provider.context);
    assert.deepEqual((await alice.party.device.pending()).requests, []);
    assert.equal(rowOf(provider, id, alice), undefined);
  });
});

describe('a question about a proposal is taken back from the device', () => {
  const nothingPending = async ({ party }: Member) => (await party.device.pending()).requests.length === 0;
  const asked = async () => {
    const { provider, alice, bob } = await enrolled();
    const reference = await world.member('reference');
    const id = await propose(alice, reference, [world.transfer(alice.id, bob.id, 55)], true);
    await until(() => rowOf(provider, id, alice)?.request != null);
    assert.equal((await alice.party.device.pending()).requests.length, 1);
    return { provider, alice, bob, reference, id };
  };

  test('when it is vetoed', async () => {
    const { provider, alice, id } = await asked();
    await send(world.client, [deleteProposal(alice.id, id, false)], [alice.keys.owner]);
    await until(() => rowOf(provider, id, alice)?.state === 'gone');
    assert.ok(await nothingPending(alice));
  });

  test('when it is executed without the provider', async () => {
    const { provider, alice, bob, reference, id } = await asked();
    const before = await world.balance(bob.id);
    const asOwner = approvalsOf(reference, id, { key_approvals_to_add: [keyText(alice.keys.owner)] });
    await send(world.client, [asOwner], [reference.keys.active, alice.keys.owner]);
    assert.equal(await world.balance(bob.id), before + 55n);
    await until(() => rowOf(provider, id, alice)?.state === 'gone');
    assert.ok(await nothingPending(alice));
  });

  test('when the person approves it no more, and asked anew once they do', async () => {
    const { provider, alice, bob, reference, id } = await asked();
    const before = await world.balance(bob.id);
    const keys = [keyText(alice.keys.active)];
    const signers = [reference.keys.active, alice.keys.active];
    await send(world.client, [approvalsOf(reference, id, { key_approvals_to_remove: keys })], signers);
    await until(() => rowOf(provider, id, alice) === undefined);
    assert.ok(await nothingPending(alice));
    await send(world.client, [approvalsOf(reference, id, { key_approvals_to_add: keys })], signers);
    await world.answer(alice.party, 'accept');
    await until(() => isGone(id));
    assert.equal(await world.balance(bob.id), before + 55n);
  });
});

describe('a proposal', () => {
  const limited: Policy = { ...OPEN_POLICY, limits: [{ asset: '1.3.0', amount: '1000', per: 'day' }] };

  test('that approves another one counts what that one pays, and is shown with all that is in it', async () => {
    const { provider, alice, bob, api } = await enrolled();
    const reference = await world.member('reference');
    const inner = async (amount: number) =>
      propose(alice, reference, [world.transfer(alice.id, bob.id, amount)], false);
    const shown = approvalsOf(reference, await inner(50), { active_approvals_to_add: [alice.id] });
    await propose(alice, reference, [shown], true);
    assert.match(JSON.stringify(await world.answer(alice.party, 'reject')), /Transfer 0\.0005 TEST/);

    await setPolicy({ api, provider, alice }, 2, limited);
    const hidden = approvalsOf(reference, await inner(5000), { active_approvals_to_add: [alice.id] });
    const outer = await propose(alice, reference, [hidden], true);
    await until(() => rowOf(provider, outer, alice)?.state === 'refused');
    assert.deepEqual((await alice.party.device.pending()).requests, []);
  });

  test('that a policy refuses is answered with the reason', async () => {
    const { provider, alice, bob, api } = await enrolled({ own: true });
    const reference = await world.member('reference');
    const reasons = async () => {
      const answer = await fetch(`${provider.origin}/v1/accounts/${alice.name}/proposals`);
      return ((await answer.json()) as { proposals: { proposal: string; reason?: string }[] }).proposals;
    };
    await setPolicy({ api, provider, alice }, 2, limited);
    const over = await propose(alice, reference, [world.transfer(alice.id, bob.id, 5000)], true);
    await until(() => rowOf(provider, over, alice)?.state === 'refused');
    await setPolicy({ api, provider, alice }, 3, {
      ...limited,
      approvers: { accounts: [bob.party.name], needed: 1, above: [] },
    });
    const asks = await propose(alice, reference, [world.transfer(alice.id, bob.id, 5)], true);
    await until(() => rowOf(provider, asks, alice)?.state === 'refused');
    const told = new Map((await reasons()).map(({ proposal, reason }) => [proposal, reason]));
    assert.match(told.get(over) ?? '', /^limit: .* 0\.051 TEST .* 0\.01 TEST may be/);
    assert.match(told.get(asks) ?? '', /^approvers: .* to no proposal$/);
  });

  test('that acts for the account by which the provider signs is refused, whatever its person says', async () => {
    const { provider, alice } = await enrolled();
    const reference = await world.member('reference');
    const signer = await world.client.account(`${provider.context.account.name}.${alice.name}`);
    const take = { weight_threshold: 1, account_auths: [], key_auths: [[keyText(alice.keys.active), 1]] };
    const seize: OperationJson = [
      6,
      { account: signer.id, active: { ...take, address_auths: [] }, extensions: {} },
    ];
    const id = await propose(alice, reference, [seize, world.transfer(alice.id, reference.id, 1)], true);
    await until(() => rowOf(provider, id, alice)?.state === 'refused');
    assert.deepEqual((await alice.party.device.pending()).requests, []);
    assert.deepEqual((await world.client.account(signer.name)).active, signer.active);
  });

  /** What hands the account by which the provider signs for somebody over to another key. */
  const seizing = async (
    { context }: RunningProvider,
    { name }: Member,
    by: Member,
  ): Promise<OperationJson> => {
    const { id } = await world.client.account(`${context.account.name}.${name}`);
    const key_auths = [[keyText(by.keys.active), 1]];
    const active = { weight_threshold: 1, account_auths: [], key_auths, address_auths: [] };
    return [6, { account: id, active, extensions: {} }];
  };

  test('that acts for an account by which the provider signs is approved by no transaction, by its key or else', async () => {
    const { provider, alice, api } = await enrolled();
    const [mallet, other] = [await world.member('mallet'), await world.member('other')];
    await world.enrol(other, provider);
    const refusedUnasked = async (...operations: OperationJson[]) => {
      const signed = ofAlice(await world.build(operations), alice);
      await assert.rejects(post(api, alice, signed), refused('cosign-unasked'));
    };
    for (const person of [alice, other]) {
      const key = keyText(await theirKey(provider, person));
      const id = await propose(
        mallet,
        mallet,
        [await seizing(provider, person, mallet), nothing(mallet)],
        false,
      );
      await refusedUnasked(approvalsOf(alice, id, { key_approvals_to_add: [key] }));
      await refusedUnasked(approvalsOf(alice, id, { active_approvals_to_add: [alice.id] }));
      const next = approvalsOf(mallet, id, { active_approvals_to_add: [mallet.id] });
      const outer = await propose(mallet, mallet, [next], false);
      await refusedUnasked(approvalsOf(alice, outer, { active_approvals_to_add: [alice.id] }));
    }
    const harmless = await propose(mallet, mallet, [nothing(mallet)], false);
    const key = keyText(await theirKey(provider, other));
    await refusedUnasked(approvalsOf(alice, harmless, { key_approvals_to_add: [key] }));
    await refusedUnasked(approvalsOf(alice, harmless, { key_approvals_to_remove: [key] }));
    assert.deepEqual((await alice.party.device.pending()).requests, []);
  });

  test('that approves one which acts for an account by which the provider signs, or by its key, is refused', async () => {
    const { provider, alice } = await enrolled();
    const mallet = await world.member('mallet');
    const inner = await propose(
      mallet,
      mallet,
      [await seizing(provider, alice, mallet), nothing(mallet)],
      false,
    );
    const harmless = await propose(mallet, mallet, [nothing(mallet)], false);
    const key = keyText(await theirKey(provider, alice));
    for (const approve of [
      approvalsOf(alice, inner, { active_approvals_to_add: [alice.id] }),
      approvalsOf(alice, harmless, { key_approvals_to_add: [key] }),
    ]) {
      const id = await propose(alice, await world.member('reference'), [approve], true);
      await until(() => rowOf(provider, id, alice)?.state === 'refused');
      assert.match(rowOf(provider, id, alice)?.reason ?? '', /^transaction-invalid: it acts for/);
    }
    assert.deepEqual((await alice.party.device.pending()).requests, []);
  });

  test('that would change itself is refused by the transaction that approves it', async () => {
    const { alice, bob, api } = await enrolled();
    const reference = await world.member('reference');
    const first = await propose(alice, reference, [world.transfer(alice.id, bob.id, 1)], false);
    const next = `1.10.${Number(first.split('.')[2]) + 1}`;
    const itself = approvalsOf(reference, next, { active_approvals_to_add: [alice.id] });
    assert.equal(await propose(alice, reference, [itself], false), next);
    const approve = approvalsOf(alice, next, { active_approvals_to_add: [alice.id] });
    const signed = ofAlice(await world.build([approve]), alice);
    await assert.rejects(post(api, alice, signed), refused('transaction-invalid'));
  });

  test('and a transaction at the same moment do not share one limit', async () => {
    const { provider, alice, bob, api, pay } = await enrolled({ own: true });
    await setPolicy({ api, provider, alice }, 2, limited);
    const reference = await world.member('reference');
    const signed = ofAlice(await world.build(pay(500)), alice);
    const id = await propose(alice, reference, [world.transfer(alice.id, bob.id, 500)], true);
    const [transaction] = await Promise.all([post(api, alice, signed), lookForProposals(provider.context)]);
    await until(() => rowOf(provider, id, alice) !== undefined);
    const states = [transaction.state, rowOf(provider, id, alice)!.state];
    assert.ok(['pending,refused', 'refused,asked'].includes(states.join()), states.join());
    assert.equal((await alice.party.device.pending()).requests.length, 1);
  });
});

test('a proposal that needs two providers is asked about by each, and executed once both have a yes', async () => {
  const { provider, alice, bob } = await enrolled();
  const second = await freshProvider();
  await world.enrol(alice, second);
  const reference = await world.member('reference');
  const before = await world.balance(bob.id);
  const id = await propose(alice, reference, [world.transfer(alice.id, bob.id, 60)], true);
  await until(async () => (await alice.party.device.pending()).requests.length === 2);
  await world.answer(alice.party, 'accept');
  const states = () => [provider, second].map((one) => rowOf(one, id, alice)?.state).sort();
  await until(() => states().join() === 'approved,asked');
  assert.equal(await world.balance(bob.id), before);
  await world.answer(alice.party, 'accept');
  await until(() => isGone(id));
  assert.equal(await world.balance(bob.id), before + 60n);
  await until(() => states().join() === 'approved,approved');
});

describe('an approval that is on its way to the chain', () => {
  const BROADCAST = 'broadcast_transaction_with_callback';
  const limited: Policy = { ...OPEN_POLICY, limits: [{ asset: '1.3.0', amount: '1000', per: 'day' }] };
  /** alice has a limit of 1000 a day, and is asked about a proposal that pays 700. */
  const asked = async () => {
    const scene = await enrolled({ own: true });
    await setPolicy(scene, 2, limited);
    const reference = await world.member('reference');
    const id = await propose(
      scene.alice,
      reference,
      [world.transfer(scene.alice.id, scene.bob.id, 700)],
      true,
    );
    await until(() => rowOf(scene.provider, id, scene.alice)?.request != null);
    return { ...scene, id };
  };
  const another = async ({ api, alice, pay }: Awaited<ReturnType<typeof asked>>) =>
    (await post(api, alice, ofAlice(await world.build(pay(701)), alice))).state;

  test('counts where the line is cut when the chain has it, and is found there', async () => {
    const scene = await asked();
    const { provider, alice, id } = scene;
    world.cut(BROADCAST, 'after');
    await world.answer(alice.party, 'accept');
    await until(() => isGone(id));
    assert.equal(await another(scene), 'refused');
    await until(() => rowOf(provider, id, alice)?.state === 'approved');
    assert.equal(await another(scene), 'refused');
  });

  test('is found after a restart, where the provider ended before it knew', async () => {
    const scene = await asked();
    const { provider, alice, id } = scene;
    const { store } = provider.context;
    world.cut(BROADCAST, 'after');
    await world.answer(alice.party, 'accept');
    await until(() => isGone(id));
    await until(() => rowOf(provider, id, alice)?.state === 'approved');
    // As the end of the process would have left it.
    store.change('proposals', { proposal: id, account: alice.name }, { state: 'approving' });
    await provider[Symbol.asyncDispose]();
    await using again = await world.restart(provider);
    assert.equal(rowOf(again, id, alice)?.state, 'approving');
    assert.equal(await another({ ...scene, api: new ProviderApi(again.origin) }), 'refused');
    await until(() => rowOf(again, id, alice)?.state === 'approved');
  });

  test('counts while it can still reach a block, and is refused when it cannot any more', async () => {
    const scene = await asked();
    const { provider, alice, bob, id } = scene;
    const before = await world.balance(bob.id);
    world.cut(BROADCAST, 'before');
    await world.answer(alice.party, 'accept');
    await until(() => rowOf(provider, id, alice)?.reason != null);
    await lookForProposals(provider.context);
    assert.equal(rowOf(provider, id, alice)?.state, 'approving');
    assert.equal(await another(scene), 'refused');
    world.clock.offset += 200;
    await until(() => rowOf(provider, id, alice)?.state === 'refused');
    assert.match(rowOf(provider, id, alice)?.reason ?? '', /^chain-unreachable: /);
    assert.equal(await world.balance(bob.id), before);
    assert.equal(await another(scene), 'pending');
  });
});

test('a proposal whose time is over is gone, and so is the question', async () => {
  const { provider, alice, bob } = await enrolled({ own: true });
  const reference = await world.member('reference');
  const id = await propose(alice, reference, [world.transfer(alice.id, bob.id, 55)], true);
  await until(() => rowOf(provider, id, alice)?.request != null);
  const before = await world.balance(bob.id);
  world.clock.offset += 3700;
  await until(() => isGone(id));
  await until(() => rowOf(provider, id, alice)?.state !== 'asked');
  assert.deepEqual((await alice.party.device.pending()).requests, []);
  assert.equal(await world.balance(bob.id), before);
});
