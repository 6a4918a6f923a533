import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmod, mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
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
  // The test runner’s own deadline can’t end a test that waits like this.
  const deadline = { timeout: 60_000, killSignal: 'SIGKILL' } as const;
  return spawnSync(process.execPath, [BROKER, ...words], { encoding: 'utf8', ...deadline });
}

test('a backup of a running broker serves all that was acknowledged before it', async () => {
  await using folder = await temporaryFolder();
  await using running = await startBrokerProcess(join(folder.path, 'broker'));
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
  await using restored = await startBrokerProcess(copy, { port });
  const { requests } = await alice.device.pending();
  await alice.device.answer(requests[0]!, { decision: 'accept', shown: 'screen' });
  assert.equal((await host.enquirer.wait(asked.hash)).outcome, 'accepted');
  const again = broker('backup', copy, '--data', restored.data);
  assert.notEqual(again.status, 0, 'a backup is never written over another');
  await restored.stop();
});

test('a Prometheus server reads the metrics where the operator says, and nothing else there', async () => {
  await using folder = await temporaryFolder();
  await using running = await startBrokerProcess(join(folder.path, 'broker'), {
    args: ['--metrics', '127.0.0.1:0'],
  });
  const { metrics } = JSON.parse(
    running
      .log()
      .split('\n')
      .find((line) => line.includes('the broker answers'))!,
  ) as { metrics: string };
  const answer = await fetch(metrics);
  assert.match(answer.headers.get('content-type')!, /^text\/plain; version=0\.0\.4/);
  assert.match(await answer.text(), /^countersign_requests_pending 0$/m);
  assert.equal((await fetch(new URL('/cancel', metrics), { method: 'POST' })).status, 404);
  assert.equal((await fetch(new URL('/metrics', running.origin))).status, 404);
  // Where one of the two can't be had, it says so and is gone.
  const taken = new URL(metrics).host;
  for (const [i, words] of [
    ['--port', '0', '--metrics', taken],
    ['--port', taken.split(':')[1]!, '--metrics', '127.0.0.1:0'],
  ].entries()) {
    const { status, stderr } = broker('serve', '--data', join(folder.path, `other-${i}`), ...words);
    assert.deepEqual([status, /EADDRINUSE/.test(stderr)], [1, true], stderr);
  }
  await running.stop();
  await assert.rejects(fetch(metrics));
});

test('the operator cancels a request and reads the metrics, over a socket of its own', async () => {
  await using folder = await temporaryFolder();
  await using running = await startBrokerProcess(join(folder.path, 'broker'));
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
    await using running = await startBrokerProcess(data);
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
  await using running = await startBrokerProcess(join(folder.path, 'broker'), {
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

test('a second broker on the same data does not start, and the first goes on', async () => {
  await using folder = await temporaryFolder();
  const data = join(folder.path, 'broker');
  await using running = await startBrokerProcess(data);
  const second = broker('serve', '--data', data, '--port', '0');
  assert.equal(second.status, 1);
  assert.match(second.stderr, /another broker is running on this data/);
  const { status } = broker('metrics', '--data', data);
  assert.equal(status, 0, 'the socket of the first is still there');
  await running.stop('SIGKILL');
  await using next = await startBrokerProcess(data);
  await next.stop();
});

test('a broker whose database is damaged says which file it is, and leaves it as it was', async () => {
  await using folder = await temporaryFolder();
  const data = join(folder.path, 'broker');
  await (await startBrokerProcess(data)).stop();
  const path = join(data, 'broker.db');
  assert.deepEqual(
    (await readdir(data)).filter((name) => name.startsWith('broker.db')),
    ['broker.db'],
    'a broker that was stopped as soon as it answered has stopped in order: no log to mend a database by',
  );
  const damaged = Buffer.alloc(8192, 'not a database');
  await writeFile(path, damaged);
  const { status, stderr } = broker('serve', '--data', data, '--port', '0');
  assert.equal(status, 1);
  assert.match(stderr, /^countersign: the database .*broker\.db can’t be used: file is not a database$/m);
  assert.deepEqual(await readFile(path), damaged);
});

test('a broker whose key is gone or broken does not go on with a new one', async () => {
  await using folder = await temporaryFolder();
  const data = join(folder.path, 'broker');
  await (await startBrokerProcess(data)).stop();
  const key = join(data, 'broker-key.json');
  await writeFile(key, '{');
  assert.match(broker('serve', '--data', data, '--port', '0').stderr, /key .*broker-key\.json can’t be used/);
  await rm(key);
  assert.match(broker('serve', '--data', data, '--port', '0').stderr, /key .*broker-key\.json is gone/);
});
