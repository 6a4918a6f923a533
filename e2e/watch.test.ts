import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { stripVTControlCharacters } from 'node:util';
import { countersign, inTerminal, PASSPHRASE, startBrokerProcess, temporaryFolder } from './processes.ts';

const CLI = fileURLToPath(import.meta.resolve('../packages/cli/src/main.ts'));

test('a question appears in the live list, is answered at a keystroke, and goes', {
  timeout: 60_000,
}, async () => {
  await using folder = await temporaryFolder();
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
    const end = performance.now() + 15_000;
    while (!what.test(stripVTControlCharacters(screen))) {
      assert.ok(
        performance.now() < end,
        `never shown: ${what}; the screen had ${stripVTControlCharacters(screen)}`,
      );
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    screen = '';
  };
  after(() => watch.kill());
  await shown(/Nothing waits for your answer/);
  const asking = run('host', 'confirm', 'post', 'alice@example.com', 'Log in to Host1', '--wait', '--json');
  await shown(/host@example\.com asks:\s+Log in to Host1/);
  await new Promise((resolve) => setTimeout(resolve, 1000));
  watch.stdin.write('a');
  await shown(/Log in to Host1: accepted/);
  const { status, stdout } = await asking;
  assert.equal(status, 0);
  assert.match(stdout, /"outcome":"accepted".*"shown":"screen"/);
  watch.stdin.write('q');
  const [code] = (await once(watch, 'exit')) as [number];
  assert.equal(code, 0);
  await broker.stop();
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
