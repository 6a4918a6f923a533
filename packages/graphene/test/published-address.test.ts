import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { refused } from '../../core/test/refused.ts';
import { NO_FEE } from '../src/build-transaction.ts';
import { ChainClient } from '../src/chain-client.ts';
import { send } from '../src/provider/enrolment.ts';
import { publishAddress, publishedAddress } from '../src/published-address.ts';
import type { OperationJson } from '../src/required-authorities.ts';
import { addressOf, checkReachedAt } from '../src/wallet/find-providers.ts';
import { Ledger } from './chain/ledger.ts';
import { startNode } from './chain/node.ts';
import { genesisOf, newPerson, type Person } from './chain/people.ts';

const [alice, sfactor] = ['alice', 'sfactor'].map(newPerson) as [Person, Person];
const OLD = 'https://old.example';
const NEW = 'https://new.example';

async function published(url: string) {
  const ledger = new Ledger(genesisOf([alice, sfactor]), () => 1_800_000_000);
  const node = await startNode(ledger);
  const client = new ChainClient({ nodes: [node.url] });
  const { id: aliceId } = await client.account('alice');
  const { id } = await client.account('sfactor');
  await send(client, [publishAddress(id, url)], [sfactor.active]);
  return {
    client,
    id,
    aliceId,
    publish: (to: string) => send(client, [publishAddress(id, to)], [sfactor.active]),
    async [Symbol.asyncDispose]() {
      client.close();
      await node[Symbol.asyncDispose]();
    },
  };
}

describe('the address that a provider published', () => {
  test('is found behind a hundred payments to it, by whomever', async () => {
    await using provider = await published(OLD);
    const { client, id, aliceId } = provider;
    const dust = Array.from({ length: 120 }, (_, n): OperationJson => {
      const amount = { amount: n + 1, asset_id: '1.3.0' };
      return [0, { fee: NO_FEE, from: aliceId, to: id, amount, extensions: [] }];
    });
    await send(client, dust, [alice.active]);
    assert.equal(await publishedAddress(client, id), OLD);
  });

  test('is found behind other data that it put on the chain, however much', async () => {
    await using provider = await published(OLD);
    const { client, id } = provider;
    const data = (n: number): OperationJson => [
      35,
      { fee: NO_FEE, payer: id, required_auths: [], id: n, data: '00' },
    ];
    for (const most of [99, 1, 150]) {
      await send(
        client,
        Array.from({ length: most }, (_, n) => data(n)),
        [sfactor.active],
      );
      assert.equal(await publishedAddress(client, id), OLD);
    }
  });

  test('is the newest one, whatever a wallet was told before', async () => {
    await using provider = await published(OLD);
    const { client, publish } = provider;
    assert.equal(await addressOf(client, 'sfactor', { sfactor: OLD }), OLD);
    await publish(NEW);
    assert.equal(await addressOf(client, 'sfactor', { sfactor: OLD }), NEW);
    assert.equal(await addressOf(client, 'alice', { alice: OLD }), OLD);
  });

  test('is the only one at which a server may call itself so', async () => {
    await using provider = await published(OLD);
    const { client, id, publish } = provider;
    await publish(`${NEW}/`);
    await checkReachedAt(client, 'sfactor', NEW);
    for (const [name, url] of [
      ['sfactor', OLD],
      ['sfactor', `${NEW}.evil.example`],
      ['alice', NEW],
      [id, NEW],
    ] as const) {
      await assert.rejects(checkReachedAt(client, name, url), refused('provider-answer-invalid'));
    }
    await assert.rejects(checkReachedAt(client, 'nobody', NEW), refused('chain-account-unknown'));
  });
});
