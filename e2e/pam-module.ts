/**
 * The C module of the gate, built once a test file, and programs that speak through it.
 * @module
 */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const MODULE_SOURCE = fileURLToPath(import.meta.resolve('../packages/gate/pam/Makefile'));

/** Builds targets of the module's Makefile in a folder. @throws what the compiler says */
export function build(folder: string, targets: readonly string[], words: readonly string[] = []): void {
  mkdirSync(folder, { recursive: true });
  const { status, stdout, stderr } = spawnSync(
    'make',
    ['-s', '-C', folder, '-f', MODULE_SOURCE, ...words, ...targets],
    { encoding: 'utf8' },
  );
  if (status !== 0) throw new Error(`make ${targets.join(' ')}: ${stdout}${stderr}`);
}

/** A folder that other users may read, gone afterwards. */
export function sharedFolder(): { path: string } & Disposable {
  const path = mkdtempSync(join(tmpdir(), 'countersign-pam-'));
  chmodSync(path, 0o755);
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) };
}

export interface Said {
  readonly kind: 'prompt' | 'secret' | 'info' | 'error';
  readonly text: string;
}

export interface Conversed {
  readonly said: readonly Said[];
  readonly result: string;
  readonly ms: number;
  /** What came out beside the conversation: nothing should. */
  readonly stderr: string;
}

export interface Converse {
  readonly service?: string;
  /** `-` has the module ask. */
  readonly user?: string;
  /** `tty=…`, `rhost=…`, `ruser=…` */
  readonly items?: readonly string[];
  readonly answers?: readonly string[];
  /** Words of the stack's line, beside the socket's. */
  readonly words?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly uid?: number;
  /** Run under valgrind; what it finds is in `stderr`. */
  readonly valgrind?: boolean;
  /** Sees the process, to end it. */
  readonly onSpawn?: (pid: number) => void;
}

const VALGRIND = ['valgrind', '-q', '--leak-check=full', '--show-leak-kinds=definite,indirect'];

/** Runs the scripted program on one of the two PAMs. */
export async function converse(
  pam: 'linux' | 'openpam',
  folder: string,
  socket: string,
  options: Converse = {},
): Promise<Conversed> {
  const { service = 'su', user = 'alice', items = [], answers = [], words = [], uid, valgrind } = options;
  const line = [`socket=${socket}`, `owner=${process.getuid?.()}`, ...words];
  const services = mkdtempSync(join(folder, 'services-'));
  chmodSync(services, 0o755);
  writeFileSync(
    join(services, service),
    `auth required ${join(folder, 'pam_countersign.so')} ${line.map((word) => `[${word}]`).join(' ')}\n`,
  );
  writeFileSync(join(services, 'other'), 'auth required pam_deny.so\n');
  const program = join(folder, pam === 'linux' ? 'converse' : 'converse-openpam');
  const environment = {
    ...process.env,
    ...options.env,
    ...(pam === 'linux'
      ? { LD_PRELOAD: 'libpam_wrapper.so', PAM_WRAPPER: '1', PAM_WRAPPER_SERVICE_DIR: services }
      : { HARNESS_WORDS: line.join(' ') }),
  };
  const command = [...(valgrind ? VALGRIND : []), program, service, user, ...items, '--', ...answers];
  const child = spawn(command[0]!, command.slice(1), {
    env: environment,
    stdio: ['ignore', 'pipe', 'pipe'],
    ...(uid === undefined ? {} : { uid, gid: uid }),
  });
  const output = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].setEncoding('utf8').on('data', (text: string) => {
      output[name] += text;
    });
  }
  if (child.pid !== undefined) options.onSpawn?.(child.pid);
  await once(child, 'close');
  rmSync(services, { recursive: true, force: true });
  const said = output.stdout
    .split('\n')
    .filter((text) => text !== '')
    .map((text) => JSON.parse(text) as Said | { result: string; ms: number });
  const end = said.at(-1);
  const { result, ms } = end !== undefined && 'result' in end ? end : { result: 'killed', ms: 0 };
  return { said: said.filter((one) => 'kind' in one), result, ms, stderr: output.stderr };
}
