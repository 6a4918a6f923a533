import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { CountersignError } from '@countersign/core';
import { operationsOf, signTransaction } from '../packages/graphene/src/build-transaction.ts';
import type { ChainAccount } from '../packages/graphene/src/chain-client.ts';
import {
  encodeTransaction,
  formatPublicKey,
  packedDigest,
  parseTransaction,
  recoverKey,
  transactionToJson,
} from '../packages/graphene/src/index.ts';
import { send } from '../packages/graphene/src/provider/enrolment.ts';
import type { OperationJson } from '../packages/graphene/src/required-authorities.ts';
import { broadcast, gather } from '../packages/graphene/src/wallet/gather.ts';
import { ProviderApi } from '../packages/graphene/src/wallet/provider-api.ts';
import { keyText } from '../packages/graphene/test/chain/people.ts';
import { createCosignScene, fromBlind, nothing, refusedByChain } from './cosign-scene.ts';

import { addDevice, refused, revokeDevice } from './parties.ts';

const { world, enrolled, wallet, ofAlice, post, settled, noSignature, theirKey } = createCosignScene();

test('the five steps: alice alone is refused, the provider alone is refused, both are executed', async () => {
  const { provider, alice, bob, pay } = await enrolled();
  await assert.rejects(
    send(world.client, pay(), [alice.keys.active]),
    refusedByChain('tx_missing_active_auth'),
  );
  const theirs = await theirKey(provider, alice);
  await assert.rejects(send(world.client, pay(), [theirs]), refusedByChain('tx_missing_active_auth'));

  const transaction = await world.build(pay());
  const [signed, question] = await Promise.all([
    gather(transaction, wallet(alice)),
    world.answer(alice.party, 'accept'),
  ]);
  assert.match(JSON.stringify(question), /Transfer 0\.007 TEST from alice\d+ to bob\d+/);
  const before = await world.balance(bob.id);
  await broadcast(world.client, signed);
  assert.equal(await world.balance(bob.id), before + 700n);
});

describe('no signature exists anywhere', () => {
  test('of what was rejected on the device', async () => {
    const { provider, alice, api, pay } = await enrolled();
    const { digest } = await post(api, alice, ofAlice(await world.build(pay()), alice));
    await world.answer(alice.party, 'reject');
    assert.equal((await settled(api, digest)).state, 'rejected');
    noSignature(provider, digest);
    const again = await post(api, alice, ofAlice(await world.build(pay()), alice));
    assert.notEqual(again.digest, undefined);
  });

  test('of what nobody answered in time', async () => {
    const { provider, alice, api, pay } = await enrolled();
    const { digest } = await post(api, alice, ofAlice(await world.build(pay(), 9), alice));
    assert.equal((await settled(api, digest)).state, 'expired');
    noSignature(provider, digest);
  });

  test('where a device that was revoked says yes', async () => {
    const { provider, alice, api, pay } = await enrolled();
    const tablet = await addDevice(alice.party, 'alice’s tablet');
    const { digest } = await post(api, alice, ofAlice(await world.build(pay()), alice));
    const [seen] = (await tablet.device.pending()).requests;
    await revokeDevice(alice.party, await tablet.device.session.kid());
    await assert.rejects(tablet.device.answer(seen!, { decision: 'accept', shown: 'screen' }));
    await world.answer(alice.party, 'reject');
    assert.equal((await settled(api, digest)).state, 'rejected');
    noSignature(provider, digest);
  });
});

