/**
 * A server in a process of its own, on a core of its own; its CPU time and memory as the kernel counts them.
 * @module
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { createInterface } from 'node:readline';

const SERVER_CORE = '0';
const LOAD_CORE = '1';
/** Unit of the times in /proc: 100 a second for every program, whatever the kernel ticks at. */
const TICKS_PER_SECOND = 100;

export interface Usage extends AsyncDisposable {
  /** CPU time so far, of all its threads, user and system, in seconds. */
  cpuSeconds(): number;
  /** Resident memory in bytes. */
  residentBytes(): number;
}

export interface ServerProcess extends Usage {
  /** Where it answers. */
  readonly origin: string;
  readonly port: number;
}

/** Puts this process, which makes the load, on the core that no server uses. */
export function pinLoad(): void {
  const pinned = spawnSync('taskset', ['-acp', LOAD_CORE, String(process.pid)]);
  if (availableParallelism() < 2 && pinned.status !== 0) {
    throw new Error('the bench needs two cores: one for the server, one for the load');
  }
  if (pinned.status !== 0) {
    throw new Error('the bench needs Linux and `taskset` (Debian package util-linux)');
  }
}

/** Starts a program that says where it listens in a line of JSON, as `local`. */
export async function startServer(script: string, args: readonly string[]): Promise<ServerProcess> {
  const child = spawnOnServerCore([process.execPath, script, ...args]);
  const ready = Promise.withResolvers<string>();
  createInterface({ input: child.stdout }).on('line', (line) => {
    // The peer has notices of its own to give.
    if (!line.startsWith('{')) return;
    const { local } = JSON.parse(line) as { local?: string };
    if (local !== undefined) ready.resolve(local);
  });
  let stopping = false;
  child.once('exit', (code, signal) => {
    if (!stopping) process.stderr.write(`${script} ended by itself: ${code ?? signal}\n`);
    ready.reject(new Error(`${script} did not start`));
  });
  const origin = await ready.promise;
  const watched = watch(child);
  return {
    origin,
    port: Number(new URL(origin).port),
    ...watched,
    [Symbol.asyncDispose]() {
      stopping = true;
      return watched[Symbol.asyncDispose]();
    },
  };
}

/** Starts any program on the core of the servers, as it stands in the words. Its output is the caller's to read. */
export function spawnOnServerCore(words: readonly string[]) {
  return spawn('taskset', ['-c', SERVER_CORE, ...words], { stdio: ['ignore', 'pipe', 'inherit'] });
}

/** What a process that runs uses; it is ended with this one. */
export function watch(child: ChildProcess): Usage {
  const kill = () => child.kill('SIGKILL');
  process.once('exit', kill);
  const proc = `/proc/${child.pid}`;
  return {
    cpuSeconds() {
      const stat = readFileSync(`${proc}/stat`, 'latin1');
      // The program's name, in brackets, may hold spaces; after it come state, ppid, … utime, stime.
      const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
    },
    residentBytes() {
      const status = readFileSync(`${proc}/status`, 'latin1');
      return Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1]) * 1024;
    },
    async [Symbol.asyncDispose]() {
      process.off('exit', kill);
      if (child.exitCode !== null || child.signalCode !== null) return;
      const gone = once(child, 'exit');
      child.kill('SIGTERM');
      const late = setTimeout(kill, 10_000);
      await gone;
      clearTimeout(late);
    },
  };
}
