/**
 * The broker's command line, as a tree of commands: `serve`, `backup`, `cancel`, `metrics`.
 * @module
 */
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { CountersignError, isOrigin } from '@countersign/core';
import { Command, InvalidArgumentError, Option } from 'commander';
import ipaddr from 'ipaddr.js';
import { pino } from 'pino';
import { backUp } from './backup.ts';
import { operatorSocketPath, startBroker } from './broker.ts';
import { REGISTRATIONS_PER_HOUR } from './limits.ts';
import type { MailServer } from './mail-notices.ts';
import type { MetricsAddress } from './operator.ts';
import { callOperator } from './operator-client.ts';
import { sodiumCrypto } from './sodium.ts';

const DEFAULT_PORT = 8470;
const defaultData = join(process.env.XDG_DATA_HOME ?? join(homedir(), '.local/share'), 'countersign-broker');

function port(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 0 || value > 65_535) throw new InvalidArgumentError('0 to 65535');
  return value;
}

/** Where to listen, as `127.0.0.1:9470` or `[::1]:9470`. */
function listenAddress(text: string): MetricsAddress {
  const [, host, number] = /^(\[[\da-f:]+\]|[^:[\]]+):(\d+)$/i.exec(text) ?? [];
  if (host === undefined) throw new InvalidArgumentError('like 127.0.0.1:9470');
  return { host: host.replace(/[[\]]/g, ''), port: port(number!) };
}

function origin(text: string): string {
  if (!isOrigin(text)) throw new InvalidArgumentError('like https://confirm.example.com');
  return text;
}

function perHour(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 1) throw new InvalidArgumentError('a whole number from 1');
  return value;
}

function days(text: string): number {
  const value = Number(text);
  if (!(value > 0)) throw new InvalidArgumentError('a number of days');
  return Math.round(value * 86_400);
}

function mailServer({ smtp, mailFrom }: { smtp?: string; mailFrom?: string }): { mail?: MailServer } {
  if (smtp === undefined) return {};
  if (!/^smtps?:$/.test(URL.parse(smtp)?.protocol ?? '')) {
    throw new CountersignError('usage', '--smtp takes an address like smtp://mail.example');
  }
  if (mailFrom === undefined) throw new CountersignError('usage', '--smtp needs --mail-from as well');
  return { mail: { url: smtp, from: mailFrom } };
}

function dataOption(): Option {
  return new Option('--data <folder>', 'where the database and the broker’s key are').default(
    defaultData,
    '~/.local/share/countersign-broker',
  );
}

function webOrigins(text: string, before: string[] = []): string[] {
  return [...before, origin(text)];
}

function networks(text: string, before: string[] = []): string[] {
  if (!ipaddr.isValidCIDR(text)) throw new InvalidArgumentError('like 10.0.0.0/8');
  return [...before, text];
}

/** An origin of `https:`, where `*.` may stand for one or more names. */
function pushServices(text: string, before: string[] = []): string[] {
  if (!isOrigin(text.replace('*.', '')) || !text.startsWith('https://')) {
    throw new InvalidArgumentError('like https://push.example.com');
  }
  return [...before, text];
}

