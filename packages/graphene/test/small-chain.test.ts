import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { buildTransaction, NO_FEE, signTransaction } from '../src/build-transaction.ts';
import { ChainClient } from '../src/chain-client.ts';
import type { ChainRefusal } from '../src/chain-socket.ts';
import { type ChainPrivateKey, transactionId, transactionToJson } from '../src/index.ts';
import { send } from '../src/provider/enrolment.ts';
import type { OperationJson } from '../src/required-authorities.ts';
import { Ledger } from './chain/ledger.ts';
import { type NodeOptions, startNode } from './chain/node.ts';
import { genesisOf, keyText, newPerson } from './chain/people.ts';

const people = ['alice', 'bob', 'sfactor'].map(newPerson);
const [alice, bob, sfactor] = people as [Person, Person, Person];
type Person = ReturnType<typeof newPerson>;

/** A chain of its own for each test, whose clock stands where it is put. */
async function world(options: NodeOptions = {}) {
  const clock = { now: 1_800_000_000 };
  const ledger = new Ledger(genesisOf(people), () => clock.now);
  const node = await startNode(ledger, options);
  const client = new ChainClient({ nodes: [node.url] });
  const ids = Object.fromEntries(
    (await client.accounts(people.map(({ name }) => name))).map(({ name, id }) => [name, id]),
  );
  const chain = await client.chain();
  const make = async (operations: OperationJson[], keys: ChainPrivateKey[], life?: number) => {
    const transaction = await buildTransaction(client, operations, life);
    const signed = keys.reduce((so, key) => signTransaction(so, key, chain), {
      ...transaction,
      signatures: [] as readonly string[],
    });
    return { id: transactionId(transaction, chain), json: transactionToJson(signed) };
  };
  const send = async (operations: OperationJson[], ...keys: ChainPrivateKey[]) => {
    const { json, id } = await make(operations, keys);
    return client.broadcast(json, id);
  };
  const balance = (name: string) => ledger.state.balances.get(`${ids[name]} 1.3.0`);
  const transfer = (from: string, to: string, amount: number): OperationJson => [
    0,
    { fee: NO_FEE, from: ids[from], to: ids[to], amount: { amount, asset_id: '1.3.0' }, extensions: [] },
  ];
  return {
    clock,
    ledger,
    node,
    client,
    ids,
    make,
    send,
    balance,
    transfer,
    async [Symbol.asyncDispose]() {
      client.close();
      await node[Symbol.asyncDispose]();
    },
  };
}

function refusedBy(name: string) {
  return (error: ChainRefusal) => {
    assert.equal(error.code, 'chain-refused');
    assert.equal(error.chainError, name, error.message);
    return true;
  };
}

const single = (key: ChainPrivateKey) => ({
  weight_threshold: 1,
  account_auths: [],
  key_auths: [[keyText(key), 1]],
  address_auths: [],
});

