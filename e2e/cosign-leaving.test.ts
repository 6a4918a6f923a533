import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { formatAccountLink } from '@countersign/core';
import { passphraseProtection } from '../packages/client/src/node/index.ts';
import { withoutProvider } from '../packages/graphene/src/account-change.ts';
import { NO_FEE } from '../packages/graphene/src/build-transaction.ts';
import { signText } from '../packages/graphene/src/challenge.ts';
import { formatWif } from '../packages/graphene/src/index.ts';
import { enroll, newAccount, ownKey, rotate, send } from '../packages/graphene/src/provider/enrolment.ts';
import type { OperationJson } from '../packages/graphene/src/required-authorities.ts';
import { Vault } from '../packages/graphene/src/vault.ts';
import { signerOf } from '../packages/graphene/src/wallet/find-providers.ts';
import { broadcast, gather } from '../packages/graphene/src/wallet/gather.ts';
import { keyText, newPerson } from '../packages/graphene/test/chain/people.ts';
import { createCosignScene, refusedByChain } from './cosign-scene.ts';
import { protection } from './cosign-world.ts';

import { refused } from './parties.ts';

const { world, enrolled, noSignature, ofAlice, post, settled, theirKey, wallet } = createCosignScene();

describe('leaving', () => {
  test('the owner’s key alone removes a provider that is gone, and nothing is lost', async () => {
    const { provider, alice, bob, pay } = await enrolled({ own: true });
    await provider[Symbol.asyncDispose]();
    const [signer] = await world.client.accounts([`${provider.context.account.name}.${alice.name}`]);
    await send(
      world.client,
      [withoutProvider(await world.client.account(alice.name), signer!.id)],
      [alice.keys.owner],
    );
    const before = await world.balance(bob.id);
    await send(world.client, pay(), [alice.keys.active]);
    assert.equal(await world.balance(bob.id), before + 700n);
  });
});

