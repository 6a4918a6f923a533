/**
 * Programs that print lines of JSON and run until they are told to stop: the small chain, a mail server, providers.
 * @module
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { PASSPHRASE } from './processes.ts';

export type Line = Readonly<Record<string, unknown>>;

export interface Program {
  /** The first line that says that it is ready. */
  readonly ready: Line;
  /** The next line of some kind. */
  next(wanted: (line: Line) => boolean): Promise<Line>;
  stop(): Promise<void>;
}

/** Starts a program that prints lines of JSON, the first of them once it is ready. */
export async function startProgram(
  stack: AsyncDisposableStack,
  words: readonly string[],
  isReady: (line: Line) => boolean = () => true,
): Promise<Program> {
  const env = { ...process.env, COUNTERSIGN_PASSPHRASE: PASSPHRASE };
  const child = spawn(process.execPath, words, { env, stdio: ['ignore', 'pipe', 'inherit'] });
  const lines: Line[] = [];
  const waiting: ((line: Line) => void)[] = [];
  createInterface({ input: child.stdout }).on('line', (text) => {
    const line = JSON.parse(text) as Line;
    lines.push(line);
    for (const tell of waiting.splice(0)) tell(line);
  });
  const ended = Promise.withResolvers<never>();
  ended.promise.catch(() => {});
  child.once('exit', (status) => ended.reject(new Error(`${words[0]} ended with ${status}`)));
  let read = 0;
  const next = async (wanted: (line: Line) => boolean) => {
    for (;;) {
      while (read < lines.length) {
        const line = lines[read++]!;
        if (wanted(line)) return line;
      }
      await Promise.race([new Promise<Line>((resolve) => waiting.push(resolve)), ended.promise]);
    }
  };
  const stop = () => end(child);
  stack.defer(stop);
  return { ready: await next(isReady), next, stop };
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, 'exit');
  child.kill('SIGTERM');
  await gone;
}
