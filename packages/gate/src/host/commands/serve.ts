/**
 * `countersign-gate serve`: the system interfaces of a host, for its login programs and its web pages.
 * @module
 */
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { Server as NetServer } from 'node:net';
import { systemClock } from '@countersign/client';
import { webCrypto } from '@countersign/core/webcrypto';
import type { Command } from 'commander';
import { spareCodesFile } from '../../commands/codes.ts';
import { watchGrants } from '../../grants/watch-grants.ts';
import {
  type Authenticate,
  type PamEvent,
  pushAuthenticator,
  Rates,
  SHARE,
  servePam,
} from '../../pam/index.ts';
import { validatorPages } from '../../phone/pages.ts';
import { activatedSockets } from '../../program/activation.ts';
import { each, type HostPort, hostPort, seconds } from '../../program/arguments.ts';
import { fewLines } from '../../program/few-lines.ts';
import { approversBy } from '../../sign-on/approvers.ts';
import { gateAuthenticator } from '../../sign-on/pam-gate.ts';
import { SystemInterface } from '../../sign-on/system-interface.ts';
import { sodiumNoise } from '../../sodium-noise.ts';
import { SpareCodes } from '../../spare-codes/spare-codes.ts';
import { withSpareCodes } from '../../spare-codes/with-spare-codes.ts';
import { webSignOn } from '../../web/web-sign-on.ts';
import { WifiRotation } from '../../wifi/wifi-rotation.ts';
import { listenForErasures } from '../erase-listener.ts';
import { hostAccount } from '../host-account.ts';
import { type HostCommand, withRecords } from '../program.ts';
import { demultiplexerAt } from '../settings.ts';

interface Options {
  pam?: string;
  web?: HostPort;
  origin?: string;
  trustProxy?: string[];
  phone?: HostPort;
  phoneCert?: string;
  phoneKey?: string;
  phoneAuthority?: string;
  pages?: string;
  account?: string;
  gate: number;
  acknowledge: number;
  session: number;
  webService: string;
}

const HOUR = 3600;

export function addServeCommand(program: Command): void {
  program
    .command('serve')
    .description('serve login programs and web pages until it is told to stop (Ctrl-C, SIGTERM)')
    .option('--pam <path>', 'Unix socket that pam_countersign speaks to')
    .option('--web <address>', 'where web sign-on listens for its proxy, like 127.0.0.1:8476', hostPort)
    .option('--origin <url>', 'with --web: where browsers reach it, like https://app.example.com')
    .option(
      '--trust-proxy <address...>',
      'with --web: proxies that are believed where a call came from',
      each,
    )
    .option('--phone <address>', 'serve the validator’s page to telephones by https, like 8477', hostPort)
    .option('--phone-cert <file>', 'with --phone: certificate chain, in PEM')
    .option('--phone-key <file>', 'with --phone: its key')
    .option('--phone-authority <file>', 'with --phone: give out this authority’s certificate too')
    .option('--pages <folder>', 'with --phone: the built pages')
    .option('--web-service <name>', 'with --web: what is signed on to there, as people see it', 'web')
    .option('--account <profile>', 'the host’s own account, by which approvers are asked')
    .option('--gate <seconds>', 'how long a passcode is good', seconds(5, 120), 20)
    .option('--acknowledge <seconds>', 'how long a person may look at what it is about', seconds(5, 120), 30)
    .option('--session <seconds>', 'how long a web session lasts', seconds(60, 30 * 24 * HOUR), 8 * HOUR)
    .action((options: Options, command: Command) => withRecords(command, (host) => serve(host, options)));
}

