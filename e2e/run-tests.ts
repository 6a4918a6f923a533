/**
 * `npm test`: sees to what the tests need, checks types and style, runs every test, and closes with one line
 * that counts them.
 * @module
 */
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { compileOnce } from './compile-once.ts';
import { installNeeded } from './debian-packages.ts';
import { runFiles } from './run-files.ts';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const patterns = process.argv.slice(2);

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
// Whoever reads slowly gets it whole.
process.stdout.write(`${passed} passed, ${failed} failed\n`, () =>
  process.exit(failed === 0 && passed > 0 ? 0 : 1),
);
