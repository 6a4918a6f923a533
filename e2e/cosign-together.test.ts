import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { signTransaction } from '../packages/graphene/src/build-transaction.ts';
import type { SignedTransaction } from '../packages/graphene/src/index.ts';
import { OPEN_POLICY } from '../packages/graphene/src/policy.ts';
import { send } from '../packages/graphene/src/provider/enrolment.ts';
import { broadcast, gather } from '../packages/graphene/src/wallet/gather.ts';
import { ProviderApi } from '../packages/graphene/src/wallet/provider-api.ts';
import { createCosignScene, refusedByChain } from './cosign-scene.ts';

import { refused } from './parties.ts';
import { until } from './until.ts';

const { world, freshProvider, enrolled, wallet, ofAlice, post, settled, noSignature, theirKey, setPolicy } =
  createCosignScene();

describe('two providers of weight 1, with threshold 3', () => {
  test('all three are needed, asked at once, and executed', async () => {
    const { provider, alice, bob, pay } = await enrolled();
    const second = await freshProvider();
    await world.enrol(alice, second);
    const { active } = await world.client.account(alice.name);
    assert.equal(active.weight_threshold, 3);
    assert.deepEqual(
      active.account_auths.map(([, weight]) => weight),
      [1, 1],
    );

    const keys = [alice.keys.active, await theirKey(provider, alice), await theirKey(second, alice)];
    for (const missing of keys) {
      const two = keys.filter((key) => key !== missing);
      await assert.rejects(send(world.client, pay(), two), refusedByChain('tx_missing_active_auth'));
    }
    const transaction = await world.build(pay());
    const [signed] = await Promise.all([
      gather(transaction, wallet(alice)),
      world.answer(alice.party, 'accept').then(() => world.answer(alice.party, 'accept')),
    ]);
    assert.equal(signed.signatures.length, 3);
    const before = await world.balance(bob.id);
    await broadcast(world.client, signed);
    assert.equal(await world.balance(bob.id), before + 700n);
  });
});

