import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex, concatBytes, hexToBytes, utf8ToBytes } from '@noble/hashes/utils.js';
import { accountsBelow } from '../packages/graphene/src/chain-facts.ts';
import {
  formatLogin,
  formatLoginAnswer,
  formatPublicKey,
  type LoginSession,
  newPrivateKey,
  parseLogin,
  parseLoginAnswer,
  parsePublicKey,
  recoverKey,
  signDigest,
  verifyLogin,
  type WholeLogin,
  wholeLogin,
  wholeLoginDigest,
} from '../packages/graphene/src/index.ts';
import { gatherLogin } from '../packages/graphene/src/wallet/gather-login.ts';
import { ProviderApi } from '../packages/graphene/src/wallet/provider-api.ts';
import { keyText } from '../packages/graphene/test/chain/people.ts';
import { createCosignScene } from './cosign-scene.ts';
import type { Member } from './cosign-world.ts';
import { refused } from './parties.ts';

const { world, enrolled, freshProvider, wallet, theirKey } = createCosignScene();

const CALLBACK = 'https://shop.example/login?next=%2Fcart';

/** A server begins a login, and the wallet reads its link. */
function begin(callback = CALLBACK) {
  const session: LoginSession = { key: newPrivateKey(), callback };
  const request = parseLogin(formatLogin('https://wallet.example/login', session, world.chain), world.chain);
  return { session, request };
}

/** A login of somebody's, and what their own key signs of it. */
function loginOf({ name, keys }: Member, callback = CALLBACK) {
  const login = wholeLogin(begin(callback).request, name, newPrivateKey(), world.chain);
  const digest = wholeLoginDigest(login, world.chain);
  return { login, digest: bytesToHex(digest), signature: signDigest(digest, keys.active) };
}

async function settled(api: ProviderApi, digest: string) {
  for (;;) {
    const now = await api.login(digest);
    if (now.state !== 'pending') return now;
  }
}

async function verdict(address: string, session: LoginSession, { id }: Member) {
  return verifyLogin(
    parseLoginAnswer(address),
    session,
    id,
    await accountsBelow(world.client, [id]),
    world.chain,
  );
}

describe('an account that needs a provider logs in', () => {
  test('once the person has said yes on their device to where, as whom and on which chain', async () => {
    const { alice } = await enrolled();
    const { session, request } = begin();
    const own = newPrivateKey();
    const [signatures, question] = await Promise.all([
      gatherLogin(request, alice.name, own, wallet(alice)),
      world.answer(alice.party, 'accept'),
    ]);
    const address = formatLoginAnswer(request, alice.name, own, signatures, world.chain);
    const { valid } = await verdict(address, session, alice);
    assert.equal(valid, true);
    const shown = Object.fromEntries((question.fields ?? []).map(({ name, value }) => [name, value]));
    assert.equal(question.kind, 'login');
    assert.deepEqual(question.parts[0], { type: 'h1', text: `Log in at “shop.example” as ${alice.name}` });
    assert.equal(shown.Host, '“shop.example”');
    assert.equal(shown.Account, alice.name);
    assert.equal(shown.Page, '“/login?next=%2Fcart”');
    assert.match(shown.Chain!, new RegExp(`^TEST ${world.chain.id}$`));
    assert.equal(shown['Server’s key'], request.onetimekey);
    assert.equal(shown['Wallet’s key'], formatPublicKey(own.publicKey, world.chain.prefix));
  });

  test('by all its providers, where it needs several', async () => {
    const { alice } = await enrolled();
    await world.enrol(alice, await freshProvider());
    const { session, request } = begin();
    const own = newPrivateKey();
    const answers = async () => {
      for (let n = 0; n < 2; n++) await world.answer(alice.party, 'accept');
    };
    const [signatures] = await Promise.all([gatherLogin(request, alice.name, own, wallet(alice)), answers()]);
    assert.equal(signatures.length, 3);
    const address = formatLoginAnswer(request, alice.name, own, signatures, world.chain);
    assert.equal((await verdict(address, session, alice)).valid, true);
  });

  test('and nobody is asked where its own keys suffice', async () => {
    const bob = await world.member('bob');
    const { session, request } = begin();
    const own = newPrivateKey();
    const signatures = await gatherLogin(request, bob.name, own, wallet(bob));
    const address = formatLoginAnswer(request, bob.name, own, signatures, world.chain);
    assert.equal((await verdict(address, session, bob)).valid, true);
  });
});

test('a host that reads like a link is shown too, written out', async () => {
  const { alice, api } = await enrolled();
  const { login, signature } = loginOf(
    alice,
    'https://www.shop.example:8443/login?next=https://shop.example/',
  );
  await api.postLogin(login, [signature], world.chain.id);
  const { fields = [] } = await world.answer(alice.party, 'reject');
  assert.equal(fields[0]!.value, 'written out “www<2E>shop<2E>example<3A>8443”');
});

