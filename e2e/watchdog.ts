/**
 * Ends test files that the test runner's own deadline can't reach: one that waits in a synchronous call hears no
 * signal that its runner handles, and would hold up the whole run.
 * @module
 */
import { spawnSync } from 'node:child_process';

interface Process {
  readonly pid: number;
  readonly parent: number;
  /** Seconds since it began. */
  readonly age: number;
}

function processes(): Process[] {
  const { stdout } = spawnSync('ps', ['-eo', 'pid=,ppid=,etimes='], { encoding: 'utf8' });
  return stdout
    .trim()
    .split('\n')
    .map((line) => line.trim().split(/\s+/).map(Number))
    .map(([pid, parent, age]) => ({ pid: pid!, parent: parent!, age: age! }));
}

/** Kills the children of this process that are older than some seconds, and what they started, the youngest first. */
export function killChildren(olderThan: number): number {
  const all = processes();
  const family = all.filter(({ parent, age }) => parent === process.pid && age >= olderThan);
  for (const { pid } of family) family.push(...all.filter(({ parent }) => parent === pid));
  for (const { pid } of family.reverse()) {
    try {
      process.kill(pid, 'SIGKILL');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
    }
  }
  return family.length;
}

/**
 * Watches over a run of test files in processes.
 * @param seconds for so long nothing may be heard of any test
 */
export function watchdog(seconds: number): { heard(): void; [Symbol.dispose](): void } {
  const timer = setTimeout(() => {
    timer.refresh();
    const count = killChildren(seconds);
    process.stdout.write(`nothing was heard of any test for ${seconds} s: killed ${count} processes\n`);
  }, seconds * 1000);
  // tests of this very process are over once nothing else keeps it
  timer.unref();
  return { heard: () => void timer.refresh(), [Symbol.dispose]: () => clearTimeout(timer) };
}
