import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { encodeBase64url } from '@countersign/core';
import { webCrypto } from '@countersign/core/webcrypto';
import * as v from 'valibot';
import { SqliteStateStore } from '../packages/client/src/node/index.ts';
import { buildTransaction, signTransaction } from '../packages/graphene/src/build-transaction.ts';
import {
  type Asked,
  formatTransactionRequest,
  type Operation,
  parseOperation,
  parseTransaction,
  parseTransactionAnswer,
  signDigest,
  type TransactionRequest,
  transactionRequestDigest,
  transactionToJson,
} from '../packages/graphene/src/index.ts';
import type { OperationJson } from '../packages/graphene/src/required-authorities.ts';
import { broadcast } from '../packages/graphene/src/wallet/gather.ts';
import { keyText } from '../packages/graphene/test/chain/people.ts';
import { type CosignProcesses, startCosignProcesses } from './cosign-processes.ts';

const CALLBACK = 'http://127.0.0.1:9/paid?order=7';
const PAGE = 'https://wallet.example/transaction';

let world: CosignProcesses;
const ids: Record<string, string> = {};

before(async () => {
  world = await startCosignProcesses();
  for (const name of ['alice', 'bob']) ids[name] = (await world.client.account(name)).id;
});
after(() => world[Symbol.asyncDispose]());

const balance = (name: string) => world.client.balance(ids[name]!, '1.3.0');
const transfer = (from: string, to: string, amount: number): OperationJson => [
  0,
  {
    fee: { amount: 0, asset_id: '1.3.0' },
    from: ids[from],
    to: ids[to],
    amount: { amount, asset_id: '1.3.0' },
    extensions: [],
  },
];
const parsed = async (...operations: OperationJson[]): Promise<Operation[]> => {
  const chain = await world.client.chain();
  return operations.map((one) => parseOperation(one, chain));
};

/** What bob asks of somebody, and the link that he signs it into. */
async function asks(asked: Asked, more: Partial<TransactionRequest> = {}) {
  const chain = await world.client.chain();
  const request: TransactionRequest = {
    id: encodeBase64url(webCrypto.randomBytes(16)),
    by: 'bob',
    account: 'alice',
    asked,
    apply: true,
    expires: (await world.client.head()).time + 3600,
    ...more,
  };
  const signature = signDigest(transactionRequestDigest(request, chain), world.bob.active);
  const link = formatTransactionRequest(PAGE, request, [signature], chain);
  return { request, link, chain };
}

const open = (link: string, ...more: string[]) => world.run('laptop', ['cosign', 'open', link, ...more]);
/** The address that an answer is brought to, as the wallet prints it. */
const addressIn = (text: string) => /open:\s+(http\S+)/.exec(text)?.[1] ?? assert.fail(text);

describe('a link that asks for a transaction', () => {
  test('opened twice pays once', async () => {
    const { link } = await asks({
      kind: 'operations',
      operations: await parsed(transfer('alice', 'bob', 700)),
    });
    const had = await balance('bob');
    const first = await open(link, '--yes');
    assert.equal(first.status, 0, first.stderr);
    const again = await open(link, '--yes');
    assert.equal(again.status, 9);
    assert.match(again.stderr, /request-replayed/);
    assert.equal(await balance('bob'), had + 700n);
  });

  test('that was cut off right after it was sent pays once, too', async () => {
    const operations = await parsed(transfer('alice', 'bob', 701));
    const { request, link, chain } = await asks({ kind: 'operations', operations });
    const had = await balance('bob');
    const { stdout } = await open(link, '--yes');
    const Block = v.looseObject({ transactions: v.tuple([v.record(v.string(), v.unknown())]) });
    const block = Number(/in block (\d+)/.exec(stdout)![1]);
    const sent = (await world.client.ask('database', 'get_block', [block], Block)).transactions[0];
    const { signatures: _, operation_results: __, ...json } = sent;
    const transaction = transactionToJson({ ...parseTransaction(json, chain), signatures: [] });
    const state = new SqliteStateStore(join(world.at('laptop'), 'state.db'));
    const { expires } = request;
    await state.update('cosign-request', `bob ${request.id}`, () => ({
      expires,
      state: 'begun',
      transaction,
    }));
    state.close();
    const again = await open(link, '--yes');
    assert.equal(again.status, 0, again.stderr);
    assert.match(again.stdout, /Executed by the chain already/);
    assert.equal(await balance('bob'), had + 701n);
    assert.match((await open(link, '--yes')).stderr, /request-replayed/);
  });

  test('for one account is never signed with another’s key', async () => {
    const operations = await parsed(transfer('alice', 'bob', 700));
    const { link } = await asks({ kind: 'operations', operations }, { account: 'bob' });
    const had = await balance('bob');
    const { status, stderr } = await open(link, '--yes');
    assert.equal(status, 9);
    assert.match(stderr, /authority-missing/);
    assert.equal(await balance('bob'), had);
  });

  test('is not signed where nobody could use the account any more, whichever authority it changes', async () => {
    const impossible = {
      weight_threshold: 2,
      account_auths: [],
      key_auths: [[keyText(world.bob.active), 1]],
      address_auths: [],
    };
    for (const part of ['active', 'owner']) {
      const lockOut: OperationJson = [
        6,
        { fee: { amount: 0, asset_id: '1.3.0' }, account: ids.alice, [part]: impossible, extensions: {} },
      ];
      const { link } = await asks({ kind: 'operations', operations: await parsed(lockOut) });
      const { status, stderr } = await open(link, '--yes');
      assert.equal(status, 9);
      assert.match(stderr, /could not be used any more: its authority is impossible/, part);
    }
  });
});

