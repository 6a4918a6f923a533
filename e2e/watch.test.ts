import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { stripVTControlCharacters } from 'node:util';
import { countersign, inTerminal, PASSPHRASE, startBrokerProcess, temporaryFolder } from './processes.ts';
import { PATIENCE_MS } from './until.ts';

const CLI = fileURLToPath(import.meta.resolve('../packages/cli/src/main.ts'));

/** A broker, alice at her live list in a window of 40 lines, and a host that she lets ask. */
async function watching() {
  const folder = await temporaryFolder();
  const broker = await startBrokerProcess(join(folder.path, 'broker'));
  const run = (who: string, ...words: string[]) =>
    countersign(join(folder.path, who), words, { env: { COUNTERSIGN_BROKER: broker.origin } });
  await run('alice', 'account', 'create', 'alice@example.com');
  await run('host', 'account', 'create', 'host@example.com');
  await run('alice', 'contact', 'add', (await run('host', 'account', 'show', '--link')).stdout.trim());

  const [program, args] = inTerminal([
    process.execPath,
    CLI,
    '--profile',
    join(folder.path, 'alice'),
    'watch',
  ]);
  const env = { ...process.env, COUNTERSIGN_PASSPHRASE: PASSPHRASE, NO_COLOR: '1' };
  const watch = spawn(program, args, { env, stdio: ['pipe', 'pipe', 'inherit'] });
  let screen = '';
  watch.stdout.setEncoding('utf8').on('data', (text: string) => {
    screen += text;
  });
  const shown = async (what: RegExp) => {
    const end = performance.now() + PATIENCE_MS;
    while (!what.test(stripVTControlCharacters(screen))) {
      assert.ok(
        performance.now() < end,
        `never shown: ${what}; the screen had ${stripVTControlCharacters(screen)}`,
      );
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    screen = '';
  };
  /** A key, once keys act again. */
  const press = async (keys: string) => {
    await new Promise((resolve) => setTimeout(resolve, 1000));
    watch.stdin.write(keys);
  };
  await shown(/Nothing waits for your answer/);
  return {
    run,
    shown,
    press,
    /** What `watch --json` says, line by line. */
    reporting() {
      const reporter = spawn(
        process.execPath,
        [CLI, '--profile', join(folder.path, 'alice'), 'watch', '--json'],
        { env, stdio: ['ignore', 'pipe', 'inherit'] },
      );
      const lines = createInterface({ input: reporter.stdout })[Symbol.asyncIterator]();
      return {
        async next() {
          const { value } = await lines.next();
          return JSON.parse(value!) as { notices: { kind: string; count: number }[] };
        },
        async [Symbol.asyncDispose]() {
          reporter.kill('SIGTERM');
          if (reporter.exitCode === null) await once(reporter, 'exit');
        },
      };
    },
    async [Symbol.asyncDispose]() {
      watch.stdin.write('q');
      const [code] = (await once(watch, 'exit')) as [number];
      await broker.stop();
      await folder[Symbol.asyncDispose]();
      assert.equal(code, 0);
    },
  };
}

test('a question appears in the live list, is answered at a keystroke, and goes', {
  timeout: 60_000,
}, async () => {
  await using alice = await watching();
  const { run, shown, press } = alice;
  const asking = run('host', 'confirm', 'post', 'alice@example.com', 'Log in to Host1', '--wait', '--json');
  await shown(/host@example\.com asks:\s+Log in to Host1/);
  await press('a');
  await shown(/Log in to Host1: accepted/);
  const { status, stdout } = await asking;
  assert.equal(status, 0);
  assert.match(stdout, /"outcome":"accepted".*"shown":"screen"/);
});

test('a question that is taller than the window is accepted only after its last page', {
  timeout: 60_000,
}, async () => {
  await using alice = await watching();
  const { run, shown, press } = alice;
  const fields = Array.from({ length: 60 }, (_, i) => ['--field', `Note ${i + 1}=Thank you`]).flat();
  const asking = run('host', 'confirm', 'post', 'alice@example.com', 'Pay Mallory', ...fields, '--wait');
  await shown(/host@example\.com asks:\s+Pay Mallory.*page 1 of/s);
  await press('a');
  await shown(/There is more to read/);
  await press(' ');
  await shown(/page 2 of/);
  await press(' ');
  await shown(/Note 60\s+Thank you/);
  await press('a');
  await shown(/Pay Mallory: accepted/);
  assert.equal((await asking).status, 0);
});

test('a question that wants the person there takes the passphrase, typed for this answer', {
  timeout: 60_000,
}, async () => {
  await using alice = await watching();
  const { run, shown, press } = alice;
  const asking = run('host', 'confirm', 'post', 'alice@example.com', 'Deploy', '--uv', '--wait');
  await shown(/host@example\.com asks:\s+Deploy/);
  await press('a');
  await shown(/Your passphrase, to prove that you are there/);
  await press('wrong\r');
  await shown(/does not open with this passphrase/);
  await press('a');
  await shown(/Your passphrase, to prove that you are there/);
  await press(`${PASSPHRASE}\r`);
  await shown(/Deploy: accepted/);
  assert.equal((await asking).status, 0);
});

test('without a terminal it says what to do instead', async () => {
  await using folder = await temporaryFolder();
  const broker = await startBrokerProcess(join(folder.path, 'broker'));
  const run = (...words: string[]) =>
    countersign(join(folder.path, 'alice'), words, { env: { COUNTERSIGN_BROKER: broker.origin } });
  await run('account', 'create', 'alice@example.com');
  const { status, stderr } = await run('watch');
  assert.equal(status, 9);
  assert.match(stderr, /not-shown.*hint: use --json/s);
  await broker.stop();
});

test('a device before the door is shown at once, with how to let it in', async () => {
  await using live = await watching();
  const link = (await live.run('alice', 'device', 'link')).stdout.trim();
  const asked = await live.run(
    'phone',
    'device',
    'request',
    link,
    '--no-wait',
    '--json',
    '--device',
    'phone',
  );
  assert.equal(asked.status, 0, asked.stderr);
  const { kid, model, os, address } = JSON.parse(asked.stdout) as Record<string, string>;
  const facts = [
    `fingerprint {2}${kid}`,
    'name +phone',
    `model +${RegExp.escape(model!)}`,
    `system +${RegExp.escape(os!)}`,
    `address +${address}`,
    'time +20.*left',
    `→ countersign device accept ${kid!.slice(0, 9)}`,
  ];
  await live.shown(new RegExp(`new device phone wants in:\\s+${facts.join('\\s+')}`));
});

test('a PIN that comes a second time alerts whoever watches, at the screen and by --json', async () => {
  await using live = await watching();
  const { pin } = JSON.parse((await live.run('alice', 'device', 'pin', '--json')).stdout) as { pin: string };
  const knock = (who: string) =>
    live.run(who, 'device', 'request', 'alice@example.com', '--pin', pin, '--no-wait');
  assert.equal((await knock('phone')).status, 0);
  assert.equal((await knock('thief')).status, 3);
  await live.shown(/A PIN came a second time; .*:\s+once 20/s);
  await using events = live.reporting();
  assert.deepEqual(
    (await events.next()).notices.map(({ kind, count }) => [kind, count]),
    [['pin-used', 1]],
  );
});
