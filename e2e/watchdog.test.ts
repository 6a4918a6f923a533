import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { temporaryFolder } from './processes.ts';

const WATCHDOG = fileURLToPath(import.meta.resolve('./watchdog.ts'));

test('a test that waits where no deadline reaches it is killed, with what it started', async () => {
  await using folder = await temporaryFolder();
  const waiting = join(folder.path, 'waiting.test.mjs');
  await writeFile(
    waiting,
    `import { spawnSync } from 'node:child_process';
     import { test } from 'node:test';
     test('waits', () => { spawnSync('sleep', ['3131']); });`,
  );
  const running = join(folder.path, 'running.mjs');
  await writeFile(
    running,
    `import { run } from 'node:test';
     import { watchdog } from ${JSON.stringify(WATCHDOG)};
     using dog = watchdog(3);
     let failed = 0;
     const stream = run({ files: [${JSON.stringify(waiting)}], isolation: 'process', timeout: 1000 });
     stream.on('test:fail', () => failed++);
     stream.on('end', () => console.log('failed', failed)).resume();
     await new Promise((resolve) => stream.on('end', resolve));`,
  );
  const { NODE_TEST_CONTEXT: _, ...env } = process.env;
  const { stdout } = spawnSync(process.execPath, [running], { encoding: 'utf8', timeout: 60_000, env });
  assert.match(stdout, /nothing was heard of any test for 3 s: killed 2 processes\n(.*\n)*failed 1\n/);
  const left = spawnSync('pgrep', ['-f', '^sleep 3131$'], { encoding: 'utf8' });
  assert.equal(left.stdout, '', 'what it started is gone as well');
});
