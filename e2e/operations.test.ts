import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmod, mkdir, readdir, stat } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { systemClock } from '@countersign/client';
import { sodiumCrypto, startBroker } from '../packages/broker/src/index.ts';
import { buildPages } from '../packages/web/build.ts';
import { introduce, makeParty, refused, TestClock } from './parties.ts';
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

test('settled requests go when the operator’s retention rule says so, and never before their time is over', async () => {
  await using folder = await temporaryFolder();
  const clock = new TestClock();
  const serve = (retain: number, port = 0) =>
    startBroker({
      data: join(folder.path, 'broker'),
      host: '127.0.0.1',
      port,
      retain,
      crypto: sodiumCrypto,
      now: clock.now,
    });
  const first = await serve(30);
  const port = Number(new URL(first.origin).port);
  const alice = await makeParty(first.origin, 'alice@example.com', clock);
  const host = await makeParty(first.origin, 'host@example.com', clock);
  await introduce(alice, host);
  const [gone, stands, stays] = [
    await host.enquirer.ask({ account: alice.name, text: 'Settled' }),
    await host.enquirer.ask({ account: alice.name, text: 'Settled early', kind: 'approval' }),
    await host.enquirer.ask({ account: alice.name, text: 'Pending', kind: 'approval' }),
  ];
  await host.enquirer.cancel(gone.hash);
  await host.enquirer.cancel(stands.hash);
  await first.close();
  // The limits count an hour back: so long everything is kept.
  clock.offset += 3781;
  try {
    const second = await serve(7200, port);
    assert.equal((await host.enquirer.status(gone.hash)).outcome, 'cancelled-by-enquirer');
    await second.close();
    const third = await serve(60, port);
    await assert.rejects(host.enquirer.status(gone.hash), refused('request-unknown'));
    assert.equal((await host.enquirer.status(stays.hash)).outcome, 'pending');
    const { jws } = (await host.state.get<{ jws: string }>('asked', stands.hash))!;
    assert.equal((await host.enquirer.session.api.postRequest(jws)).state, 'cancelled-by-enquirer');
    await third.close();
  } finally {
    clock.offset -= 3781;
  }
});

test('the files of a broker are for its owner, in a folder that others may read; where they may write, it refuses', async () => {
  await using folder = await temporaryFolder();
  const data = join(folder.path, 'broker');
  const copy = join(folder.path, 'copy');
  const before = process.umask(0o022);
  try {
    for (const made of [data, copy]) await mkdir(made, { mode: 0o755 });
    const running = await startBrokerProcess(data);
    assert.equal(broker('backup', copy, '--data', data).status, 0);
    for (const place of [data, copy]) {
      for (const name of await readdir(place)) {
        const { mode } = await stat(join(place, name));
        assert.equal(mode & 0o077, 0, `${name} of ${place}`);
      }
    }
    await running.stop();
    await chmod(data, 0o777);
    const refusal = broker('serve', '--data', data, '--port', '0');
    assert.equal(refusal.status, 1);
    assert.match(refusal.stderr, /others may write/);
  } finally {
    process.umask(before);
  }
});

test('a broker that is started as the README says serves its pages', async () => {
  await using folder = await temporaryFolder();
  const pages = join(folder.path, 'pages');
  await buildPages(pages);
  // A path as people type it: from where they stand.
  const running = await startBrokerProcess(join(folder.path, 'broker'), {
    args: ['--pages', relative(process.cwd(), pages)],
  });
  try {
    for (const path of ['/', '/console', '/s/bank@example.com']) {
      const answer = await fetch(running.local + path);
      assert.equal(answer.status, 200);
      assert.match(answer.headers.get('content-security-policy')!, /require-trusted-types-for 'script'/);
      const [script] = /\/assets\/[^"]+\.js/.exec(await answer.text())!;
      assert.equal((await fetch(running.local + script)).status, 200);
    }
  } finally {
    await running.stop();
  }
});