describe('the small chain', () => {
  test('moves money for whoever may, and takes the fee', async () => {
    await using w = await world();
    const { block } = await w.send([w.transfer('alice', 'bob', 500)], alice.active);
    assert.ok(block > 1);
    assert.equal(w.balance('alice'), 1_000_000_000n - 600n);
    assert.equal(w.balance('bob'), 1_000_000_500n);
  });

  test('names what is wrong with the signatures', async () => {
    await using w = await world();
    const transfer = [w.transfer('alice', 'bob', 1)];
    await assert.rejects(w.send(transfer), refusedBy('tx_missing_active_auth'));
    await assert.rejects(w.send(transfer, bob.active), refusedBy('tx_missing_active_auth'));
    await assert.rejects(w.send(transfer, alice.active, bob.active), refusedBy('tx_irrelevant_sig'));
    await assert.rejects(w.send(transfer, alice.active, alice.active), refusedBy('tx_duplicate_sig'));
  });

  test('takes a transaction once', async () => {
    await using w = await world();
    const { json, id } = await w.make([w.transfer('alice', 'bob', 5)], [alice.active]);
    await w.client.broadcast(json, id);
    assert.deepEqual(await w.client.broadcast(json, id), { id, block: 0, trx: 0 });
    assert.equal(w.balance('bob'), 1_000_000_005n);
  });

  test('takes none that has expired, that lasts too long, or that names another block', async () => {
    await using w = await world();
    const late = await w.make([w.transfer('alice', 'bob', 5)], [alice.active], 60);
    w.clock.now += 61;
    await assert.rejects(
      w.client.broadcast(late.json, late.id),
      refusedBy('transaction_expiration_exception'),
    );
    const long = await w.make([w.transfer('alice', 'bob', 5)], [alice.active], 90_000);
    await assert.rejects(
      w.client.broadcast(long.json, long.id),
      refusedBy('transaction_expiration_exception'),
    );
    const good = await w.make([w.transfer('alice', 'bob', 5)], [alice.active]);
    const elsewhere = { ...good.json, ref_block_prefix: 1 };
    await assert.rejects(w.client.broadcast(elsewhere, good.id), refusedBy('invalid_tapos'));
  });

  test('does all of a transaction or nothing', async () => {
    await using w = await world();
    const both = [w.transfer('alice', 'bob', 5), w.transfer('alice', 'bob', 2_000_000_000)];
    await assert.rejects(w.send(both, alice.active), refusedBy('assert_exception'));
    assert.equal(w.balance('bob'), 1_000_000_000n);
  });

  test('makes accounts, and lets their owner alone change who owns them', async () => {
    await using w = await world();
    const options = {
      memo_key: keyText(alice.active),
      voting_account: '1.2.5',
      num_witness: 0,
      num_committee: 0,
      votes: [],
      extensions: [],
    };
    const owner = { ...single(sfactor.active), account_auths: [[w.ids.sfactor!, 1]], key_auths: [] };
    await w.send(
      [
        [
          5,
          {
            fee: NO_FEE,
            registrar: w.ids.sfactor,
            referrer: w.ids.sfactor,
            referrer_percent: 0,
            name: 'sfactor.alice',
            owner,
            active: single(bob.active),
            options,
            extensions: {},
          },
        ],
      ],
      sfactor.active,
    );
    const made = await w.client.account('sfactor.alice');
    const update: OperationJson = [
      6,
      { fee: NO_FEE, account: made.id, owner: single(bob.active), extensions: {} },
    ];
    await assert.rejects(w.send([update], bob.active), refusedBy('tx_missing_owner_auth'));
    await w.ledger.state.balances.set(`${made.id} 1.3.0`, 1000n);
    await w.send([update], sfactor.active);
    assert.deepEqual((await w.client.account('sfactor.alice')).owner.key_auths, [[keyText(bob.active), 1]]);
  });

  describe('proposals', () => {
    const propose = (w: Awaited<ReturnType<typeof world>>, more: object = {}) =>
      w.send(
        [
          [
            22,
            {
              fee: NO_FEE,
              fee_paying_account: w.ids.bob,
              expiration_time: new Date((w.clock.now + 3600) * 1000).toISOString().slice(0, 19),
              proposed_ops: [
                {
                  op: w.transfer('alice', 'bob', 7).with(1, {
                    ...w.transfer('alice', 'bob', 7)[1],
                    fee: { amount: 100, asset_id: '1.3.0' },
                  }),
                },
              ],
              extensions: [],
              ...more,
            },
          ],
        ],
        bob.active,
      );
    const approve = (w: Awaited<ReturnType<typeof world>>, fields: object, key = alice.active) =>
      w.send(
        [
          [
            23,
            {
              fee: NO_FEE,
              fee_paying_account: w.ids.alice,
              proposal: '1.10.0',
              active_approvals_to_add: [],
              active_approvals_to_remove: [],
              owner_approvals_to_add: [],
              owner_approvals_to_remove: [],
              key_approvals_to_add: [],
              key_approvals_to_remove: [],
              extensions: [],
              ...fields,
            },
          ],
        ],
        key,
      );

    test('wait for the approval of whoever must agree, and are done once', async () => {
      await using w = await world();
      await propose(w);
      assert.equal((await w.client.proposals('alice')).length, 1);
      await approve(w, { active_approvals_to_add: [w.ids.alice] });
      assert.equal(w.balance('bob'), 1_000_000_000n - 200n + 7n);
      assert.equal((await w.client.proposals('alice')).length, 0);
      await assert.rejects(
        approve(w, { active_approvals_to_add: [w.ids.alice] }),
        refusedBy('assert_exception'),
      );
      w.clock.now += 4000;
      w.ledger.produce();
      assert.equal(w.balance('bob'), 1_000_000_000n - 200n + 7n);
    });

    test('are built with the fees of what is in them, at any depth', async () => {
      await using w = await world();
      const propose = (op: OperationJson): OperationJson => [
        22,
        {
          fee: NO_FEE,
          fee_paying_account: w.ids.bob,
          expiration_time: new Date((w.clock.now + 3600) * 1000).toISOString().slice(0, 19),
          proposed_ops: [{ op }],
          extensions: [],
        },
      ];
      await w.send([propose(propose(w.transfer('alice', 'bob', 7)))], bob.active);
      assert.equal(w.balance('bob'), 1_000_000_000n - 200n);
      const [proposal] = [...w.ledger.state.proposals.values()];
      const [[, outer]] = proposal!.proposed_transaction.operations as [OperationJson];
      assert.deepEqual(outer.fee, { amount: 200, asset_id: '1.3.0' });
      const [{ op: inner }] = outer.proposed_ops as [{ op: OperationJson }];
      assert.deepEqual(inner[1].fee, { amount: 100, asset_id: '1.3.0' });
    });

    test('expire undone', async () => {
      await using w = await world();
      await propose(w);
      w.clock.now += 3601;
      w.ledger.produce();
      assert.equal((await w.client.proposals('alice')).length, 0);
      assert.equal(w.balance('bob'), 1_000_000_000n - 200n);
    });

    test('are vetoed by any one whose approval is required, and by nobody else', async () => {
      await using w = await world();
      await propose(w);
      const veto = (who: Person): OperationJson => [
        24,
        {
          fee: NO_FEE,
          fee_paying_account: w.ids[who.name],
          using_owner_authority: false,
          proposal: '1.10.0',
          extensions: [],
        },
      ];
      await assert.rejects(w.send([veto(sfactor)], sfactor.active), refusedBy('assert_exception'));
      await w.send([veto(alice)], alice.active);
      assert.equal((await w.client.proposals('alice')).length, 0);
    });

    test('lose an approval that is taken back, and take none while they are reviewed', async () => {
      await using w = await world();
      await propose(w, { review_period_seconds: 600 });
      await approve(w, { active_approvals_to_add: [w.ids.alice] });
      assert.deepEqual(w.ledger.state.proposals.get('1.10.0')?.available_active_approvals, [w.ids.alice]);
      w.clock.now += 3001;
      w.ledger.produce();
      await assert.rejects(
        approve(w, { active_approvals_to_add: [w.ids.alice] }),
        refusedBy('assert_exception'),
      );
      await approve(w, { active_approvals_to_remove: [w.ids.alice] });
      w.clock.now += 600;
      w.ledger.produce();
      assert.equal(w.balance('bob'), 1_000_000_000n - 200n);
    });
  });
});

