import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { systemClock } from '@countersign/client';
import { CountersignError } from '@countersign/core';
import { introduce, makeParty, type Party } from './parties.ts';
import { type BrokerProcess, startBrokerProcess, temporaryFolder } from './processes.ts';

/** How often the broker is killed; more on a switch. */
const KILLS = process.env.SLOW ? 40 : 8;
const PAIRS = 6;

interface Known {
  posted: Set<string>;
  answered: Map<string, string>;
}

test('kill -9 in the middle of load, many times: what was acknowledged is there, once', {
  timeout: 300_000,
}, async () => {
  await using folder = await temporaryFolder();
  const data = join(folder.path, 'broker');
  let broker = await startBrokerProcess(data);
  const port = Number(new URL(broker.origin).port);
  const pairs: [Party, Party][] = [];
  for (let i = 0; i < PAIRS * KILLS; i++) pairs.push(await makePair(broker.origin, i));

  const known: Known = { posted: new Set(), answered: new Map() };
  for (let kill = 0; kill < KILLS; kill++) {
    const crowd = pairs.slice(kill * PAIRS, (kill + 1) * PAIRS);
    const load = crowd.map(([alice, host]) => confirmUntilItFails(alice, host, known));
    await untilAnswered(known, known.answered.size + 2);
    await new Promise((resolve) => setTimeout(resolve, 40 * Math.random()));
    await broker.stop('SIGKILL');
    await Promise.all(load);
    broker = await startBrokerProcess(data, { port });
    await checkEverything(broker, known, pairs[0]![1]);
  }
  await broker.stop();
  assert.ok(known.answered.size >= 2 * KILLS, `${known.answered.size} answers were acknowledged`);
});

/** The kill comes in the middle of the load, however slow the machine. */
async function untilAnswered({ answered }: Known, count: number): Promise<void> {
  while (answered.size < count) await new Promise((resolve) => setTimeout(resolve, 1));
}

async function makePair(origin: string, i: number): Promise<[Party, Party]> {
  const alice = await makeParty(origin, `alice${i}@example.com`, systemClock);
  const host = await makeParty(origin, `host${i}@example.com`, systemClock);
  await introduce(alice, host);
  return [alice, host];
}

/** Confirms as often as the limits allow, or until the broker is gone; notes what it acknowledged. */
async function confirmUntilItFails(alice: Party, host: Party, known: Known): Promise<void> {
  try {
    for (let i = 0; i < 5; i++) {
      const asked = await host.enquirer.ask({ account: alice.name, text: `Question ${i}`, sealed: false });
      known.posted.add(asked.hash);
      const { requests } = await alice.device.pending();
      const request = requests.find(({ hash }) => hash === asked.hash)!;
      await alice.device.answer(request, { decision: 'accept', shown: 'screen' });
      known.answered.set(asked.hash, host.name);
    }
  } catch (error) {
    const gone = error instanceof CountersignError && error.code === 'broker-unreachable';
    if (!gone) throw error;
  }
}

async function checkEverything(broker: BrokerProcess, known: Known, anybody: Party): Promise<void> {
  const { api } = anybody.enquirer.session;
  assert.equal(api.origin, broker.origin);
  for (const hash of known.posted) {
    const state = await api.readState(hash);
    if (known.answered.has(hash)) assert.equal(state.state, 'answered', `the answer to ${hash} is there`);
    else assert.ok(['pending', 'answered'].includes(state.state), `${hash} is there`);
  }
}
