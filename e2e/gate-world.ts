/**
 * A host, in a folder that is gone afterwards: its demultiplexer and its system interfaces, each a process of its own;
 * and where a file wants them, login programs with the module in their stacks, and people at a broker whom it may ask.
 * @module
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { after, before } from 'node:test';
import { freePort } from './free-port.ts';
import { GatePeople } from './gate-people.ts';
import {
  configureGate,
  countersignGate,
  type DemultiplexerProcess,
  type GateProcess,
  type NginxProcess,
  startCaddy,
  startDemultiplexer,
  startGate,
  startNginx,
} from './gate-processes.ts';
import { Host, type Terminal } from './pam-host.ts';
import { build, sharedFolder } from './pam-module.ts';
import { type BrokerProcess, PASSPHRASE, startBrokerProcess } from './processes.ts';
import { until } from './until.ts';

export interface GateParts {
  /** What the host is called: it is configured so, with a demultiplexer on this machine. */
  readonly name?: string;
  /** Words for that demultiplexer. */
  readonly demultiplexer?: readonly string[];
  /** The module is built, and there is a place for login programs. */
  readonly programs?: boolean;
  /** Who have accounts at a broker, as the host has: they know each other. */
  readonly people?: readonly string[];
}

export interface ServeOptions {
  readonly origin?: string;
  readonly pam?: string;
  /** It asks people at the broker, by the account that `people` has made for it. */
  readonly account?: boolean;
  readonly args?: readonly string[];
}

export interface GateWorld {
  readonly folder: string;
  /** The path of a file in the folder. */
  at(name: string): string;
  /** The host's records. */
  readonly data: string;
  /** Where login programs find the host's daemon. */
  readonly pam: string;
  readonly module: string;
  readonly broker: BrokerProcess;
  readonly people: GatePeople;
  readonly demultiplexer: DemultiplexerProcess;
  /** The daemon that was started last. */
  readonly gate: GateProcess;
  /** Where login programs are. */
  readonly host: Host;
  /** What else is to end before these do, the last first. */
  readonly ends: AsyncDisposableStack;
  /** For a file's own hooks to wait for: those of a file with suites are begun all at once. */
  ready(): Promise<void>;
  /** The line of a stack that asks this host's daemon. */
  line(...words: string[]): string;
  demultiplex(args: readonly string[]): Promise<void>;
  /** Has the host dial out to a broker that relays, and be found there alone. @returns its address there */
  dialOut(name: string, broker: string): Promise<string>;
  serve(options: ServeOptions): Promise<void>;
  /** Serves for an application behind a real proxy, which says to people who they are and where. */
  site(proxy: 'nginx' | 'caddy', options?: ServeOptions): Promise<NginxProcess>;
  /** What `countersign-gate` prints, which must end well. */
  command(...words: string[]): Promise<string>;
  /** New codes on paper. */
  codes(user: string, count: number): Promise<string[]>;
  /** How many a user has at this host. */
  pairs(user: string): Promise<number>;
}

export function createGateWorld(parts: GateParts = {}): GateWorld {
  const folder = sharedFolder();
  const at = (name: string) => join(folder.path, name);
  const [data, pam, module] = ['gate', 'pam.sock', 'pam_countersign.so'].map(at) as [string, string, string];
  const ends = new AsyncDisposableStack();
  ends.use(folder);
  let broker: BrokerProcess;
  let people: GatePeople;
  let demultiplexer: DemultiplexerProcess;
  let gate: GateProcess;
  let host: Host;
  let starting: Promise<void> | undefined;
  async function start(): Promise<void> {
    if (parts.programs) {
      build(folder.path, ['pam_countersign.so']);
      host = ends.use(await Host.start());
    }
    if (parts.people !== undefined) {
      broker = ends.use(await startBrokerProcess(at('broker')));
      people = await GatePeople.meet(folder.path, broker.origin, parts.people);
    }
    if (parts.name !== undefined) {
      await demultiplex(parts.demultiplexer ?? []);
      await configureGate(data, parts.name, demultiplexer);
    }
  }
  const ready = () => {
    starting ??= start();
    return starting;
  };
  before(ready);
  after(() => ends.disposeAsync());

  async function demultiplex(args: readonly string[]): Promise<void> {
    const one = await startDemultiplexer(folder.path, { args });
    ends.defer(() => one.stop());
    demultiplexer = one;
  }

  async function serve({ account = false, args = [], ...where }: ServeOptions): Promise<void> {
    const one = await startGate(data, {
      ...where,
      args: [...(account ? ['--account', at('host')] : []), ...args],
      env: account ? { COUNTERSIGN_PASSPHRASE: PASSPHRASE } : {},
    });
    ends.defer(() => one.stop());
    gate = one;
  }

  async function command(...words: string[]): Promise<string> {
    const { status, stdout, stderr } = await countersignGate(data, words);
    assert.equal(status, 0, `${words.join(' ')}: ${stdout}${stderr}`);
    return stdout;
  }

  return {
    folder: folder.path,
    at,
    data,
    pam,
    module,
    get broker() {
      return broker;
    },
    get people() {
      return people;
    },
    get demultiplexer() {
      return demultiplexer;
    },
    get gate() {
      return gate;
    },
    get host() {
      return host;
    },
    ends,
    ready,
    line: (...words) => ['auth required', module, `socket=${pam}`, ...words].join(' '),
    demultiplex,
    async dialOut(name, to) {
      await demultiplex(['--relay', to, '--relay-secret', at('relay.secret')]);
      await until(() => demultiplexer.lines.some(({ event, up }) => event === 'relay' && up === true));
      const line = demultiplexer.lines.find(({ event }) => event === 'relay-address');
      const address = String(line?.address);
      await configureGate(data, name, demultiplexer, [address]);
      return address;
    },
    serve,
    async site(proxy, options = {}) {
      const application = createServer((request, response) => {
        response.end(`you are ${request.headers['countersign-user']} at ${request.url}`);
      });
      ends.defer(() => void application.close());
      application.listen(0, '127.0.0.1');
      await once(application, 'listening');
      const port = await freePort();
      const [scheme, startProxy] =
        proxy === 'nginx' ? (['https', startNginx] as const) : (['http', startCaddy] as const);
      await serve({ ...options, origin: `${scheme}://127.0.0.1:${port}` });
      const behind = (application.address() as AddressInfo).port;
      const one = await startProxy(folder.path, { port, web: gate.webPort, application: behind });
      ends.defer(() => one.stop());
      return one;
    },
    command,
    async codes(user, count) {
      const sheet = await command('codes', 'make', user, '--count', String(count));
      return sheet.match(/^[A-Z2-7]{4}(?:-[A-Z2-7]{4}){3}$/gm) ?? [];
    },
    async pairs(user) {
      const users = JSON.parse(await command('list', '--json')) as { user: string; pairs: unknown[] }[];
      return users.filter((one) => one.user === user).flatMap(({ pairs }) => pairs).length;
    },
  };
}

/** The digits that a program shows to the person at it. */
export async function passcodeOn(terminal: Terminal): Promise<string> {
  await terminal.see(/enter the passcode \d{3} \d{3}/);
  return [.../passcode (\d{3}) (\d{3})/.exec(terminal.screen)!].slice(1).join('');
}