describe('a signature is over what was shown', () => {
  test('every bit of the transaction changed after approval: it verifies no more', async () => {
    const { provider, alice, pay } = await enrolled();
    const transaction = await world.build(pay());
    const [signed] = await Promise.all([
      gather(transaction, wallet(alice)),
      world.answer(alice.party, 'accept'),
    ]);
    const key = keyText(await theirKey(provider, alice));
    const bytes = encodeTransaction(signed, world.chain);
    const by = (changed: Uint8Array, signature: string) => {
      try {
        return formatPublicKey(recoverKey(packedDigest(changed, world.chain), signature), world.chain.prefix);
      } catch {
        return undefined;
      }
    };
    const signature = signed.signatures.find((one) => by(bytes, one) === key)!;
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      const changed = Uint8Array.from(bytes);
      changed[bit >> 3]! ^= 1 << (bit & 7);
      assert.notEqual(by(changed, signature), key, `bit ${bit}`);
    }
  });

  test('a wallet that shows one transaction and submits another gets nothing', async () => {
    const { alice, api, pay } = await enrolled();
    const [shown, other] = [await world.build(pay(1)), await world.build(pay(999_999))];
    const [signed] = await Promise.all([gather(shown, wallet(alice)), world.answer(alice.party, 'accept')]);
    const swapped = { ...other, signatures: signed.signatures };
    await assert.rejects(broadcast(world.client, swapped), refusedByChain('tx_missing_active_auth'));
    await assert.rejects(post(api, alice, swapped), refused('cosign-unasked'));
  });

  test('a transaction that was changed by one bit in the provider’s own database is not signed', async () => {
    const { provider, alice, api, pay } = await enrolled();
    const { digest } = await post(api, alice, ofAlice(await world.build(pay(700)), alice));
    const { store } = provider.context;
    const row = store.one('transactions', { digest })!;
    const changed = row.transaction_json.replace('"amount":700', '"amount":701');
    assert.notEqual(changed, row.transaction_json);
    store.change('transactions', { digest }, { transaction_json: changed });
    await world.answer(alice.party, 'accept');
    const { state, reason } = await settled(api, digest);
    assert.equal(state, 'refused');
    assert.match(reason ?? '', /^digest-mismatch: /);
    noSignature(provider, digest);
  });

  test('the device is shown the digest that is signed, and each field of each operation', async () => {
    const { alice, api, bob, pay } = await enrolled();
    const { digest } = await post(api, alice, ofAlice(await world.build([...pay(5), ...pay(7)]), alice));
    const { fields = [] } = await world.answer(alice.party, 'reject');
    assert.equal(fields.find(({ name }) => name === 'Digest')?.value, digest);
    assert.deepEqual(
      fields.filter(({ name }) => name.endsWith('To')),
      [1, 2].map((n) => ({ name: `${n}. To`, value: bob.name })),
    );
  });
});

describe('the provider refuses before it asks', () => {
  test('what the account’s own key has not signed, by whomever it comes', async () => {
    const { alice, bob, api, pay } = await enrolled();
    const transaction = await world.build(pay());
    await assert.rejects(post(api, alice, { ...transaction, signatures: [] }), refused('cosign-unasked'));
    const stranger = signTransaction({ ...transaction, signatures: [] }, bob.keys.active, world.chain);
    await assert.rejects(post(api, alice, stranger), refused('cosign-unasked'));
    assert.deepEqual((await alice.party.device.pending()).requests, []);
  });

  test('what the account’s own key has not signed, and reads none of all that it names on the chain', async () => {
    const { alice, bob, api, pay } = await enrolled();
    const transaction = await world.build(pay());
    const [word] = operationsOf(await world.build([nothing(alice)])) as [OperationJson];
    const required_auths = Array.from({ length: 4000 }, (_, n) => `1.2.${n}`);
    const operations = [[35, { ...word[1], required_auths }]];
    const many = parseTransaction({ ...transactionToJson(transaction), operations }, world.chain);
    const stranger = signTransaction({ ...many, signatures: [] }, bob.keys.active, world.chain);
    for (const posted of [{ ...many, signatures: [] }, stranger]) {
      world.cut('lookup_asset_symbols', 'before');
      await assert.rejects(post(api, alice, posted), refused('cosign-unasked'));
      // Nobody has come to where the line would have been cut.
      await assert.rejects(world.client.assets(['1.3.0']), refused('chain-unreachable'));
    }
  });

  test('what is for another chain', async () => {
    const { alice, api, pay } = await enrolled();
    const transaction = await world.build(pay());
    const elsewhere = { ...world.chain, id: '11'.repeat(32) };
    await assert.rejects(post(api, alice, ofAlice(transaction, alice), elsewhere.id), refused('chain-other'));
    const signed = signTransaction({ ...transaction, signatures: [] }, alice.keys.active, elsewhere);
    await assert.rejects(post(api, alice, signed), refused('cosign-unasked'));
  });

  test('what has expired, and what lasts longer than the chain allows', async () => {
    const { alice, api, pay } = await enrolled();
    await assert.rejects(
      post(api, alice, ofAlice(await world.build(pay(), 3), alice)),
      refused('transaction-expired'),
    );
    await assert.rejects(
      post(api, alice, ofAlice(await world.build(pay(), 90_000), alice)),
      refused('transaction-invalid'),
    );
  });

  test('a digest alone, and operations that it cannot decode', async () => {
    const { alice, api, pay } = await enrolled();
    const json = transactionToJson(ofAlice(await world.build(pay()), alice));
    const sent = (transaction: unknown) => api.post(alice.name, transaction, world.chain.id);
    await assert.rejects(
      sent({ digest: '00'.repeat(32), signatures: json.signatures }),
      refused('transaction-invalid'),
    );
    await assert.rejects(sent('00'.repeat(32)), refused('input-invalid'));
    await assert.rejects(sent({ ...json, operations: [[250, {}]] }), refused('transaction-invalid'));
    const [[kind, fields]] = json.operations as [[number, object]];
    await assert.rejects(
      sent({ ...json, operations: [[kind, { ...fields, more: 1 }]] }),
      refused('transaction-invalid'),
    );
  });

  test('what acts for the provider’s own accounts', async () => {
    const { provider, alice, bob, api, pay } = await enrolled();
    const signer = await world.client.account(`${provider.context.account.name}.${alice.name}`);
    for (const from of [signer.id, provider.context.account.id]) {
      const both = await world.build([...pay(), world.transfer(from, bob.id, 1)]);
      await assert.rejects(post(api, alice, ofAlice(both, alice)), refused('cosign-unasked'));
    }
  });

  test('what the provider’s keys and accounts are asked for beside the accounts that it needs', async () => {
    const { provider, alice, api, pay } = await enrolled();
    const other = await world.member('other');
    await world.enrol(other, provider);
    const { context } = provider;
    const [{ id }] = (await world.client.accounts([`${context.account.name}.${other.name}`])) as [
      ChainAccount,
    ];
    const transaction = await world.build(pay());
    const owners = [
      { account_auths: [], key_auths: [[keyText(await theirKey(provider, other)), 1]] },
      { account_auths: [[id, 1]], key_auths: [] },
      { account_auths: [[context.account.id, 1]], key_auths: [] },
    ];
    for (const members of owners) {
      const blind = fromBlind(alice.id, { weight_threshold: 1, ...members, address_auths: [] });
      const operations = [...operationsOf(transaction), blind];
      const both = parseTransaction({ ...transactionToJson(transaction), operations }, world.chain);
      await assert.rejects(post(api, alice, ofAlice(both, alice)), refused('cosign-unasked'));
    }
    assert.deepEqual((await alice.party.device.pending()).requests, []);
  });

  test('what does not fit the question, and says that it is so', async () => {
    const { alice, api, pay } = await enrolled();
    const many = async (count: number) => {
      const transfers = Array.from({ length: count }, (_, n) => pay(n + 1)).flat();
      return post(api, alice, ofAlice(await world.build(transfers), alice));
    };
    assert.equal((await many(15)).state, 'pending');
    await assert.rejects(many(16), ({ code, message }: CountersignError) => {
      assert.equal(code, 'text-too-long');
      assert.match(message, /does not fit what a device shows/);
      return true;
    });
  });

  test('a change of who owns the account', async () => {
    const { alice, api, pay } = await enrolled();
    const owner = {
      weight_threshold: 1,
      account_auths: [],
      key_auths: [[keyText(alice.keys.active), 1]],
      address_auths: [],
    };
    const take: OperationJson = [6, { account: alice.id, owner, extensions: {} }];
    const both = await world.build([...pay(), take]);
    await assert.rejects(post(api, alice, ofAlice(both, alice)), refused('cosign-unasked'));
  });
});

