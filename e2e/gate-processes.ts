/**
 * The gate's programs, each a process of its own: the demultiplexer, a host's system interfaces, nginx before them.
 * @module
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { isTaken } from './free-port.ts';
import type { Finished } from './processes.ts';
import { until } from './until.ts';

const program = (path: string) => fileURLToPath(import.meta.resolve(`../packages/gate/src/${path}/main.ts`));
const NODE = [process.execPath, '--disable-warning=ExperimentalWarning'] as const;

export interface Daemon {
  readonly child: ChildProcess;
  /** Its log, a JSON object a line. */
  readonly lines: Record<string, unknown>[];
  stop(signal?: NodeJS.Signals): Promise<void>;
}

/** Starts a daemon, and waits for a line of its log. */
async function start(
  words: readonly string[],
  ready: string,
  env: NodeJS.ProcessEnv = {},
): Promise<{ daemon: Daemon; line: Record<string, unknown> }> {
  const [command, ...args] = words as [string, ...string[]];
  const child = spawn(command, args, {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, ...env },
  });
  const lines: Record<string, unknown>[] = [];
  const found = Promise.withResolvers<Record<string, unknown>>();
  createInterface({ input: child.stdout }).on('line', (text) => {
    const line = JSON.parse(text) as Record<string, unknown>;
    lines.push(line);
    if (line.event === ready) found.resolve(line);
  });
  child.once('exit', (code) => found.reject(new Error(`${words.join(' ')} ended at once, with ${code}`)));
  const daemon = { child, lines, stop: (signal?: NodeJS.Signals) => stop(child, signal) };
  return { daemon, line: await found.promise };
}

async function stop(child: ChildProcess, signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, 'exit');
  child.kill(signal);
  await gone;
}

export interface DemultiplexerProcess extends Daemon {
  readonly port: number;
  /** Where system interfaces find it. */
  readonly interfaces: string;
}

export async function startDemultiplexer(
  folder: string,
  { port = 0, args = [] as readonly string[] } = {},
): Promise<DemultiplexerProcess> {
  const interfaces = join(folder, 'interfaces.sock');
  const { daemon, line } = await start(
    [
      ...[...NODE, program('demultiplexer'), '--listen', `127.0.0.1:${port}`, '--interfaces', interfaces],
      ...['--drain', '2', ...args],
    ],
    'listening',
  );
  return { ...daemon, port: Number(line.port), interfaces };
}

/** Runs `countersign-gate` to its end. */
export async function countersignGate(
  data: string,
  words: readonly string[],
  { onOutput = (_text: string) => {}, env = {} as NodeJS.ProcessEnv } = {},
): Promise<Finished> {
  const child = gateCommand(data, words, env);
  const output = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const) {
    child[name]!.setEncoding('utf8').on('data', (text: string) => {
      output[name] += text;
      onOutput(text);
    });
  }
  const [status] = (await once(child, 'close')) as [number | null];
  return { status: status ?? -1, ...output };
}

/**
 * Tells a host's records what it is called, and where validators find it: at its demultiplexer, unless said.
 * @throws Error with what the command said
 */
export async function configureGate(
  data: string,
  host: string,
  demultiplexer: DemultiplexerProcess,
  addresses: readonly string[] = [`127.0.0.1:${demultiplexer.port}`],
  more: readonly string[] = [],
): Promise<void> {
  const { status, stderr } = await countersignGate(data, [
    ...['configure', '--host', host, '--demultiplexer', demultiplexer.interfaces],
    ...['--address', ...addresses, ...more],
  ]);
  if (status !== 0) throw new Error(`the host can’t be configured: ${stderr}`);
}

/** Starts `countersign-gate`, for what goes on while it runs. */
export function gateCommand(data: string, words: readonly string[], env: NodeJS.ProcessEnv = {}) {
  return spawn(NODE[0], [NODE[1], program('host'), ...words, '--data', data], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...(process.stdout.isTTY ? {} : { NO_COLOR: '1' }), ...env },
  });
}

export interface GateProcess extends Daemon {
  readonly webPort: number;
  /** Of the validator’s page. */
  readonly phonePort: number;
}

