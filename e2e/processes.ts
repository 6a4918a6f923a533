/**
 * Real processes for the demo and the end-to-end tests: a broker, and the command line, each on its own.
 * @module
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { stripVTControlCharacters } from 'node:util';

const CLI = fileURLToPath(import.meta.resolve('../packages/cli/src/main.ts'));
const BROKER = fileURLToPath(import.meta.resolve('../packages/broker/src/main.ts'));
/** The demo and the tests seal their keys like anybody, with a passphrase that guards nothing. */
export const PASSPHRASE = 'only for this demonstration';

export interface Finished {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  /** Give it a terminal of its own, as a person at a keyboard has. */
  readonly terminal?: boolean;
  readonly input?: string;
  /** Lines that are typed one by one, each once it is asked for. */
  readonly answers?: readonly string[];
  readonly env?: NodeJS.ProcessEnv;
  /** Another program than `countersign`. */
  readonly program?: string;
  /** Sees the output as it comes. */
  readonly onOutput?: (text: string) => void;
}

/** Runs the command line with some words, in a profile. */
export async function countersign(
  profile: string,
  words: readonly string[],
  options: RunOptions = {},
): Promise<Finished> {
  const env = {
    ...process.env,
    COUNTERSIGN_PASSPHRASE: PASSPHRASE,
    COUNTERSIGN_PROFILE: profile,
    ...(process.stdout.isTTY ? {} : { NO_COLOR: '1' }),
    ...options.env,
  };
  const main = options.program ?? CLI;
  const [program, args] = options.terminal
    ? inTerminal([process.execPath, main, ...words])
    : [process.execPath, [main, ...words]];
  const child = spawn(program, args, { env, stdio: ['pipe', 'pipe', 'pipe'] });
  const output = { stdout: '', stderr: '' };
  const answers = [...(options.answers ?? [])];
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].setEncoding('utf8').on('data', (raw: string) => {
      const text = options.terminal ? raw.replaceAll('\r\n', '\n') : raw;
      output[name] += text;
      options.onOutput?.(text);
      if (/: $/.test(stripVTControlCharacters(text)) && answers.length > 0) {
        child.stdin.write(`${answers.shift()}\n`);
      }
    });
  }
  if (options.answers === undefined) child.stdin.end(options.input ?? '');
  const [status, signal] = (await once(child, 'close')) as [number | null, string | null];
  if (status === null) throw new Error(`countersign ${words.join(' ')} was ended by ${signal}`);
  return { status, ...output };
}

/** The words of a command under util-linux's or BSD's `script`, which gives it a pseudo-terminal. */
export function inTerminal(words: readonly string[]): [string, string[]] {
  if (process.platform === 'darwin') return ['script', ['-q', '/dev/null', ...words]];
  const quoted = words.map((word) => `'${word.replaceAll("'", `'\\''`)}'`).join(' ');
  // A new pseudo-terminal has no size, and a live display would have no room.
  return ['script', ['-qefc', `stty rows 40 columns 100; exec ${quoted}`, '/dev/null']];
}

/** Disposed of, it is stopped: a test that fails leaves none behind, which would keep its file from ending. */
export interface BrokerProcess extends AsyncDisposable {
  /** What it calls itself, and where it listens. */
  readonly origin: string;
  readonly local: string;
  readonly data: string;
  readonly child: ChildProcess;
  /** Everything that it logged. */
  log(): string;
  /** Ends it, as an operator does (SIGTERM) or as a power cut does (SIGKILL). */
  stop(signal?: NodeJS.Signals): Promise<void>;
}

/** Brokers that go with this process, however it ends. */
const running = new Set<ChildProcess>();
process.once('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

/** Starts a broker on a free port of the loopback interface. */
export async function startBrokerProcess(
  data: string,
  { port = 0, args = [] as readonly string[] } = {},
): Promise<BrokerProcess> {
  const child = spawn(
    process.execPath,
    [
      BROKER,
      ...['serve', '--data', data, '--port', String(port), '--log', 'debug'],
      // a test makes as many people as it needs
      ...['--registrations', '1000000'],
      ...args,
    ],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  running.add(child);
  child.once('exit', () => running.delete(child));
  let log = '';
  const ready = Promise.withResolvers<{ origin: string; local: string }>();
  createInterface({ input: child.stdout }).on('line', (line) => {
    log += `${line}\n`;
    const { origin, local } = JSON.parse(line) as { origin?: string; local?: string };
    if (origin !== undefined && local !== undefined) ready.resolve({ origin, local });
  });
  child.once('exit', (code) => ready.reject(new Error(`the broker ended at once, with ${code}: ${log}`)));
  const addresses = await ready.promise;
  const stop = async (signal: NodeJS.Signals = 'SIGTERM') => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, 'exit');
    child.kill(signal);
    await gone;
  };
  return { ...addresses, data, child, log: () => log, stop, [Symbol.asyncDispose]: () => stop() };
}

/** A folder that is gone afterwards. */
export async function temporaryFolder(): Promise<{ path: string } & AsyncDisposable> {
  const path = await mkdtemp(join(tmpdir(), 'countersign-'));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) };
}
