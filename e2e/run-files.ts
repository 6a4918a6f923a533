/**
 * Runs test files, tells of them as they go, and counts.
 * @module
 */
import { run } from 'node:test';
import { spec } from 'node:test/reporters';
import { watchdog } from './watchdog.ts';

/** A test that hangs fails; the slowest takes two minutes on two busy cores. */
const TEST_DEADLINE_MS = 20 * 60_000;
/** One that can't be told so is killed, once nothing was heard of any test for so long. */
const SILENCE_SECONDS = 15 * 60;
/**
 * A file that is ended (`forceExit`) drops what its standard output has not taken yet, unless that is written before
 * anything else is done: the last tests of a file were lost so, where this process was slow to read.
 */
const WRITES_AT_ONCE = 'data:text/javascript,process.stdout._handle?.setBlocking?.(true)';

export interface Count {
  passed: number;
  failed: number;
}

/** @param isolation pure tests share this process; tests that start servers get one each */
export async function runFiles(files: string[], isolation: 'none' | 'process'): Promise<Count> {
  const count = { passed: 0, failed: 0 };
  if (files.length === 0) return count;
  using dog = watchdog(SILENCE_SECONDS);
  const stream = run({
    files,
    isolation,
    ...(isolation === 'process'
      ? {
          concurrency: 2,
          timeout: TEST_DEADLINE_MS,
          // Where a test fails halfway, what it leaves open must not keep its file from ending.
          forceExit: true,
          execArgv: ['--import', WRITES_AT_ONCE],
        }
      : {}),
  });
  const told = new Set<string>();
  // A suite is not a test: only leaves are counted.
  stream.on('test:pass', ({ details, skip, todo }) => {
    dog.heard();
    if (details.type !== 'suite' && skip === undefined && todo === undefined) count.passed++;
  });
  stream.on('test:fail', ({ details, file }) => {
    dog.heard();
    if (file !== undefined) told.add(file);
    if (details.type !== 'suite') count.failed++;
  });
  stream.on('test:summary', ({ file }) => {
    if (file !== undefined) told.add(file);
  });
  stream.compose(new spec()).pipe(process.stdout, { end: false });
  await new Promise((resolve, reject) => stream.on('end', resolve).on('error', reject));
  for (const file of isolation === 'process' ? files.filter((one) => !told.has(one)) : []) {
    process.stdout.write(`✖ ${file} did not tell its end: some of its tests may not be counted\n`);
    count.failed++;
  }
  return count;
}
