/**
 * A host for login programs: its own /etc, /usr, /home, /run and process numbers, in namespaces of Linux, so that real
 * programs can be configured and used while the machine itself stays as it is. Needs root.
 * @module
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { PATIENCE_MS } from './until.ts';

/** Why these tests are skipped, where they are. */
export const SKIP =
  process.platform !== 'linux' || process.getuid?.() !== 0
    ? 'login programs are set up in namespaces, which only root on Linux may make'
    : false;

const SET_UP = `
set -e
for folder in /etc /usr /var/lib /var/backups /var/cache/debconf; do
  own="$1$folder"
  mkdir -p "$own/upper" "$own/work"
  mount -t overlay overlay -o "lowerdir=$folder,upperdir=$own/upper,workdir=$own/work" "$folder"
done
for folder in /home /run /var/log /var/mail; do mount -t tmpfs tmpfs "$folder"; done
mkdir -p /tmp/.X11-unix
mount -t tmpfs -o mode=1777 tmpfs /tmp/.X11-unix
mkdir -p /run/sshd /run/vsftpd/empty /run/lock
for user in alice bob; do
  useradd -m -s /bin/sh "$user"
  echo "$user:pw-$user" | chpasswd
done
echo ready
# the first process here, which collects what the others leave behind
sleep infinity & wait`;

export class Host {
  readonly folder: string;
  readonly #holder: ChildProcess;
  readonly #inside: string;

  private constructor(folder: string, holder: ChildProcess, inside: string) {
    this.folder = folder;
    this.#holder = holder;
    this.#inside = inside;
  }

  static async start(): Promise<Host> {
    const folder = mkdtempSync(join(tmpdir(), 'countersign-host-'));
    chmodSync(folder, 0o755);
    const holder = spawn(
      'unshare',
      [
        ...['--mount', '--pid', '--fork', '--kill-child', '--mount-proc', '--propagation', 'private'],
        ...['sh', '-c', SET_UP, 'sh', folder],
      ],
      { stdio: ['ignore', 'pipe', 'inherit'] },
    );
    const failed = once(holder, 'exit').then(() => {
      throw new Error('no namespaces of its own for the host');
    });
    failed.catch(() => {});
    const lines = createInterface({ input: holder.stdout! });
    await Promise.race([once(lines, 'line'), failed]);
    const children = readFileSync(`/proc/${holder.pid}/task/${holder.pid}/children`, 'utf8');
    return new Host(folder, holder, children.trim());
  }

  /** A command's words, to be run there; by a user, if one is named. */
  words(command: readonly string[], user?: string): string[] {
    const by = user === undefined ? [] : ['setpriv', `--reuid=${user}`, `--regid=${user}`, '--init-groups'];
    return ['nsenter', '-t', this.#inside, '-m', '-p', '--', ...by, ...command];
  }

  write(path: string, text: string, mode = 0o644): void {
    const there = `/proc/${this.#inside}/root${path}`;
    writeFileSync(there, text);
    chmodSync(there, mode);
  }

  /** A service whose stack is our line, or other lines. */
  stack(service: string, ...auth: readonly string[]): void {
    const lines = [...auth, 'account required pam_permit.so', 'session required pam_permit.so'];
    this.write(`/etc/pam.d/${service}`, `${lines.join('\n')}\n`);
  }

  run(command: readonly string[], user?: string, input = ''): { status: number | null; output: string } {
    const [program, ...args] = this.words(command, user) as [string, ...string[]];
    const { status, stdout, stderr } = spawnSync(program, args, { encoding: 'utf8', input, env: plainEnv() });
    return { status, output: stdout + stderr };
  }

  /** Starts a server there, which ends with the host. */
  serve(command: readonly string[], user?: string): ChildProcess {
    const [program, ...args] = this.words(command, user) as [string, ...string[]];
    return spawn(program, args, { stdio: ['ignore', 'ignore', 'pipe'], env: plainEnv() });
  }

  terminal(command: readonly string[], user?: string, env: NodeJS.ProcessEnv = {}): Terminal {
    return new Terminal(this.words(command, user), env);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const gone = once(this.#holder, 'exit');
    this.#holder.kill('SIGKILL');
    await gone;
    rmSync(this.folder, { recursive: true, force: true });
  }
}

function plainEnv(): NodeJS.ProcessEnv {
  return {
    PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
    LC_ALL: 'C.UTF-8',
    TERM: 'xterm',
  };
}

/** A person at a terminal: what they see, and what they type. */
export class Terminal {
  readonly #child: ChildProcess;
  readonly #closed: Promise<number | null>;
  #screen = '';
  #waiting: (() => void)[] = [];

  constructor(words: readonly string[], env: NodeJS.ProcessEnv) {
    const quoted = words.map((word) => `'${word.replaceAll("'", `'\\''`)}'`).join(' ');
    this.#child = spawn('script', ['-qefc', `stty rows 60 columns 120; exec ${quoted}`, '/dev/null'], {
      stdio: ['pipe', 'pipe', 'inherit'],
      env: { ...plainEnv(), ...env },
    });
    this.#child.stdin!.on('error', () => {});
    this.#child.stdout!.setEncoding('utf8').on('data', (text: string) => {
      this.#screen += text.replaceAll('\r\n', '\n');
      for (const look of this.#waiting.splice(0)) look();
    });
    this.#closed = once(this.#child, 'close').then(([status]) => {
      for (const look of this.#waiting.splice(0)) look();
      return status as number | null;
    });
  }

  get screen(): string {
    return this.#screen;
  }

  /** Types keys; a new line is the Enter key. */
  type(keys: string): void {
    this.#child.stdin!.write(keys.replaceAll('\n', '\r'));
  }

  /** Waits until the screen shows something. @throws where it ends, or patience does, without it */
  async see(what: string | RegExp): Promise<void> {
    const end = performance.now() + PATIENCE_MS;
    const there = () => (typeof what === 'string' ? this.#screen.includes(what) : what.test(this.#screen));
    while (!there()) {
      const left = end - performance.now();
      const over = this.#child.exitCode !== null || this.#child.signalCode !== null;
      if (left <= 0 || over)
        throw new Error(`never seen: ${what}; the screen: ${JSON.stringify(this.#screen)}`);
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#waiting.push(resolve);
      const timer = setTimeout(resolve, left);
      await promise;
      clearTimeout(timer);
    }
  }

  /** Its exit status, once it ends by itself. */
  ended(): Promise<number | null> {
    return this.#closed;
  }

  /** The person closes the window. */
  async close(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.#closed;
  }
}