export function createProgram(): Command {
  const program = new Command('countersign broker')
    .description(
      'Run and look after a broker: the server that carries questions and answers, and can forge neither.',
    )
    .exitOverride();

  program
    .command('serve')
    .description('run a broker until it is told to stop (Ctrl-C, SIGTERM)')
    .addOption(dataOption())
    .option('--host <address>', 'address to listen on', '127.0.0.1')
    .option('--port <number>', 'port to listen on; 0 for any free one', port, DEFAULT_PORT)
    .option('--origin <url>', 'where the world reaches it, if through a proxy', origin)
    .option(
      '--registrations <number>',
      'accounts that one remote address may register in an hour',
      perHour,
      REGISTRATIONS_PER_HOUR,
    )
    .option(
      '--trust-proxy <address...>',
      'proxies, by address or network, that are believed where a call came from (X-Forwarded-For)',
    )
    .option('--pages <folder>', 'serve web pages of this folder: authenticator, console, sessions')
    .option(
      '--web-origin <url...>',
      'web pages of these origins may call what devices and enquirers call',
      webOrigins,
    )
    .option(
      '--push-service <url...>',
      'push services to send notices to, beside those of browsers',
      pushServices,
    )
    .option(
      '--push-contact <address>',
      'whom a push service turns to, https: or mailto:; by default the origin',
    )
    .addOption(
      new Option(
        '--smtp <url>',
        'send notices by e-mail, through this server: smtp://user:password@mail.example, or smtps:',
      ).env('COUNTERSIGN_SMTP'),
    )
    .option('--mail-from <address>', 'where notices by e-mail come from')
    .option(
      '--metrics <host:port>',
      'let a Prometheus server read the metrics there, at /metrics: whoever reaches it may',
      listenAddress,
    )
    .option('--relay', 'let hosts that nobody can reach wait here for validators; what passes is sealed')
    .option('--domain <name...>', 'keep accounts of these domains only')
    .option(
      '--dns <address...>',
      'DNS servers to look at organisations’ domains with; by default the system’s',
    )
    .option(
      '--domain-network <network...>',
      'networks that are not public, like 10.0.0.0/8, where organisations’ domains may have their web servers',
      networks,
    )
    .option(
      '--retain <days>',
      'remove settled requests after so many days, an hour at least; by default they are kept',
      days,
    )
    .addOption(
      new Option('--log <level>', 'as JSON lines on standard output')
        .choices(['silent', 'error', 'warn', 'info', 'debug'])
        .default(process.stdout.isTTY ? 'warn' : 'info', 'warn on a terminal, else info'),
    )
    .action(async (options) => {
      const logger = pino({ level: options.log });
      const broker = await startBroker({
        data: options.data,
        host: options.host,
        port: options.port,
        ...(options.origin === undefined ? {} : { origin: options.origin }),
        ...(options.retain === undefined ? {} : { retain: options.retain }),
        domains: options.domain ?? [],
        domainLookup: {
          ...(options.dns === undefined ? {} : { servers: options.dns }),
          networks: options.domainNetwork ?? [],
        },
        registrationsPerHour: options.registrations,
        trustProxy: options.trustProxy ?? [],
        webOrigins: options.webOrigin ?? [],
        pushServices: options.pushService ?? [],
        ...(options.pushContact === undefined ? {} : { pushContact: options.pushContact }),
        ...mailServer(options),
        ...(options.metrics === undefined ? {} : { metrics: options.metrics }),
        ...(options.relay === true ? { relay: true } : {}),
        ...(options.pages === undefined ? {} : { pages: resolve(options.pages) }),
        crypto: sodiumCrypto,
        now: () => Math.floor(Date.now() / 1000),
        logger,
      });
      let stopping = false;
      const stop = () => {
        if (stopping) return;
        stopping = true;
        broker.close().then(
          () => logger.info('stopped'),
          (err: unknown) => {
            logger.error({ err }, 'could not stop in order');
            process.exitCode = 1;
          },
        );
      };
      // Before it says that it answers: whoever waits for that may stop it at once.
      process.on('SIGINT', stop);
      process.on('SIGTERM', stop);
      const { origin, local, metrics } = broker;
      logger.info({ origin, local, metrics, data: options.data }, `the broker answers at ${local}`);
      if (process.stdout.isTTY) {
        process.stdout.write(
          `The broker answers at ${local}; its data is in ${options.data}. Ctrl-C stops it.\n`,
        );
      }
    });

  program
    .command('backup')
    .description('write a consistent copy of the database and the key; the broker may go on running')
    .argument('<folder>', 'an empty or new folder')
    .addOption(dataOption())
    .action(async (folder, options) => {
      await backUp(options.data, folder);
      process.stdout.write(`backed up to ${folder}; to restore, serve with --data ${folder}\n`);
    });

  program
    .command('cancel')
    .description('cancel a pending request; the asker is told that the broker did it')
    .argument('<id>', 'as people see it, or an unambiguous start; or the request’s hash')
    .requiredOption('--reason <text>', 'what the asker is told')
    .addOption(dataOption())
    .action(async (request, options) => {
      const path = operatorSocketPath(options.data);
      await callOperator(path, 'POST', '/cancel', { request, reason: options.reason });
      process.stdout.write('cancelled\n');
    });

  program
    .command('metrics')
    .description('print the running broker’s metrics, in Prometheus’s text format')
    .addOption(dataOption())
    .action(async (options) => {
      process.stdout.write(await callOperator(operatorSocketPath(options.data), 'GET', '/metrics'));
    });
  return program;
}