async function serve({ records, data }: HostCommand, options: Options): Promise<void> {
  const { settings } = records;
  const fds = activatedSockets();
  const anything = options.pam ?? options.web ?? options.phone ?? fds.get('pam') ?? fds.get('web');
  if (anything === undefined) throw new Error('nothing to serve: give --pam, --web or --phone');
  const over = new AbortController();
  const enquirer = options.account === undefined ? undefined : hostAccount(options.account, over.signal);
  const wifi = new WifiRotation(records.wifi, systemClock.now, say);
  const gate = new SystemInterface({
    records,
    demultiplexer: demultiplexerAt(settings),
    host: settings.host,
    noise: sodiumNoise,
    gateMs: options.gate * 1000,
    acknowledgeSeconds: options.acknowledge,
    secret: wifi.secretFor,
    ...(enquirer === undefined ? {} : { approvers: approversBy(enquirer) }),
  });
  const stopping = Promise.withResolvers<void>();
  process.once('SIGTERM', stopping.resolve);
  process.once('SIGINT', stopping.resolve);

  const closers: (() => Promise<void>)[] = [() => gate.close()];
  const erasures = listenForErasures({
    records,
    demultiplexer: demultiplexerAt(settings),
    noise: sodiumNoise,
    signal: over.signal,
    erased(user, { validator }) {
      records.note({ at: systemClock.now(), user, service: 'erase', what: 'erased by its statement' });
      say({ event: 'erased', user, validator });
    },
  });
  const rotation = wifi.run(over.signal);
  const grants = watchGrants(records.grants, say, over.signal);
  closers.push(async () => {
    over.abort();
    await Promise.all([erasures, grants, rotation]);
  });
  const pamFd = fds.get('pam');
  if (options.pam !== undefined || pamFd !== undefined) {
    const byGate = gateAuthenticator(gate);
    const codes = new SpareCodes(spareCodesFile(data), webCrypto);
    const shares = new Rates<string>(SHARE);
    const authenticate: Authenticate = async (attempt, conversation) => {
      if (attempt.mode === 'gate') return byGate(attempt, conversation);
      if (enquirer === undefined) return 'unavailable';
      // A push asks the person alone: where approvers are needed, it is only for as long as a grant is open.
      const mayPush = (user: string) =>
        !records.user(user).disabled &&
        (records.user(user).approvals === undefined ||
          records.grants.covering(user, attempt.service) !== undefined);
      const push = pushAuthenticator({
        enquirer: await enquirer(),
        accountOf: async (user) => (mayPush(user) ? records.user(user).account : undefined),
        host: settings.host,
        monotonic: () => performance.now(),
        passcode: true,
        shares,
      });
      const verdict = await push(attempt, conversation);
      return verdict === 'granted' && !mayPush(attempt.user) ? 'denied' : verdict;
    };
    // A user who is disabled comes in by no code of theirs; whoever opens the host's sealed one does.
    const use = async (user: string, typed: string) => {
      const what = await codes.use(user, typed);
      return what === 'offline' && records.user(user).disabled ? undefined : what;
    };
    const pam = await servePam({
      socket: pamFd === undefined ? options.pam! : { fd: pamFd },
      monotonic: () => performance.now(),
      log: pamLog(),
      authenticate: withSpareCodes(
        authenticate,
        {
          use,
          get any() {
            return codes.any;
          },
        },
        ({ user, service, tty, remoteHost }, use) => {
          const what = use === 'break-glass' ? 'BREAK-GLASS CODE USED' : 'offline code used';
          records.note({ at: systemClock.now(), user, service, what });
          say({ event: use === 'break-glass' ? 'alarm' : 'code', what, user, service, tty, remoteHost });
        },
      ),
    });
    closers.push(async () => codes.close());
    closers.push(() => pam.close());
  }
  const webFd = fds.get('web');
  if (options.web !== undefined || webFd !== undefined) {
    if (options.origin === undefined) throw new Error('--web needs --origin');
    const web = webSignOn({
      gate,
      records,
      host: settings.host,
      service: options.webService,
      origin: new URL(options.origin).origin,
      sessionSeconds: options.session,
      trustProxy: options.trustProxy ?? [],
      clock: systemClock,
    });
    const server = createServer((request, response) => {
      web.handle(request, response).then(
        (handled) => handled || response.writeHead(404).end(),
        (error: unknown) => {
          say({ event: 'failure', message: String(error) });
          if (response.headersSent) response.destroy();
          else response.writeHead(500).end();
        },
      );
    });
    const port = await start(server, webFd === undefined ? options.web! : { fd: webFd });
    say({ event: 'web', port });
    closers.push(async () => {
      server.close();
      server.closeAllConnections();
    });
  }
  if (options.phone !== undefined) {
    const { phoneCert, phoneKey, phoneAuthority, pages } = options;
    if (phoneCert === undefined || phoneKey === undefined || pages === undefined) {
      throw new Error('--phone needs --phone-cert, --phone-key and --pages');
    }
    const server = createTlsServer(
      { cert: readFileSync(phoneCert), key: readFileSync(phoneKey) },
      validatorPages(pages, phoneAuthority === undefined ? undefined : readFileSync(phoneAuthority)),
    );
    say({ event: 'phone', port: await start(server, options.phone) });
    closers.push(async () => {
      server.close();
      server.closeAllConnections();
    });
  }
  say({ event: 'serving', host: settings.host });
  await stopping.promise;
  for (const close of closers.reverse()) await close();
}

function start(server: NetServer, at: HostPort | { fd: number }): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(at, () => {
      const address = server.address();
      resolve(typeof address === 'object' && address !== null ? address.port : 0);
    });
  });
}

/** Who asked where, and what came of it; never a passcode. Anybody on the host can have attempts refused: a few are told. */
function pamLog(): (event: PamEvent) => void {
  const refused = fewLines(say, (more) => say({ event: 'pam-refused', more }));
  return (event) => {
    if (event.what === 'refused') {
      refused({ event: 'pam-refused', why: event.why, uid: event.peer?.uid });
      return;
    }
    const { service, user, mode, tty, remoteHost, peer } = event.attempt;
    const verdict = event.what === 'verdict' ? { verdict: event.verdict, cause: causeOf(event.cause) } : {};
    say({ event: `pam-${event.what}`, service, user, uid: peer.uid, mode, tty, remoteHost, ...verdict });
  };
}

function causeOf(cause: unknown): string | undefined {
  return cause === undefined ? undefined : String((cause as Error).message ?? cause);
}

function say(line: object): void {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}