describe('a thief', () => {
  test('of the provider’s whole folder has its keys sealed', async () => {
    const { provider, alice } = await enrolled();
    const theirs = await theirKey(provider, alice);
    for (const file of [
      'chain-keys.db',
      'chain-keys.db-wal',
      'provider.db',
      'provider.db-wal',
      'state.db',
      'keys.json',
    ]) {
      const bytes = await readFile(join(provider.data, file)).catch(() => Buffer.alloc(0));
      assert.equal(bytes.indexOf(formatWif(theirs)), -1, file);
      assert.equal(bytes.indexOf(Buffer.from(theirs.bytes)), -1, file);
    }
    const file = join(world.folder, 'sealed.db');
    (
      await Vault.open(
        file,
        passphraseProtection(async () => 'right'),
        'owner',
      )
    ).close();
    const guess = passphraseProtection(async () => 'a guess');
    await assert.rejects(Vault.open(file, guess, 'thief'), refused('passphrase-wrong'));
  });

  test('with the seal too moves nothing alone, and is shut out by rotating and by the owner', async () => {
    const { provider, alice, pay } = await enrolled();
    const stolen = await theirKey(provider, alice);
    await assert.rejects(send(world.client, pay(), [stolen]), refusedByChain('tx_missing_active_auth'));
    // Together with the account's own key the device is not asked: that is what such a thief has gained …
    await send(world.client, pay(), [alice.keys.active, stolen]);
    // … until the provider has changed the key.
    await rotate(provider.context, alice.name);
    await assert.rejects(
      send(world.client, pay(), [alice.keys.active, stolen]),
      refusedByChain('tx_missing_active_auth'),
    );
    const transaction = await world.build(pay());
    const [signed] = await Promise.all([
      gather(transaction, wallet(alice)),
      world.answer(alice.party, 'accept'),
    ]);
    await broadcast(world.client, signed);
  });

  test('of the provider’s own key too owns what signs for alice, for good, and she ends it by leaving', async () => {
    const { provider, alice, bob, pay } = await enrolled({ own: true });
    const { context } = provider;
    const signer = await world.client.account(`${context.account.name}.${alice.name}`);
    const stolen = newPerson('thief').active;
    const theirs = {
      weight_threshold: 1,
      account_auths: [],
      key_auths: [[keyText(stolen), 1]],
      address_auths: [],
    };
    const take: OperationJson = [
      6,
      { fee: NO_FEE, account: signer.id, owner: theirs, active: theirs, extensions: {} },
    ];
    const fees = world.transfer(context.account.id, signer.id, 10_000);
    await send(world.client, [fees, take], [await ownKey(context)]);
    await assert.rejects(rotate(context, alice.name), refusedByChain('tx_missing_active_auth'));
    await assert.rejects(send(world.client, pay(), [stolen]), refusedByChain('tx_missing_active_auth'));
    await send(world.client, pay(), [alice.keys.active, stolen]);

    const leave = withoutProvider(await world.client.account(alice.name), signer.id);
    await send(world.client, [leave], [alice.keys.owner]);
    const before = await world.balance(bob.id);
    await assert.rejects(
      send(world.client, pay(), [alice.keys.active, stolen]),
      refusedByChain('tx_irrelevant_sig'),
    );
    await send(world.client, pay(), [alice.keys.active]);
    assert.equal(await world.balance(bob.id), before + 700n);
  });

  test('of a name, and of the key that was meant for it, does not become who signs for alice', async () => {
    const { provider } = await enrolled();
    const { context } = provider;
    const alice = await world.member('alice');
    const [{ id: faucet }, thief] = [
      await world.client.account(world.faucet.name),
      newPerson('thief').active,
    ];
    const name = `${context.account.name}.${alice.name}`;
    const user = { account: alice.name, account_id: alice.id, countersign: alice.party.name };
    const { identity } = alice.party.device.session.keys;
    context.store.add('users', {
      ...{ ...user, identity, address: null, phone: null, registered_at: world.clock.now() },
      ...{ signer: null, signer_id: null },
    });
    // What the provider sent told the node its new key, and never came into a block.
    const key = await context.vault.create(name, keyText);
    const keys: [string, number][] = [keyText(key), keyText(thief)].sort().map((one) => [one, 1]);
    const common = { weight_threshold: 1, address_auths: [] };
    const owner = { ...common, account_auths: [[context.account.id, 1]], key_auths: [] };
    const active = { ...common, account_auths: [], key_auths: keys };
    await send(
      world.client,
      [newAccount(faucet, name, owner, active, keyText(thief))],
      [world.faucet.active],
    );
    await assert.rejects(enroll(context, alice.name), refused('cosign-conflict'));
    assert.equal(context.store.one('users', { account: alice.name })?.signer, null);
    await assert.rejects(
      signerOf(world.client, context.account.name, alice.name),
      refused('cosign-conflict'),
    );
  });

  test('who has put a key beside the provider’s has it sign nothing more', async () => {
    const { provider, alice, api, pay } = await enrolled();
    const { context } = provider;
    const signer = await world.client.account(`${context.account.name}.${alice.name}`);
    const keys = [...signer.active.key_auths, [keyText(newPerson('thief').active), 1] as [string, number]];
    const active = { ...signer.active, key_auths: keys.sort(([a], [b]) => (a < b ? -1 : 1)) };
    const beside: OperationJson = [6, { fee: NO_FEE, account: signer.id, active, extensions: {} }];
    const fees = world.transfer(context.account.id, signer.id, 10_000);
    await send(world.client, [fees, beside], [await ownKey(context)]);
    const { digest } = await post(api, alice, ofAlice(await world.build(pay()), alice));
    await world.answer(alice.party, 'accept');
    const done = await settled(api, digest);
    assert.equal(done.state, 'refused');
    assert.match(done.reason ?? '', /cosign-conflict: .* is moved by others too/);
    noSignature(provider, digest);
    await rotate(context, alice.name);
    assert.equal((await world.client.account(signer.id)).active.key_auths.length, 1);
  });

  test('of a sealed key cannot have it opened as another account’s', async () => {
    const vault = await Vault.open(join(world.folder, 'moved.db'), protection, 'moved');
    const key = await vault.create('sfactor.alice', keyText);
    const { DatabaseSync } = await import('node:sqlite');
    const database = new DatabaseSync(join(world.folder, 'moved.db'));
    database.exec("UPDATE keys SET account = 'sfactor.mallet'");
    database.close();
    await assert.rejects(vault.key('sfactor.mallet', keyText(key)), refused('key-file-invalid'));
    vault.close();
  });

  test('of the account’s active key cannot register a device of their own in the place of the person’s', async () => {
    const { provider, alice, api } = await enrolled();
    const mallet = await world.member('mallet');
    const { name, identity, broker } = mallet.party.device.session.keys;
    const begun = await api.begin(alice.name, formatAccountLink({ name, identity, broker }), {});
    const proof = signText(begun.challenge!, alice.keys.active);
    await assert.rejects(api.prove(begun.registration, proof), refused('authority-missing'));
    assert.equal(provider.context.store.one('users', { account: alice.name })?.countersign, alice.party.name);
  });
});
