import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { formatAccountLink, statementId } from '@countersign/core';
import { webCrypto } from '@countersign/core/webcrypto';
import { NO_FEE, operationsOf } from '../packages/graphene/src/build-transaction.ts';
import { signText } from '../packages/graphene/src/challenge.ts';
import { parseTransaction, transactionToJson } from '../packages/graphene/src/index.ts';
import { OPEN_POLICY, type Policy } from '../packages/graphene/src/policy.ts';
import { isBound } from '../packages/graphene/src/provider/approvers.ts';
import { send } from '../packages/graphene/src/provider/enrolment.ts';
import { policyOf } from '../packages/graphene/src/provider/policies.ts';
import type { OperationJson } from '../packages/graphene/src/required-authorities.ts';
import { approvalsOf, createCosignScene, fromBlind, nothing } from './cosign-scene.ts';
import type { Member } from './cosign-world.ts';

import { makeParty, refused } from './parties.ts';
import { until } from './until.ts';

const { world, enrolled, ofAlice, post, settled, noSignature, changePolicy, setPolicy } = createCosignScene();

describe('a policy', () => {
  const limited: Policy = { ...OPEN_POLICY, limits: [{ asset: '1.3.0', amount: '1000', per: 'day' }] };

  test('that lowers holds at once, refuses with its version, and one that raises waits a day', async () => {
    const { provider, alice, api, pay } = await enrolled();
    const lower = await changePolicy({ api, provider, alice }, 2, limited);
    await world.answer(alice.party, 'accept');
    while ((await api.policyChange(lower)).state === 'asked');
    const over = await post(api, alice, ofAlice(await world.build(pay(1001)), alice));
    assert.equal(over.state, 'refused');
    assert.match(
      over.reason ?? '',
      /^limit: .* 0\.01101 TEST .* 0\.01 TEST may be \(version 2 of the policy\)$/,
    );
    assert.deepEqual((await alice.party.device.pending()).requests, []);

    const raise = await changePolicy({ api, provider, alice }, 3, {
      ...OPEN_POLICY,
      limits: [{ asset: '1.3.0', amount: '5000', per: 'day' }],
    });
    await world.answer(alice.party, 'accept');
    while ((await api.policyChange(raise)).state === 'asked');
    const now = await api.policy(alice.name);
    assert.equal(now.version, 2);
    assert.ok(now.next!.effective_at >= world.clock.now() + 86_390);
    assert.equal((await post(api, alice, ofAlice(await world.build(pay(1002)), alice))).state, 'refused');
  });

  test('is shown in words on the device, all of it', async () => {
    const { provider, alice, bob, api, pay } = await enrolled();
    const { party: eve } = await world.member('eve');
    const { identity } = eve.device.session.keys;
    const day = { asset: '1.3.0', amount: '1000', per: 'day' } as const;
    await changePolicy({ api, provider, alice }, 2, {
      limits: [day, { ...day, per: 'transaction', payee: bob.id }],
      payees: [bob.id],
      velocity: { transactions: 3, seconds: 60 },
      approvers: { accounts: [eve.name], needed: 1, above: [{ asset: '1.3.0', amount: '5' }] },
      owner_changes: false,
    });
    assert.deepEqual((await world.answer(alice.party, 'accept')).fields, [
      { name: 'Version', value: '2' },
      { name: 'Limits', value: `0.01 TEST a day to all together; 0.01 TEST a transaction to ${bob.name}` },
      { name: 'Payees', value: bob.name },
      { name: 'Pace', value: '3 transactions in 60 s' },
      { name: 'Approvers', value: `1 of ${eve.name}, above 0.00005 TEST` },
      { name: 'Owner changes', value: 'are never signed' },
      { name: 'Approver 1', value: `${eve.name} ${await statementId(webCrypto, identity)}` },
    ]);
    await until(async () => (await api.policy(alice.name)).version === 2);
    const over = await post(api, alice, ofAlice(await world.build(pay(1001)), alice));
    assert.match(over.reason ?? '', /would be spent within a day|to bob/);
    const carol = await world.member('carol');
    const elsewhere = await world.build([world.transfer(alice.id, carol.id, 1)]);
    const refusal = (await post(api, alice, ofAlice(elsewhere, alice))).reason;
    assert.match(refusal ?? '', new RegExp(`^payee: ${carol.name} is not among`));
  });

  test('is not changed by a stranger’s key, nor without the device', async () => {
    const { provider, alice, bob, api } = await enrolled();
    await assert.rejects(
      changePolicy({ api, provider, alice }, 2, limited, bob.keys.active),
      refused('cosign-unasked'),
    );
    const asked = await changePolicy({ api, provider, alice }, 2, limited);
    await world.answer(alice.party, 'reject');
    while ((await api.policyChange(asked)).state === 'asked');
    assert.equal((await api.policy(alice.name)).version, 1);
  });

  test('that raises is in force a day later, and not a minute before', async () => {
    const { provider, alice, api, pay } = await enrolled();
    const lower = await changePolicy({ api, provider, alice }, 2, limited);
    await world.answer(alice.party, 'accept');
    while ((await api.policyChange(lower)).state === 'asked');
    const raise = await changePolicy({ api, provider, alice }, 3, OPEN_POLICY);
    await world.answer(alice.party, 'accept');
    while ((await api.policyChange(raise)).state === 'asked');
    const { context } = provider;
    const at = (seconds: number) =>
      policyOf(
        { ...context, clock: { ...context.clock, now: () => world.clock.now() + seconds } },
        alice.name,
      );
    assert.equal(at(86_340).version, 2);
    assert.equal(at(86_401).version, 3);
    assert.equal((await post(api, alice, ofAlice(await world.build(pay(1001)), alice))).state, 'refused');
  });

  test('asks approvers besides, and signs when enough of them agree', async () => {
    const { provider, alice, api, pay } = await enrolled();
    const approvers = await Promise.all(['carol', 'dan', 'eve'].map((name) => world.member(name)));
    for (const { party } of approvers) await world.meet(party, provider);
    const accounts = approvers.map(({ party }) => party.name);
    const quorum = await changePolicy({ api, provider, alice }, 2, {
      ...OPEN_POLICY,
      approvers: { accounts, needed: 2, above: [] },
    });
    await world.answer(alice.party, 'accept');
    while ((await api.policyChange(quorum)).state === 'asked');
    const [carol, dan, eve] = approvers as [Member, Member, Member];

    const first = await post(api, alice, ofAlice(await world.build(pay(1)), alice));
    await world.answer(carol.party, 'accept');
    await world.answer(dan.party, 'reject');
    await world.answer(alice.party, 'accept');
    noSignature(provider, first.digest);
    await world.answer(eve.party, 'accept');
    assert.equal((await settled(api, first.digest)).state, 'signed');

    const second = await post(api, alice, ofAlice(await world.build(pay(2)), alice));
    await world.answer(carol.party, 'reject');
    await world.answer(dan.party, 'reject');
    await world.answer(alice.party, 'accept');
    assert.equal((await settled(api, second.digest)).state, 'rejected');
    noSignature(provider, second.digest);
  });

  test('binds an approver’s name: another account under it is asked nothing, and its yes would not count', async () => {
    const { provider, alice, api, pay } = await enrolled();
    const [{ party: eve }, { party: mallet }] = [await world.member('eve'), await world.member('mallet')];
    const { context } = provider;
    await setPolicy({ api, provider, alice }, 2, {
      ...OPEN_POLICY,
      approvers: { accounts: [eve.name], needed: 1, above: [] },
    });
    const { identity } = mallet.device.session.keys;
    // As where the broker has another log under the name from now on.
    await assert.rejects(
      context.enquirer.session.book.bind(eve.name, identity, 'first-use'),
      refused('account-changed'),
    );
    assert.equal(await isBound(context, { name: eve.name, identity }), false);
    await world.meet(eve, provider);
    const { digest } = await post(api, alice, ofAlice(await world.build(pay(3)), alice));
    for (const party of [alice.party, eve]) await world.answer(party, 'accept');
    assert.equal((await settled(api, digest)).state, 'signed');
    const nobody = { accounts: ['nobody@example.com'], needed: 1, above: [] };
    await assert.rejects(
      changePolicy({ api, provider, alice }, 3, { ...OPEN_POLICY, approvers: nobody }),
      refused('account-unknown'),
    );
  });

  test('counts what is being asked about: two at once do not share one limit', async () => {
    const { provider, alice, api, pay } = await enrolled();
    const lower = await changePolicy({ api, provider, alice }, 2, limited);
    await world.answer(alice.party, 'accept');
    while ((await api.policyChange(lower)).state === 'asked');
    const [one, two] = [await world.build(pay(600)), await world.build(pay(601))];
    const states = [
      (await post(api, alice, ofAlice(one, alice))).state,
      (await post(api, alice, ofAlice(two, alice))).state,
    ];
    assert.deepEqual(states, ['pending', 'refused']);
  });

  test('is not passed by an amount or a fee below 0, which would make room for another transaction', async () => {
    const { provider, alice, api, pay } = await enrolled();
    await setPolicy({ api, provider, alice }, 2, limited);
    const transaction = await world.build(pay(1));
    const [[kind, fields]] = operationsOf(transaction) as [OperationJson];
    const below = { amount: `-${10 ** 12}`, asset_id: '1.3.0' };
    for (const name of ['amount', 'fee']) {
      const operations = [[kind, { ...fields, [name]: below }]];
      const negative = parseTransaction({ ...transactionToJson(transaction), operations }, world.chain);
      await assert.rejects(post(api, alice, ofAlice(negative, alice)), refused('transaction-invalid'));
    }
    assert.deepEqual((await alice.party.device.pending()).requests, []);
    assert.equal((await post(api, alice, ofAlice(await world.build(pay(1001)), alice))).state, 'refused');
  });

  test('with limits refuses what somebody’s word would do for others beside', async () => {
    const { provider, alice, bob, api } = await enrolled();
    const shop = await world.member('shop');
    const members = { account_auths: [[alice.id, 1]], key_auths: [], address_auths: [] };
    const ofHers = { weight_threshold: 1, ...members };
    const give: OperationJson = [6, { fee: NO_FEE, account: shop.id, active: ofHers, extensions: {} }];
    await send(world.client, [give], [shop.keys.active]);
    const [word, pays] = operationsOf(
      await world.build([nothing(alice), world.transfer(shop.id, bob.id, 5000)]),
    ) as [OperationJson, OperationJson];
    const soon = new Date((world.clock.now() + 3600) * 1000).toISOString().slice(0, 19);
    const create: OperationJson = [
      22,
      { fee_paying_account: bob.id, expiration_time: soon, proposed_ops: [{ op: pays }], extensions: [] },
    ];
    await send(world.client, [create], [bob.keys.active]);
    const [proposal] = await world.client.proposals(shop.id);
    const approval = approvalsOf(alice, proposal!.id, { active_approvals_to_add: [alice.id] });
    let life = 500;
    const posted = async (...operations: OperationJson[]) => {
      const transaction = transactionToJson(await world.build([nothing(alice)], ++life));
      const whole = parseTransaction({ ...transaction, operations }, world.chain);
      return post(api, alice, ofAlice(whole, alice));
    };
    assert.equal((await posted(word, pays)).state, 'pending');
    const asked = JSON.stringify(await world.answer(alice.party, 'reject'));
    assert.match(asked, /Transfer 0\.05 TEST from shop/);

    await setPolicy({ api, provider, alice }, 2, limited);
    for (const operations of [[word, pays], [word, fromBlind(bob.id, ofHers)], [approval]]) {
      const { state, reason } = await posted(...operations);
      assert.equal(state, 'refused');
      assert.match(reason ?? '', /^not-covered: /);
    }
    assert.deepEqual((await alice.party.device.pending()).requests, []);
    assert.equal((await posted(word)).state, 'pending');
  });

  test('that was lowered stays so where the clock is set back', async () => {
    const { provider, alice, api } = await enrolled();
    await setPolicy({ api, provider, alice }, 2, limited);
    const { context } = provider;
    const clock = { ...context.clock, now: () => world.clock.now() - 7200 };
    assert.equal(policyOf({ ...context, clock }, alice.name).version, 2);
  });

  test('that was lowered while the person was asked refuses what they then say yes to', async () => {
    const { provider, alice, api, pay } = await enrolled();
    await setPolicy({ api, provider, alice }, 2, limited);
    const { digest } = await post(api, alice, ofAlice(await world.build(pay(600)), alice));
    const [question] = (await alice.party.device.pending()).requests;
    const half: Policy = { ...OPEN_POLICY, limits: [{ asset: '1.3.0', amount: '500', per: 'day' }] };
    const lower = await changePolicy({ api, provider, alice }, 3, half);
    const [change] = (await alice.party.device.pending()).requests.filter(
      ({ hash }) => hash !== question!.hash,
    );
    await alice.party.device.answer(change!, { decision: 'accept', shown: 'screen' });
    while ((await api.policyChange(lower)).state === 'asked');
    await alice.party.device.answer(question!, { decision: 'accept', shown: 'screen' });
    const { state, reason } = await settled(api, digest);
    assert.equal(state, 'refused');
    assert.match(reason ?? '', /^limit: .* 0\.005 TEST may be \(version 3 of the policy\)$/);
    noSignature(provider, digest);
  });

  test('is not changed by a device that was lost, once the person has registered with another account', async () => {
    const { provider, alice, api } = await enrolled();
    const { store } = provider.context;
    const raised: Policy = { ...OPEN_POLICY, limits: [{ asset: '1.3.0', amount: '5000', per: 'day' }] };
    await setPolicy({ api, provider, alice }, 2, limited);
    await setPolicy({ api, provider, alice }, 3, raised);
    assert.equal((await api.policy(alice.name)).next?.version, 3);
    const open = await changePolicy({ api, provider, alice }, 4, { ...raised, owner_changes: true });
    const [question] = (await alice.party.device.pending()).requests;

    const found = await makeParty(world.home.origin, `new-${alice.party.name}`, world.clock);
    await world.meet(found, provider);
    const link = formatAccountLink({ ...found.device.session.keys, name: found.name });
    const { registration, challenge } = await api.begin(alice.name, link, {});
    await api.prove(registration, signText(challenge!, alice.keys.owner));
    await world.answer(found, 'accept');
    while ((await api.registration(registration)).state === 'asked');

    assert.equal((await api.policyChange(open)).state, 'rejected');
    await until(async () => (await alice.party.device.pending()).requests.length === 0);
    await assert.rejects(alice.party.device.answer(question!, { decision: 'accept', shown: 'screen' }));
    const { version, next } = await api.policy(alice.name);
    assert.deepEqual([version, next], [2, undefined]);
    assert.equal(store.one('policies', { account: alice.name, version: 3 }), undefined);
    await changePolicy({ api, provider, alice }, 3, raised);
    await world.answer(found, 'accept');
    await until(async () => (await api.policy(alice.name)).next?.version === 3);
  });

  test('is changed only by whom the account is registered with when the answer comes', async () => {
    const { provider, alice, api } = await enrolled();
    const change = await changePolicy({ api, provider, alice }, 2, limited);
    const { store } = provider.context;
    const { identity } = (await world.member('other')).party.device.session.keys;
    store.change('users', { account: alice.name }, { identity });
    await world.answer(alice.party, 'accept');
    while ((await api.policyChange(change)).state === 'asked');
    assert.equal((await api.policyChange(change)).state, 'rejected');
    assert.equal((await api.policy(alice.name)).version, 1);
  });

  test('is not passed by posting many at the same moment: together they stay within the limit', async () => {
    const { provider, alice, api, pay } = await enrolled();
    await setPolicy({ api, provider, alice }, 2, limited);
    const signed = await Promise.all(
      [301, 302, 303].map(async (amount) => ofAlice(await world.build(pay(amount)), alice)),
    );
    const states = await Promise.all(signed.map(async (one) => (await post(api, alice, one)).state));
    assert.deepEqual(states.sort(), ['pending', 'pending', 'refused']);
  });
});