describe('the chain client', () => {
  const named = (nodes: string[], chainId?: string) =>
    new ChainClient({ nodes, ...(chainId === undefined ? {} : { chainId }) });

  test('goes on with the next node where one does not answer', async () => {
    await using w = await world();
    const client = named(['ws://127.0.0.1:1', w.node.url]);
    assert.equal((await client.head()).number, w.ledger.head.number);
    client.close();
  });

  test('comes back to a node that was away', async () => {
    await using w = await world();
    const port = Number(new URL(w.node.url).port);
    assert.equal((await w.client.head()).number, 1);
    await w.node[Symbol.asyncDispose]();
    await assert.rejects(w.client.head(), { code: 'chain-unreachable' });
    await using again = await startNode(w.ledger, { port });
    assert.equal((await w.client.head()).number, 1);
    assert.ok(again);
    w.client.close();
  });

  test('takes no node of another chain', async () => {
    await using w = await world();
    const client = named([w.node.url], '00'.repeat(32));
    await assert.rejects(client.head(), { code: 'chain-other' });
    client.close();
  });

  test('believes two nodes that agree, and neither of two that differ', async () => {
    await using w = await world();
    const lie = (method: string, answer: unknown) =>
      method === 'get_accounts'
        ? JSON.parse(JSON.stringify(answer).replaceAll(keyText(bob.active), keyText(sfactor.active)))
        : answer;
    await using liar = await startNode(w.ledger, { tamper: lie });
    await using honest = await startNode(w.ledger);
    const agreeing = named([w.node.url, honest.url]);
    assert.equal((await agreeing.account('bob')).active.key_auths[0]![0], keyText(bob.active));
    agreeing.close();
    const differing = named([w.node.url, liar.url]);
    await assert.rejects(differing.account('bob'), { code: 'chain-disagrees' });
    differing.close();
  });

  test('pays no fee, and counts no money, by the word of one of two nodes', async () => {
    await using w = await world();
    const proposal = {
      fee: NO_FEE,
      fee_paying_account: w.ids.bob,
      expiration_time: new Date((w.clock.now + 3600) * 1000).toISOString().slice(0, 19),
      proposed_ops: [{ op: w.transfer('alice', 'bob', 7) }],
      extensions: [],
    };
    await w.send([[22, proposal]], bob.active);
    const altered = (answer: unknown, change: object) =>
      (answer as object[]).map((one) => ({ ...one, ...change }));
    const lies: Record<string, (answer: unknown) => unknown> = {
      get_required_fees: (answer) => altered(answer, { amount: 900_000_000 }),
      lookup_asset_symbols: (answer) => altered(answer, { precision: 0 }),
      get_account_balances: (answer) => altered(answer, { amount: '1' }),
      get_proposed_transactions: (answer) => altered(answer, { available_active_approvals: [w.ids.alice] }),
      get_objects: (answer) => altered(answer, { required_active_approvals: [] }),
    };
    await using honest = await startNode(w.ledger);
    await using liar = await startNode(w.ledger, {
      tamper: (method, answer) => lies[method]?.(answer) ?? answer,
    });
    const client = named([liar.url, honest.url]);
    const calls = [
      () => send(client, [w.transfer('alice', 'bob', 1)], [alice.active]),
      () => client.assets(['TEST']),
      () => client.balance(w.ids.alice!, '1.3.0'),
      () => client.proposals(w.ids.alice!),
      () => client.proposalsById(['1.10.0']),
    ];
    await Promise.all(calls.map((call) => assert.rejects(call(), { code: 'chain-disagrees' })));
    assert.equal(w.balance('alice'), 1_000_000_000n);
    client.close();
  });

  test('pays unasked no more than it was told, where there is one node and it lies', async () => {
    await using w = await world();
    const fee = { amount: 900_000_000, asset_id: '1.3.0' };
    await using liar = await startNode(w.ledger, {
      tamper: (method, answer) => (method === 'get_required_fees' ? [fee] : answer),
    });
    const client = named([liar.url]);
    const transfer = [w.transfer('alice', 'bob', 1)];
    await assert.rejects(send(client, transfer, [alice.active]), { code: 'chain-answer-invalid' });
    assert.equal(w.balance('alice'), 1_000_000_000n);
    assert.equal((await send(client, transfer, [alice.active], '9000')).fees, 900_000_000n);
    client.close();
  });

  test('takes one node’s word for nothing that two were named for', async () => {
    await using w = await world();
    const client = named([w.node.url, 'ws://127.0.0.1:1']);
    await assert.rejects(client.account('bob'), { code: 'chain-unreachable' });
    client.close();
  });

  test('says which account there is not, and which asset', async () => {
    await using w = await world();
    await assert.rejects(w.client.account('nobody'), { code: 'chain-account-unknown' });
    await assert.rejects(w.client.assets(['TEST', 'FOO']), {
      code: 'chain-asset-unknown',
      message: 'the chain has no asset FOO',
    });
  });
});
