import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { Aes, PrivateKey, PublicKey } from 'bitsharesjs';
import {
  formatPublicKey,
  formatWif,
  newPrivateKey,
  parseSignedTransaction,
  readMemo,
  transactionToJson,
} from '../packages/graphene/src/index.ts';
import type { OperationJson } from '../packages/graphene/src/required-authorities.ts';
import { createCosignScene } from './cosign-scene.ts';
import type { Member } from './cosign-world.ts';
import { refused } from './parties.ts';

const { world, enrolled, ofAlice } = createCosignScene();

const theirs = ({ keys }: Member) => PrivateKey.fromBuffer(Buffer.from(keys.active.bytes));
const theirPublic = ({ keys }: Member) => PublicKey.fromBuffer(Buffer.from(keys.active.publicKey));
const sharedBy = (from: Member, to: Member) =>
  theirs(from).get_shared_secret(theirPublic(to)).toString('hex');

/** A transfer with a memo, encrypted by bitsharesjs with the memo keys of both, as any wallet does. */
function paying(from: Member, to: Member, memo: string, nonce: string): OperationJson {
  const message = Aes.encrypt_with_checksum(theirs(from), theirPublic(to), nonce, Buffer.from(memo));
  const [kind, fields] = world.transfer(from.id, to.id, 7);
  const keys = { from: world.keyText(from.keys.active), to: world.keyText(to.keys.active) };
  return [kind, { ...fields, memo: { ...keys, nonce, message: message.toString('hex') } }];
}
const memoLines = (fields: readonly { name: string; value: string }[] = []) =>
  fields.filter(({ name }) => name.endsWith('Memo')).map(({ value }) => value);

test('what a memo says is shown on the device where the wallet hands over what opens it, and else is not', async () => {
  const { alice, bob, api } = await enrolled();
  const carol = await world.member('carol');
  const operations = [paying(alice, bob, 'rent for May', '42'), paying(alice, carol, 'a secret', '43')];
  const signed = ofAlice(await world.build(operations), alice);
  const secrets = [sharedBy(alice, bob)];
  await api.post(alice.name, transactionToJson(signed), world.chain.id, secrets);
  const [rent, secret] = memoLines((await world.answer(alice.party, 'reject')).fields);
  assert.match(rent!, /^“rent for May”, from key /);
  assert.match(secret!, /^cannot be read here, /);
});

test('a lie is caught: what opens another memo, or none, and nobody is asked', async () => {
  const { provider, alice, bob, api } = await enrolled();
  const carol = await world.member('carol');
  const json = transactionToJson(
    ofAlice(await world.build([paying(alice, bob, 'rent for May', '42')]), alice),
  );
  for (const lies of [
    [sharedBy(alice, carol)],
    ['00'.repeat(64)],
    [sharedBy(alice, bob), sharedBy(alice, carol)],
  ]) {
    await assert.rejects(api.post(alice.name, json, world.chain.id, lies), refused('memo-mismatch'));
  }
  const plain = transactionToJson(ofAlice(await world.build([world.transfer(alice.id, bob.id, 1)]), alice));
  const none = api.post(alice.name, plain, world.chain.id, [sharedBy(alice, bob)]);
  await assert.rejects(none, refused('memo-mismatch'));
  await assert.rejects(
    api.post(alice.name, json, world.chain.id, ['rent for May']),
    refused('input-invalid'),
  );
  assert.deepEqual((await alice.party.device.pending()).requests, []);
  assert.deepEqual(provider.context.store.all('transactions', { account: alice.name }), []);
});

test('what opens a memo is kept nowhere by the provider', async () => {
  const { provider, alice, bob, api } = await enrolled();
  const signed = ofAlice(await world.build([paying(alice, bob, 'rent for May', '42')]), alice);
  const secret = sharedBy(alice, bob);
  const { digest } = await api.post(alice.name, transactionToJson(signed), world.chain.id, [secret]);
  assert.ok(!JSON.stringify(provider.context.store.one('transactions', { digest })).includes(secret));
  await world.answer(alice.party, 'reject');
});

test('`cosign sign --memo` encrypts it to the payee by a key of its own, and the device shows it', async () => {
  const { alice, bob } = await enrolled();
  const profile = join(world.folder, 'wallet-of-alice');
  await mkdir(profile);
  const passphrase = join(world.folder, 'passphrase');
  await writeFile(passphrase, 'a passphrase');
  await chmod(passphrase, 0o600);
  const key = join(world.folder, 'key.wif');
  await writeFile(key, formatWif(alice.keys.active));
  const main = fileURLToPath(new URL('../packages/graphene/src/main.ts', import.meta.url));
  const cosign = async (...words: string[]) => {
    const child = spawn(process.execPath, [main, ...words], {
      env: { ...process.env, COUNTERSIGN_PROFILE: profile, COUNTERSIGN_PASSPHRASE_FILE: passphrase },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [out, [status]] = await Promise.all([text(child.stdout), once(child, 'exit')]);
    assert.equal(status, 0, out);
    return out;
  };
  await cosign('key', 'add', alice.name, key, '--node', world.node);
  const out = join(world.folder, 'signed.json');
  const transfer = ['--from', alice.name, '--to', bob.name, '--amount', '0.00123 TEST'];
  const [said, { fields }] = await Promise.all([
    cosign('sign', ...transfer, '--memo', 'for the chairs', '--out', out),
    world.answer(alice.party, 'accept'),
  ]);
  assert.match(said, /“for the chairs”/);
  assert.match(memoLines(fields)[0]!, /^“for the chairs”, from key /);
  const { default: json } = await import(out, { with: { type: 'json' } });
  const [operation] = parseSignedTransaction(json, world.chain).operations;
  assert.ok(operation?.name === 'transfer' && operation.value.memo !== undefined);
  const { memo } = operation.value;
  assert.notEqual(memo.from, formatPublicKey(alice.keys.active.publicKey, world.chain.prefix));
  assert.equal(readMemo(memo, bob.keys.active, world.chain.prefix), 'for the chairs');
  assert.equal(readMemo(memo, newPrivateKey(), world.chain.prefix), undefined);
});
