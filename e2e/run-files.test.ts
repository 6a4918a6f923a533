import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { temporaryFolder } from './processes.ts';

const RUN_FILES = fileURLToPath(import.meta.resolve('./run-files.ts'));

/** Runs a test file as `npm test` does. @returns the last two lines that it printed @param busy what the runner does besides */
async function runAsTests(text: string, busy = ''): Promise<string> {
  await using folder = await temporaryFolder();
  const file = join(folder.path, 'some.test.mjs');
  await writeFile(file, `import { test } from 'node:test';\n${text}`);
  const running = join(folder.path, 'running.mjs');
  await writeFile(
    running,
    `import { runFiles } from ${JSON.stringify(RUN_FILES)};
     ${busy}
     const { passed, failed } = await runFiles([${JSON.stringify(file)}], 'process');
     process.stdout.write(passed + ' passed, ' + failed + ' failed', () => process.exit());`,
  );
  const { NODE_TEST_CONTEXT: _, ...env } = process.env;
  const { stdout } = spawnSync(process.execPath, [running], { encoding: 'utf8', timeout: 60_000, env });
  return stdout.split('\n').slice(-2).join('\n');
}

test('every test of a file is counted, however slowly its runner reads', async () => {
  const many = "for (let i = 0; i < 600; i++) test('number ' + i + ' and more'.repeat(100), () => {});";
  // It looks once in a quarter of a second.
  const slow =
    'setInterval(() => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 250), 10).unref();';
  assert.match(await runAsTests(many, slow), /\n600 passed, 0 failed$/);
});

test('a file that ends before it has told all counts as failed', async () => {
  const ends = "test('one', () => {}); test('ends it', () => { process.exit(0); }); test('never', () => {});";
  assert.match(await runAsTests(ends), /did not tell its end.*\n\d passed, [1-9] failed$/);
});

test('what a failing test leaves open does not keep its file from ending', async () => {
  const open = "test('leaves', () => { setInterval(() => {}, 1000); throw new Error('halfway'); });";
  assert.match(await runAsTests(open), /\n0 passed, 1 failed$/);
});
