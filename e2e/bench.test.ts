/** What the bench writes before it starts a broker is what a broker takes. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { newBrokerData } from '../bench/broker-data.ts';
import { makePopulation, writeContacts, writeMembers } from '../bench/population.ts';
import { startBrokerProcess, temporaryFolder } from './processes.ts';

test('a broker runs on the data that the bench writes, and has its accounts', async () => {
  await using folder = await temporaryFolder();
  const data = join(folder.path, 'broker');
  const { enquirers, accounts } = await makePopulation(1, 2);
  const store = await newBrokerData(data);
  await writeMembers(store, [...enquirers, ...accounts]);
  await writeContacts(store, accounts, () => enquirers);
  await store.close();
  await using broker = await startBrokerProcess(data);
  try {
    for (const { log } of accounts) {
      const answer = await fetch(`${broker.local}/v1/accounts/${log.name}/log`);
      assert.equal(answer.status, 200);
    }
  } finally {
    await broker.stop();
  }
});
