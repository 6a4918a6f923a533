/**
 * The command line of `countersign-gated`.
 * @module
 */
import { readFileSync } from 'node:fs';
import { isOrigin } from '@countersign/core';
import { Command, InvalidArgumentError } from 'commander';
import { peerReader } from '../pam/peer.ts';
import { activatedSockets } from '../program/activation.ts';
import { each, type HostPort, hostPort, seconds } from '../program/arguments.ts';
import { fewLines } from '../program/few-lines.ts';
import { DEFAULT_LIMITS, Demultiplexer, type DemultiplexerEvent } from './demultiplexer.ts';
import { type Certificate, listen } from './listen.ts';
import { relaySecret, waitAtRelay } from './relayed.ts';

export const DEFAULT_PORT = 8475;
export const DEFAULT_SOCKET = '/run/countersign-gated/interfaces.sock';

interface Options {
  listen: HostPort;
  tlsCert?: string;
  tlsKey?: string;
  interfaces: string;
  allowUid: string[];
  interfacesMode?: number;
  remote?: HostPort;
  remoteCert?: string;
  remoteKey?: string;
  remoteCa?: string;
  relay?: string;
  relaySecret?: string;
  drain: number;
  perSecond: number;
}

export function createDemultiplexerProgram(): Command {
  return new Command('countersign-gated')
    .description(
      'The demultiplexer: joins validators, on one port, to the system interfaces that wait for them. It learns neither users nor keys.',
    )
    .exitOverride()
    .option('--listen <address>', 'for validators: bytes, WebSocket, and TLS with a certificate', hostPort, {
      host: '::',
      port: DEFAULT_PORT,
    })
    .option('--tls-cert <file>', 'certificate chain for validators, in PEM')
    .option('--tls-key <file>', 'its key')
    .option('--interfaces <path>', 'Unix socket for the system interfaces of this host', DEFAULT_SOCKET)
    .option(
      '--interfaces-mode <mode>',
      'permissions of that socket, like 0666; peers are checked in any case',
      mode,
    )
    .option('--allow-uid <uid>', 'user ids that may be a system interface, beside root and its own', each, [])
    .option('--remote <address>', 'for system interfaces of other hosts, by mutual TLS', hostPort)
    .option('--remote-cert <file>', 'its certificate for them, in PEM')
    .option('--remote-key <file>', 'the key of that')
    .option('--remote-ca <file>', 'the authority of their certificates')
    .option(
      '--relay <origin>',
      'wait for validators at a broker that relays too, like https://confirm.example.com',
      origin,
    )
    .option('--relay-secret <file>', 'with --relay: names the place there; drawn, where there is none')
    .option(
      '--drain <seconds>',
      'what joined pairs have to end by themselves when it stops',
      seconds(0, 600),
      30,
    )
    .option('--per-second <number>', 'new connections a second from one address', seconds(1, 1_000_000), 100)
    .addHelpText(
      'after',
      '\nWith systemd’s sockets named “validators”, “interfaces” and “remote”, those are used in the place of addresses.',
    )
    .action(serve);
}

async function serve(options: Options): Promise<void> {
  const fds = activatedSockets();
  const at = (name: string, otherwise: HostPort) => {
    const fd = fds.get(name);
    return fd === undefined ? otherwise : { fd };
  };
  const peerOf = await peerReader();
  const allowed = new Set([0, process.getuid?.() ?? 0, ...options.allowUid.map(Number)]);
  const log = logger();
  const demultiplexer = new Demultiplexer({
    limits: {
      ...DEFAULT_LIMITS,
      strangers: {
        ...DEFAULT_LIMITS.strangers,
        perSecond: options.perSecond,
        burst: options.perSecond * 4,
      },
    },
    monotonic: () => performance.now(),
    log,
  });
  const tls = certificate(options.tlsCert, options.tlsKey, '--tls');
  const remoteTls = certificate(options.remoteCert, options.remoteKey, '--remote');
  const remote = options.remote ?? (fds.has('remote') ? { host: '::', port: 0 } : undefined);
  if (remote !== undefined && (remoteTls === undefined || options.remoteCa === undefined)) {
    throw new Error('--remote needs --remote-cert, --remote-key and --remote-ca');
  }
  const interfaces = fds.get('interfaces');
  const listening = await listen(demultiplexer, {
    validators: at('validators', options.listen),
    ...(tls === undefined ? {} : { validatorsTls: tls }),
    interfaces:
      interfaces === undefined
        ? {
            path: options.interfaces,
            ...(options.interfacesMode === undefined ? {} : { mode: options.interfacesMode }),
          }
        : { fd: interfaces },
    peerOf(socket) {
      const peer = peerOf(socket);
      return peer !== undefined && allowed.has(peer.uid) ? `uid ${peer.uid}` : undefined;
    },
    ...(remote === undefined
      ? {}
      : {
          remote: {
            at: at('remote', remote),
            certificate: remoteTls!,
            authority: readFileSync(options.remoteCa!, 'utf8'),
          },
        }),
  });
  if ((options.relay === undefined) !== (options.relaySecret === undefined)) {
    throw new Error('--relay and --relay-secret go together');
  }
  const relay =
    options.relay === undefined
      ? undefined
      : await waitAtRelay({
          origin: options.relay,
          secret: relaySecret(options.relaySecret!),
          demultiplexer,
          changed: (up) => say({ event: 'relay', up }),
        });
  let stopping = false;
  const stop = () => {
    if (stopping) return;
    stopping = true;
    say({ event: 'draining', ...demultiplexer.counts });
    void listening.close();
    relay?.close();
    demultiplexer.drain(options.drain * 1000).then(() => process.exit(0));
  };
  // Before it says that it listens: whoever waits for that may stop it at once.
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
  if (relay !== undefined) say({ event: 'relay-address', address: relay.address });
  say({ event: 'listening', port: listening.port, remotePort: listening.remotePort });
}

/** One JSON line an event; a flood of refusals is counted instead of told. */
function logger(): (event: DemultiplexerEvent) => void {
  let lines = '';
  const write = () => {
    process.stdout.write(lines);
    lines = '';
  };
  process.on('exit', () => lines !== '' && write());
  // What happens in one turn of the loop is one write: it costs more than the line.
  const note = (event: DemultiplexerEvent) => {
    if (lines === '') setImmediate(() => lines !== '' && write());
    lines += `${JSON.stringify(event)}\n`;
  };
  const refused = fewLines(note, (more) => say({ event: 'refused', more }));
  return (event) => (event.event === 'refused' ? refused(event) : note(event));
}

function say(line: object): void {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}

function certificate(
  cert: string | undefined,
  key: string | undefined,
  what: string,
): Certificate | undefined {
  if (cert === undefined && key === undefined) return undefined;
  if (cert === undefined || key === undefined) throw new Error(`${what}-cert and ${what}-key go together`);
  return { cert: readFileSync(cert, 'utf8'), key: readFileSync(key, 'utf8') };
}

function origin(text: string): string {
  if (!isOrigin(text)) throw new InvalidArgumentError('like https://confirm.example.com');
  return text;
}

function mode(text: string): number {
  if (!/^0?[0-7]{3}$/.test(text)) throw new InvalidArgumentError('like 0660');
  return Number.parseInt(text, 8);
}