test('the same transaction posted again is asked about once, and gets the same signature', async () => {
  const { alice, api, pay } = await enrolled();
  const signed = ofAlice(await world.build(pay()), alice);
  const [first, second] = await Promise.all([post(api, alice, signed), post(api, alice, signed)]);
  assert.equal(first.digest, second.digest);
  assert.equal((await alice.party.device.pending()).requests.length, 1);
  await world.answer(alice.party, 'accept');
  const done = await settled(api, first.digest);
  assert.equal(done.state, 'signed');
  assert.deepEqual((await post(api, alice, signed)).signatures, done.signatures);
});

test('a provider that was stopped while it asked signs after it has started again', async () => {
  const { provider, alice, api, pay } = await enrolled({ own: true });
  const { digest } = await post(api, alice, ofAlice(await world.build(pay()), alice));
  await provider[Symbol.asyncDispose]();
  await world.answer(alice.party, 'accept');
  await using again = await world.restart(provider);
  assert.equal((await settled(new ProviderApi(again.origin), digest)).state, 'signed');
});

test('a wallet goes on over a cut, and the person is asked once', async () => {
  const { provider, alice, bob, pay } = await enrolled({ own: true });
  const asked = Promise.withResolvers<void>();
  const gathering = gather(await world.build(pay()), {
    ...wallet(alice),
    onStep: ({ step }) => step === 'asked' && asked.resolve(),
  });
  await asked.promise;
  await provider[Symbol.asyncDispose]();
  await using again = await world.restart(provider);
  assert.equal((await alice.party.device.pending()).requests.length, 1);
  await world.answer(alice.party, 'accept');
  const before = await world.balance(bob.id);
  await broadcast(world.client, await gathering);
  assert.equal(await world.balance(bob.id), before + 700n);
  assert.equal(again.context.account.name, provider.context.account.name);
});