describe('no login is signed', () => {
  test('that was rejected on the device, and what its keys share is not kept', async () => {
    const { provider, alice } = await enrolled();
    const gathering = gatherLogin(begin().request, alice.name, newPrivateKey(), wallet(alice));
    await Promise.all([
      assert.rejects(gathering, refused('cosign-refused')),
      world.answer(alice.party, 'reject'),
    ]);
    const [row] = provider.context.store.all('logins', { account: alice.name });
    assert.equal(row!.state, 'rejected');
    assert.equal(row!.signature, null);
    assert.equal(row!.login, null);
  });

  test('that the account’s own key has not signed, altered or for another chain', async () => {
    const { alice, bob, api } = await enrolled();
    const { login, signature, digest } = loginOf(alice);
    const stranger = signDigest(hexToBytes(digest), bob.keys.active);
    const unasked = (changed: Partial<WholeLogin>, by = signature) =>
      assert.rejects(
        api.postLogin({ ...login, ...changed }, [by], world.chain.id),
        refused('cosign-unasked'),
      );
    await unasked({}, stranger);
    await unasked({ callback: 'https://mallet.example/login' });
    await unasked({ secret: '00'.repeat(64) });
    await unasked({ onetimekey: keyText(newPrivateKey()) });
    await unasked({ account_key: keyText(newPrivateKey()) });
    const elsewhere = '11'.repeat(32);
    await assert.rejects(api.postLogin(login, [signature], elsewhere), refused('chain-other'));
    const signed = signDigest(wholeLoginDigest(login, { ...world.chain, id: elsewhere }), alice.keys.active);
    await unasked({}, signed);
    assert.deepEqual((await alice.party.device.pending()).requests, []);
  });

  test('that goes to no page, has a key that is none, or is of an account that needs no provider', async () => {
    const { alice, bob, api } = await enrolled();
    const { login, signature } = loginOf(alice);
    const wrong = (changed: Partial<WholeLogin>) =>
      assert.rejects(
        api.postLogin({ ...login, ...changed }, [signature], world.chain.id),
        refused('link-invalid'),
      );
    await wrong({ callback: 'javascript:alert(1)' });
    await wrong({ callback: 'https://shop.example@mallet.example/login' });
    await wrong({ onetimekey: 'TEST1111' });
    const other = loginOf(bob);
    await assert.rejects(
      api.postLogin(other.login, [other.signature], world.chain.id),
      refused('cosign-not-enrolled'),
    );
  });

  test('that was changed in the provider’s own database after it was shown', async () => {
    const { provider, alice, api } = await enrolled();
    const { login, signature, digest } = loginOf(alice);
    await api.postLogin(login, [signature], world.chain.id);
    const changed = JSON.stringify({ ...login, callback: 'https://mallet.example/login' });
    assert.equal(provider.context.store.change('logins', { digest }, { login: changed }), 1);
    await world.answer(alice.party, 'accept');
    const { state, reason, signatures } = await settled(api, digest);
    assert.equal(state, 'refused');
    assert.match(reason ?? '', /^digest-mismatch: /);
    assert.equal(signatures, undefined);
  });
});

test('what the provider signs begins with the protocol’s name: it is no transaction’s, of any chain in use', async () => {
  const { provider, alice, api } = await enrolled();
  const { login, signature, digest } = loginOf(alice);
  await api.postLogin(login, [signature], world.chain.id);
  await world.answer(alice.party, 'accept');
  const { signatures = [] } = await settled(api, digest);
  const key = (text: string) => parsePublicKey(text, world.chain.prefix);
  const parts = [
    utf8ToBytes('graphene-wallet-login-1'),
    hexToBytes(world.chain.id),
    hexToBytes(login.secret),
    utf8ToBytes(CALLBACK),
    utf8ToBytes(alice.name),
    key(login.onetimekey),
    key(login.account_key),
  ];
  const signed = concatBytes(...parts.flatMap((part) => [Uint8Array.of(part.length), part]));
  assert.equal(new TextDecoder().decode(signed.subarray(1, 24)), 'graphene-wallet-login-1');
  const by = recoverKey(sha256(signed), signatures[0]!);
  assert.deepEqual(by, (await theirKey(provider, alice)).publicKey);
});

test('a provider that was stopped while it asked signs after it has started again', async () => {
  const { provider, alice, api } = await enrolled({ own: true });
  const { login, signature, digest } = loginOf(alice);
  await api.postLogin(login, [signature], world.chain.id);
  await api.postLogin(login, [signature], world.chain.id);
  assert.equal((await alice.party.device.pending()).requests.length, 1, 'asked once');
  await provider[Symbol.asyncDispose]();
  await world.answer(alice.party, 'accept');
  await using again = await world.restart(provider);
  assert.equal((await settled(new ProviderApi(again.origin), digest)).state, 'signed');
});
