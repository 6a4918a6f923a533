import assert from 'node:assert/strict';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { systemClock } from '@countersign/client';
import { CountersignError } from '@countersign/core';
import { introduce, makeParty, newcomer, type Party } from './parties.ts';
import { type BrokerProcess, startBrokerProcess, temporaryFolder } from './processes.ts';

/** How often the broker is killed; more on a switch. */
const KILLS = process.env.SLOW ? 40 : 8;
const PAIRS = 6;

/** What the broker acknowledged. */
interface Known {
  posted: Set<string>;
  /** Who asked each question that was answered. */
  answered: Map<string, Party>;
  /** The state of each settled one, as it was first read after a kill. */
  read: Map<string, object>;
  /** Head of an account's log, and the number of its newest change of contacts. */
  heads: Map<Party, { seq: number; hash: string }>;
  changes: Map<Party, number>;
  /** Devices before an account's door. */
  waiting: Map<Party, string>;
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

  const owners: Party[] = [];
  for (let i = 0; i < KILLS; i++) {
    owners.push(await makeParty(broker.origin, `owner${i}@example.com`, systemClock));
  }

  const known: Known = {
    posted: new Set(),
    answered: new Map(),
    read: new Map(),
    heads: new Map(),
    changes: new Map(),
    waiting: new Map(),
  };
  for (let kill = 0; kill < KILLS; kill++) {
    const crowd = pairs.slice(kill * PAIRS, (kill + 1) * PAIRS);
    const load = crowd.map(([alice, host]) => confirmUntilItFails(alice, host, known));
    const owner = owners[kill]!;
    load.push(changeUntilItFails(owner, crowd[0]![1], known));
    await untilAnswered(known, known.answered.size + 2);
    while (!known.changes.has(owner)) await new Promise((resolve) => setTimeout(resolve, 1));
    await new Promise((resolve) => setTimeout(resolve, 40 * Math.random()));
    await broker.stop('SIGKILL');
    await Promise.all(load);
    broker = await startBrokerProcess(data, { port });
    await checkEverything(broker, known, pairs[0]![1]);
  }
  await broker.stop();
  checkOnce(join(data, 'broker.db'), known);
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
      known.answered.set(asked.hash, host);
    }
  } catch (error) {
    throwUnlessGone(error);
  }
}

/** Lets a device wait, and changes an account's log and contacts, until the broker is gone. */
async function changeUntilItFails(owner: Party, friend: Party, known: Known): Promise<void> {
  const { devices, contacts, session } = owner.device;
  const { name, identity } = friend.device.session.keys;
  try {
    const { facts } = await newcomer(systemClock).knock(await devices.invite('knock'));
    known.waiting.set(owner, facts.kid);
    for (let i = 0; i < 30; i++) {
      await devices.beginEpoch();
      known.heads.set(owner, (await session.ownLog()).head);
      await contacts.change({ name, identity }, i % 2 === 0 ? 'allow' : 'forget');
      known.changes.set(owner, i + 1);
    }
  } catch (error) {
    throwUnlessGone(error);
  }
}

function throwUnlessGone(error: unknown): void {
  const gone = error instanceof CountersignError && error.code === 'broker-unreachable';
  if (!gone) throw error;
}

async function checkEverything(broker: BrokerProcess, known: Known, anybody: Party): Promise<void> {
  const { api } = anybody.enquirer.session;
  assert.equal(api.origin, broker.origin);
  for (const hash of known.posted) {
    const state = await api.readState(hash);
    if (known.answered.has(hash)) assert.equal(state.state, 'answered', `the answer to ${hash} is there`);
    else assert.ok(['pending', 'answered', 'expired'].includes(state.state), `${hash} is there`);
    if (state.state === 'pending') continue;
    assert.deepEqual(state, known.read.get(hash) ?? state, `${hash} stays as it is`);
    known.read.set(hash, state);
  }
  for (const [hash, host] of known.answered) {
    assert.equal((await host.enquirer.verify(hash)).decision.decision, 'accept');
  }
  for (const [{ device }, { seq, hash }] of known.heads) {
    assert.equal((await device.session.ownLog(0)).hashes[seq], hash, 'the log has what was acknowledged');
  }
  for (const [{ device }, seq] of known.changes) {
    assert.ok((await device.contacts.read()).seq >= seq, 'the contacts have what was acknowledged');
  }
  // Those of earlier kills may have waited too long on a slow machine.
  for (const [{ device }, kid] of [...known.waiting].slice(-1)) {
    const { waiting } = await device.devices.door();
    assert.deepEqual(
      waiting.map(({ facts }) => facts.kid),
      [kid],
    );
  }
}

/** What was posted is there once, and was settled once. */
function checkOnce(path: string, { posted, answered }: Known): void {
  const database = new DatabaseSync(path, { readOnly: true });
  const rows = database
    .prepare(
      `SELECT r.hash, COUNT(e.id) AS settled FROM requests r
       LEFT JOIN events e ON e.request_id = r.id AND e.kind = 'settled' GROUP BY r.id`,
    )
    .all() as { hash: Uint8Array; settled: number }[];
  database.close();
  const found = new Map<string, number[]>();
  for (const row of rows) {
    const hash = Buffer.from(row.hash).toString('base64url');
    found.set(hash, [...(found.get(hash) ?? []), row.settled]);
  }
  for (const hash of posted) {
    const settled = found.get(hash);
    assert.equal(settled?.length, 1, `${hash} is there once`);
    assert.ok(settled[0]! <= 1, `${hash} was settled once at most`);
    if (answered.has(hash)) assert.equal(settled[0], 1, `${hash} was settled once`);
  }
}