/** Starts a host's system interfaces: for the web on a free port where there is an origin, for PAM where a path. */
export async function startGate(
  data: string,
  {
    origin,
    pam,
    args = [],
    env = {},
  }: {
    origin?: string;
    pam?: string;
    args?: readonly string[];
    env?: NodeJS.ProcessEnv;
  },
): Promise<GateProcess> {
  const web = ['--web', '127.0.0.1:0', '--trust-proxy', '127.0.0.1'];
  const { daemon } = await start(
    [
      ...[...NODE, program('host'), 'serve', '--data', data],
      ...(origin === undefined ? [] : [...web, '--origin', origin]),
      ...(pam === undefined ? [] : ['--pam', pam]),
      ...args,
    ],
    'serving',
    env,
  );
  const webPort = Number(daemon.lines.find(({ event }) => event === 'web')?.port);
  const phonePort = Number(daemon.lines.find(({ event }) => event === 'phone')?.port);
  return { ...daemon, webPort, phonePort };
}

export interface NginxProcess {
  readonly origin: string;
  readonly port: number;
  stop(): Promise<void>;
}

/** A certificate for 127.0.0.1 that it signs itself. */
export function makeCertificate(folder: string): { cert: string; key: string } {
  const [cert, key] = [join(folder, 'nginx.pem'), join(folder, 'nginx.key')];
  execFileSync(
    'openssl',
    [
      ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2'],
      ...['-subj', '/CN=127.0.0.1', '-addext', 'subjectAltName=IP:127.0.0.1', '-keyout', key, '-out', cert],
    ],
    { stdio: 'pipe' },
  );
  return { cert, key };
}

const LOCATIONS = fileURLToPath(new URL('../deploy/nginx/countersign-gate.conf', import.meta.url));

/** Real nginx, as `deploy/nginx` has it: TLS, `auth_request`, and an application behind it. */
export async function startNginx(
  folder: string,
  { port, web, application }: { port: number; web: number; application: number },
): Promise<NginxProcess> {
  const { cert, key } = makeCertificate(folder);
  const locations = readFileSync(LOCATIONS, 'utf8');
  const nginx = await runNginx(
    folder,
    port,
    `listen 127.0.0.1:${port} ssl;
    absolute_redirect off;
    ssl_certificate ${cert};
    ssl_certificate_key ${key};

    ${locations.replaceAll('127.0.0.1:8476', `127.0.0.1:${web}`).replaceAll('127.0.0.1:3000', `127.0.0.1:${application}`)}`,
  );
  return { ...nginx, origin: `https://127.0.0.1:${port}` };
}

/** Real nginx with one server. @param server what is in its block */
export async function runNginx(folder: string, port: number, server: string): Promise<NginxProcess> {
  const configuration = join(folder, 'nginx.conf');
  mkdirSync(join(folder, 'nginx'), { recursive: true });
  writeFileSync(
    configuration,
    `daemon off;
master_process off;
pid ${folder}/nginx/pid;
error_log ${folder}/nginx/error.log;
events {}
http {
  access_log ${folder}/nginx/access.log;
  ${['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((one) => `${one}_temp_path ${folder}/nginx/${one};`).join('\n  ')}
  server {
    ${server}
  }
}
`,
  );
  const child = spawn('/usr/sbin/nginx', ['-c', configuration, '-p', folder], {
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  await untilThere(child, 'nginx', port);
  return { origin: `http://127.0.0.1:${port}`, port, stop: () => stop(child, 'SIGTERM') };
}

const CADDYFILE = fileURLToPath(new URL('../deploy/caddy/countersign-gate.Caddyfile', import.meta.url));

/** Real Caddy, as `deploy/caddy` has it, but for the name and without TLS. */
export async function startCaddy(
  folder: string,
  { port, web, application }: { port: number; web: number; application: number },
): Promise<NginxProcess> {
  const origin = `http://127.0.0.1:${port}`;
  const site = readFileSync(CADDYFILE, 'utf8')
    .replace(/^app\.example\.com/m, origin)
    .replaceAll('127.0.0.1:8476', `127.0.0.1:${web}`)
    .replaceAll('127.0.0.1:3000', `127.0.0.1:${application}`);
  const configuration = join(folder, 'Caddyfile');
  writeFileSync(configuration, `{\n\tadmin off\n\tauto_https off\n}\n${site}`);
  const child = spawn('caddy', ['run', '--config', configuration, '--adapter', 'caddyfile'], {
    stdio: 'ignore',
    env: { ...process.env, HOME: folder, XDG_CONFIG_HOME: folder, XDG_DATA_HOME: folder },
  });
  await untilThere(child, 'caddy', port);
  return { origin, port, stop: () => stop(child, 'SIGTERM') };
}

function untilThere(child: ChildProcess, name: string, port: number): Promise<boolean> {
  return until(
    () => {
      if (child.exitCode !== null) throw new Error(`${name} ended at once, with ${child.exitCode}`);
      return isTaken(port);
    },
    () => `${name} listens nowhere`,
  );
}
