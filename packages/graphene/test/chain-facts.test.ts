import assert from 'node:assert/strict';
import { test } from 'node:test';
import { NO_FEE } from '../src/build-transaction.ts';
import { ChainClient } from '../src/chain-client.ts';
import { factsOf } from '../src/chain-facts.ts';
import { explainOperations } from '../src/explain.ts';
import type { OperationJson } from '../src/required-authorities.ts';
import { parseOperation } from '../src/transaction.ts';
import { Ledger } from './chain/ledger.ts';
import { startNode } from './chain/node.ts';
import { genesisOf, keyText, newPerson, type Person } from './chain/people.ts';

const [alice, bob] = ['alice', 'bob'].map(newPerson) as [Person, Person];

/** What operations on alice's account say, each line by its name. */
async function explained(of: (id: string, bobId: string) => OperationJson[]) {
  await using node = await startNode(new Ledger(genesisOf([alice, bob]), () => 1_800_000_000));
  const client = new ChainClient({ nodes: [node.url] });
  try {
    const [one, other] = await client.accounts(['alice', 'bob']);
    const operations = of(one!.id, other!.id);
    const chain = await client.chain();
    const parsed = operations.map((operation) => parseOperation(operation, chain));
    return explainOperations(parsed, await factsOf(client, operations)).map(({ lines }) =>
      Object.fromEntries(lines.map(({ name, value }) => [name, value])),
    );
  } finally {
    client.close();
  }
}

const update = (account: string, fields: object): OperationJson => [
  6,
  { fee: NO_FEE, account, ...fields, extensions: {} },
];

test('a vote is shown with whom it is for', async () => {
  const [lines] = await explained((id, bobId) => {
    const number = Number(bobId.split('.')[2]);
    const new_options = {
      memo_key: keyText(alice.active),
      voting_account: '1.2.5',
      num_witness: 1,
      num_committee: 0,
      votes: [`0:${number}`, `1:${number}`],
      extensions: [],
    };
    return [update(id, { new_options })];
  });
  assert.match(lines!.Votes!, /^committee \d+, witness \d+ \(“bob”\)$/);
});

test('what an account update names by ids beside its votes is shown by its name', async () => {
  const [lines] = await explained((id, bobId) => {
    const new_options = {
      memo_key: keyText(alice.active),
      voting_account: bobId,
      num_witness: 1,
      num_committee: 0,
      votes: [`1:${Number(bobId.split('.')[2])}`],
      extensions: [],
    };
    const special = { active_special_authority: [1, { asset: '1.3.1', num_top_holders: 3 }] };
    return [[6, { fee: NO_FEE, account: id, new_options, extensions: special }]];
  });
  assert.equal(lines!['Voting account'], 'bob');
  assert.match(lines!.Votes!, /^witness \d+ \(“bob”\)$/);
  assert.match(lines!['Active special authority']!, /USD/);
  assert.doesNotMatch(JSON.stringify(lines), /1\.[23]\.\d/);
});

test('the second change of an account in one transaction starts from the first', async () => {
  const single = (person: Person) => ({
    weight_threshold: 1,
    account_auths: [],
    key_auths: [[keyText(person.active), 1]],
    address_auths: [],
  });
  const [first, second] = await explained((id) => [
    update(id, { active: single(bob) }),
    update(id, { active: single(alice) }),
  ]);
  assert.notEqual(first!['Active before'], first!['Active after']);
  assert.equal(second!['Active before'], first!['Active after']);
  assert.equal(second!['Active after'], first!['Active before']);
});