describe('who asked hears of it at the callback', () => {
  test('where the chain has it', async () => {
    const operations = await parsed(transfer('alice', 'bob', 30));
    const { request, link, chain } = await asks({ kind: 'operations', operations }, { callback: CALLBACK });
    const { status, stdout, stderr } = await open(link, '--yes');
    assert.equal(status, 0, stderr);
    assert.match(stdout, /The answer goes to 127\.0\.0\.1:9\./);
    const answer = parseTransactionAnswer(addressIn(stdout), request, chain);
    assert(answer.status === 'applied');
    assert.match(stdout, new RegExp(`in block ${answer.block}: ${answer.transactionId}`));
    assert.match(
      addressIn(stdout),
      new RegExp(`^http://127\\.0\\.0\\.1:9/paid\\?order=7&.*block=${answer.block}`),
    );
  });

  test('that the person said no, after which the link does nothing more', async () => {
    const operations = await parsed(transfer('alice', 'bob', 31));
    const { request, link, chain } = await asks({ kind: 'operations', operations }, { callback: CALLBACK });
    const asked = await open(link);
    assert.equal(asked.status, 1);
    assert.doesNotMatch(asked.stdout, /open:/, 'nobody was asked');
    const words = ['cosign', 'open', link];
    const { status, stdout } = await world.run('laptop', words, { terminal: true, answers: ['no'] });
    assert.equal(status, 1, stdout);
    assert.deepEqual(parseTransactionAnswer(addressIn(stdout), request, chain), {
      id: request.id,
      status: 'refused',
    });
    assert.match((await open(link, '--yes')).stderr, /request-replayed/);
  });

  test('the signed transaction, where it is not to be sent', async () => {
    const operations = await parsed(transfer('alice', 'bob', 32));
    const { request, link, chain } = await asks(
      { kind: 'operations', operations },
      { callback: CALLBACK, apply: false },
    );
    const had = await balance('bob');
    const { status, stdout, stderr } = await open(link, '--yes');
    assert.equal(status, 0, stderr);
    assert.match(stdout, /handed back with your signature, and not sent/);
    const answer = parseTransactionAnswer(addressIn(stdout), request, chain);
    assert(answer.status === 'signed');
    assert.equal(await balance('bob'), had);
    await broadcast(world.client, answer.transaction);
    assert.equal(await balance('bob'), had + 32n);
  });
});

test('a whole transaction keeps its bytes and the signatures that it has', async () => {
  const swap = await buildTransaction(world.client, [
    transfer('alice', 'bob', 5),
    transfer('bob', 'alice', 9),
  ]);
  const chain = await world.client.chain();
  const byBob = signTransaction(swap, world.bob.active, chain);
  const { request, link } = await asks({ kind: 'transaction', transaction: byBob }, { apply: false });
  const { status, stdout, stderr } = await open(link, '--yes');
  assert.equal(status, 0, stderr);
  const json = JSON.parse(stdout.slice(stdout.indexOf('{\n'))) as { signatures: string[] };
  assert.deepEqual(json.signatures.slice(0, 1), byBob.signatures);
  assert.equal(json.signatures.length, 2);
  const applied = await asks(request.asked);
  const sent = await open(applied.link, '--yes');
  assert.equal(sent.status, 0, sent.stderr);
  assert.match(sent.stdout, /Executed by the chain, in block/);
});
