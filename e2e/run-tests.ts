/**
 * `npm test`: sees to what the tests need, checks types and style, runs every test, and closes with one line
 * that counts them.
 * @module
 */
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { join, relative } from 'node:path';
import { run } from 'node:test';
import { spec } from 'node:test/reporters';
import { fileURLToPath } from 'node:url';
import { compileOnce } from './compile-once.ts';
import { installNeeded } from './debian-packages.ts';
import { watchdog } from './watchdog.ts';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const patterns = process.argv.slice(2);
/** A test that hangs fails; the slowest takes two minutes on two busy cores. */
const TEST_DEADLINE_MS = 20 * 60_000;
/** One that can't be told so is killed, once nothing was heard of any test for so long. */
const SILENCE_SECONDS = 15 * 60;

function testFiles(folder: string): string[] {
  if (!existsSync(join(ROOT, folder))) return [];
  return readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.test.ts') && !path.includes('node_modules'))
    .map((path) => join(ROOT, folder, path))
    .filter(
      (path) => patterns.length === 0 || patterns.some((pattern) => relative(ROOT, path).includes(pattern)),
    )
    .sort();
}

function check(what: string, command: string, args: string[]): boolean {
  process.stdout.write(`${what}: `);
  const { status, stdout, stderr } = spawnSync(join(ROOT, 'node_modules/.bin', command), args, {
    cwd: ROOT,
    encoding: 'utf8',
  });
  process.stdout.write(status === 0 ? 'good\n' : `not good\n${stdout}${stderr}`);
  return status === 0;
}

/** Pure tests share one process; tests that start servers get one each. */
async function runFiles(
  files: string[],
  isolation: 'none' | 'process',
): Promise<{ passed: number; failed: number }> {
  if (files.length === 0) return { passed: 0, failed: 0 };
  const count = { passed: 0, failed: 0 };
  using dog = watchdog(SILENCE_SECONDS);
  const stream = run({
    files,
    isolation,
    // Where a test fails halfway, what it leaves open must not keep its file from ending.
    ...(isolation === 'process' ? { concurrency: 2, timeout: TEST_DEADLINE_MS, forceExit: true } : {}),
  });
  // A suite is not a test: only leaves are counted.
  stream.on('test:pass', ({ details, skip, todo }) => {
    dog.heard();
    if (details.type !== 'suite' && skip === undefined && todo === undefined) count.passed++;
  });
  stream.on('test:fail', ({ details }) => {
    dog.heard();
    if (details.type !== 'suite') count.failed++;
  });
  stream.compose(new spec()).pipe(process.stdout, { end: false });
  await new Promise((resolve, reject) => stream.on('end', resolve).on('error', reject));
  return count;
}

installNeeded();
compileOnce();
let failed = 0;
let passed = 0;
if (patterns.length === 0) {
  for (const good of [
    check('types', 'tsc', ['--noEmit']),
    check('style', 'biome', ['ci', '--error-on-warnings', '.']),
  ]) {
    if (good) passed++;
    else failed++;
  }
}
const packages = ['core', 'http', 'broker', 'client', 'cli', 'gate', 'graphene', 'web'].flatMap((name) =>
  testFiles(`packages/${name}/test`),
);
for (const count of [await runFiles(packages, 'none'), await runFiles(testFiles('e2e'), 'process')]) {
  passed += count.passed;
  failed += count.failed;
}
process.stdout.write(`${passed} passed, ${failed} failed\n`);
process.exit(failed === 0 && passed > 0 ? 0 : 1);
