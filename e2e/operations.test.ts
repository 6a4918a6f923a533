import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { databasePath } from '@countersign/broker';
import { systemClock } from '@countersign/client';
import { introduce, makeParty, refused } from './parties.ts';
import { startBrokerProcess, temporaryFolder } from './processes.ts';

const BROKER = fileURLToPath(import.meta.resolve('../packages/broker/src/main.ts'));

function broker(...words: string[]): { status: number | null; stdout: string; stderr: string } {
  return spawnSync(process.execPath, [BROKER, ...words], { encoding: 'utf8' });
}

test('a backup of a running broker serves all that was acknowledged before it', async () => {
  await using folder = await temporaryFolder();
  const running = await startBrokerProcess(join(folder.path, 'broker'));
  const alice = await makeParty(running.origin, 'alice@example.com', systemClock);
  const host = await makeParty(running.origin, 'host@example.com', systemClock);
  await introduce(alice, host);
  const asked = await host.enquirer.ask({ account: alice.name, text: 'Before the backup' });
  const load = (async () => {
    for (let i = 0; i < 30; i++) await makeParty(running.origin, `load${i}@example.com`, systemClock);
  })();
  const copy = join(folder.path, 'copy');
  const made = broker('backup', copy, '--data', running.data);
  assert.equal(made.status, 0, made.stderr);
  await load;
  await running.stop('SIGKILL');

  const port = Number(new URL(running.origin).port);
  const restored = await startBrokerProcess(copy, { port });
  const { requests } = await alice.device.pending();
  await alice.device.answer(requests[0]!, { decision: 'accept', shown: 'screen' });
  assert.equal((await host.enquirer.wait(asked.hash)).outcome, 'accepted');
  const again = broker('backup', copy, '--data', restored.data);
  assert.notEqual(again.status, 0, 'a backup is never written over another');
  await restored.stop();
});

test('the operator cancels a request and reads the metrics, over a socket of its own', async () => {
  await using folder = await temporaryFolder();
  const running = await startBrokerProcess(join(folder.path, 'broker'));
  const alice = await makeParty(running.origin, 'alice@example.com', systemClock);
  const host = await makeParty(running.origin, 'host@example.com', systemClock);
  await introduce(alice, host);
  const asked = await host.enquirer.ask({ account: alice.name, text: 'Never mind' });
  const waiting = host.enquirer.wait(asked.hash);
  const cancelled = broker(
    'cancel',
    asked.id.toLowerCase().slice(0, 12),
    '--reason',
    'maintenance',
    '--data',
    running.data,
  );
  assert.equal(cancelled.status, 0, cancelled.stderr);
  assert.deepEqual(await waiting, { outcome: 'cancelled-by-broker', reason: 'maintenance' });
  const unknown = broker('cancel', asked.id, '--reason', 'again', '--data', running.data);
  assert.match(unknown.stderr, /no pending request/);
  const { stdout } = broker('metrics', '--data', running.data);
  assert.match(stdout, /^countersign_requests_posted_total 1$/m);
  assert.match(stdout, /^countersign_requests_settled_total\{state="cancelled-by-broker"\} 1$/m);
  assert.doesNotMatch(stdout, /alice|Never mind/);
  const elsewhere = broker('metrics', '--data', folder.path);
  assert.equal(elsewhere.status, 1);
  assert.match(elsewhere.stderr, /hint: is it running/);
  await running.stop();
});

test('settled requests go when the operator’s retention rule says so, and no sooner', async () => {
  await using folder = await temporaryFolder();
  const data = join(folder.path, 'broker');
  const first = await startBrokerProcess(data, { args: ['--retain', '30'] });
  const port = Number(new URL(first.origin).port);
  const alice = await makeParty(first.origin, 'alice@example.com', systemClock);
  const host = await makeParty(first.origin, 'host@example.com', systemClock);
  await introduce(alice, host);
  const [gone, stays] = [
    await host.enquirer.ask({ account: alice.name, text: 'Settled' }),
    await host.enquirer.ask({ account: alice.name, text: 'Pending' }),
  ];
  await host.enquirer.cancel(gone.hash);
  await first.stop();

  const second = await startBrokerProcess(data, { port, args: ['--retain', '30'] });
  assert.equal((await host.enquirer.status(gone.hash)).outcome, 'cancelled-by-enquirer');
  await second.stop();
  const database = new DatabaseSync(databasePath(data));
  database.exec('UPDATE requests SET settled_at = settled_at - 7200');
  database.close();

  const anHour = String(1 / 24);
  const third = await startBrokerProcess(data, { port, args: ['--retain', anHour] });
  await assert.rejects(host.enquirer.status(gone.hash), refused('request-unknown'));
  assert.equal((await host.enquirer.status(stays.hash)).outcome, 'pending');
  await third.stop();
});