describe('two accounts that one provider serves, in one transaction', () => {
  /** alice and other each pay bob. */
  async function together({ own = false, life = 600 } = {}) {
    const scene = await enrolled({ own });
    const { provider, alice, bob, pay } = scene;
    const other = await world.member('other');
    await world.enrol(other, provider);
    const transaction = await world.build([...pay(), world.transfer(other.id, bob.id, 30)], life);
    const byAlice = ofAlice(transaction, alice);
    const byBoth = signTransaction(byAlice, other.keys.active, world.chain);
    return { ...scene, other, transaction, byAlice, byBoth };
  }
  const asked = async ({ party }: { party: Parameters<typeof world.answer>[0] }) =>
    (await party.device.pending()).requests.length;

  test('each is asked on their own device, and the wallet gets both signatures, none before both say yes', async () => {
    const { provider, alice, other, bob, transaction, api } = await together();
    await alice.vault.keep(other.name, other.keys.active, world.keyText(other.keys.active));
    const before = await world.balance(bob.id);
    const digests: string[] = [];
    const gathering = gather(transaction, {
      ...wallet(alice),
      onStep: (step) => step.step === 'asked' && digests.push(step.digest),
    });
    await world.answer(alice.party, 'accept');
    await until(() => digests.length >= 2);
    await until(async () => (await api.cosigned(digests[0]!, 0)).waits_for?.join() === other.name);
    noSignature(provider, digests[0]!);
    const { parts } = await world.answer(other.party, 'accept');
    assert.deepEqual(parts[0], { type: 'h1', text: `Sign for ${other.name}` });
    const signed = await gathering;
    assert.equal(signed.signatures.length, 4);
    await broadcast(world.client, signed);
    assert.equal(await world.balance(bob.id), before + 730n);
  });

  test('posted again for either it is the same set, and nobody is asked again', async () => {
    const { alice, other, byBoth, api } = await together();
    const [{ digest }] = await Promise.all([post(api, alice, byBoth), post(api, other, byBoth)]);
    await world.answer(other.party, 'accept');
    await world.answer(alice.party, 'accept');
    const { signatures } = await settled(api, digest);
    assert.equal(signatures?.length, 2);
    assert.deepEqual((await post(api, alice, byBoth)).signatures, signatures);
    assert.deepEqual((await post(api, other, byBoth)).signatures, signatures);
    assert.deepEqual([await asked(alice), await asked(other)], [0, 0]);
  });

  test('where one says no there is no signature for the other, who is asked no more', async () => {
    for (const first of ['accept', undefined] as const) {
      const { provider, alice, other, byBoth, api } = await together();
      const { digest } = await post(api, alice, byBoth);
      await post(api, other, byBoth);
      if (first !== undefined) await world.answer(alice.party, first);
      await world.answer(other.party, 'reject');
      assert.equal((await settled(api, digest)).state, 'rejected');
      noSignature(provider, digest);
      await until(async () => (await asked(alice)) === 0);
      assert.equal((await post(api, alice, byBoth)).state, 'rejected');
    }
  });

  test('where one is late, or was never posted for, it expires, and the yes of the other is worth nothing', async () => {
    const { provider, alice, other, byAlice, api } = await together({ life: 20 });
    const { digest, waits_for } = await post(api, alice, byAlice);
    assert.deepEqual(waits_for, [alice.name, other.name]);
    await world.answer(alice.party, 'accept');
    const { state, reason } = await settled(api, digest);
    assert.equal(state, 'expired');
    assert.match(reason ?? '', new RegExp(`^${other.name} did not say yes in time$`));
    noSignature(provider, digest);
    assert.equal(await asked(other), 0);
  });

  test('each account’s own key must have signed before its person is asked', async () => {
    const { alice, other, byAlice, api } = await together();
    await post(api, alice, byAlice);
    await assert.rejects(post(api, other, byAlice), refused('cosign-unasked'));
    assert.equal(await asked(other), 0);
  });

  test('the policy of either refuses for both', async () => {
    const { provider, alice, other, byBoth, api } = await together();
    const limits = [{ asset: '1.3.0', amount: '20', per: 'day' as const }];
    await setPolicy({ api, provider, alice: other }, 2, { ...OPEN_POLICY, limits });
    const { digest } = await post(api, alice, byBoth);
    assert.match((await post(api, other, byBoth)).reason ?? '', new RegExp(`^${other.name}: limit: `));
    assert.equal((await settled(api, digest)).state, 'refused');
    noSignature(provider, digest);
    await until(async () => (await asked(alice)) === 0);
  });

  test('whoever has spoken by their owner key is not waited for, and not signed for', async () => {
    const { alice, other, byAlice, api } = await together();
    const withOwner = signTransaction(byAlice, other.keys.owner, world.chain);
    await assert.rejects(post(api, other, withOwner), refused('cosign-unasked'));
    const { digest } = await post(api, alice, withOwner);
    await world.answer(alice.party, 'accept');
    const { signatures = [] } = await settled(api, digest);
    assert.equal(signatures.length, 1);
    const whole: SignedTransaction = { ...withOwner, signatures: [...withOwner.signatures, ...signatures] };
    await broadcast(world.client, whole);
  });

  test('the owner’s signature that comes later ends the wait for them', async () => {
    const { alice, other, byAlice, api } = await together();
    const { digest } = await post(api, alice, byAlice);
    await world.answer(alice.party, 'accept');
    await until(async () => (await api.cosigned(digest, 0)).waits_for?.join() === other.name);
    await post(api, alice, signTransaction(byAlice, other.keys.owner, world.chain));
    assert.equal((await settled(api, digest)).signatures?.length, 1);
  });

  test('a provider that was stopped between the two answers goes on, and signs after the second', async () => {
    const { provider, alice, other, byBoth, api } = await together({ own: true });
    const { digest } = await post(api, alice, byBoth);
    await post(api, other, byBoth);
    await world.answer(alice.party, 'accept');
    await until(async () => (await api.cosigned(digest, 0)).waits_for?.join() === other.name);
    await provider[Symbol.asyncDispose]();
    await world.answer(other.party, 'accept');
    await using again = await world.restart(provider);
    const { signatures } = await settled(new ProviderApi(again.origin), digest);
    assert.equal(signatures?.length, 2);
  });
});
