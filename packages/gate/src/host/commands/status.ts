/**
 * `countersign-gate configure|interfaces|status`: the host itself.
 * @module
 */
import { CountersignError } from '@countersign/core';
import { ANY_SERVICE } from '@countersign/core/m-auth';
import type { Command } from 'commander';
import * as v from 'valibot';
import { type Standing, standingOf, usersWithPassword } from '../../install/retire-password.ts';
import { each, type HostPort, hostPort } from '../../program/arguments.ts';
import { connectDemultiplexer } from '../../sign-on/way-to-demultiplexer.ts';
import { withRecords } from '../program.ts';
import { demultiplexerAt, HostSettings } from '../settings.ts';

interface Options {
  host?: string;
  address?: string[];
  page?: string;
  demultiplexer?: string;
  remote?: HostPort;
  cert?: string;
  key?: string;
  authority?: string;
}

export function addStatusCommands(program: Command): void {
  program
    .command('configure')
    .description('say what this host is called, and where its demultiplexer is')
    .option('--host <name>', 'as people shall see it; pairs are bound to it')
    .option('--address <address...>', 'where validators reach the demultiplexer: host:port, or wss://…', each)
    .option('--page <origin>', 'where `serve --phone` is reached, like https://web1.example.com:8477')
    .option('--demultiplexer <path>', 'its Unix socket, where it runs here')
    .option('--remote <address>', 'where it runs on another host: host:port, by mutual TLS', hostPort)
    .option('--cert <file>', 'with --remote: this host’s certificate, in PEM')
    .option('--key <file>', 'with --remote: its key')
    .option('--authority <file>', 'with --remote: the authority of the demultiplexer’s certificate')
    .action((options: Options, command: Command) =>
      withRecords(command, ({ records, show }) => {
        const before = records.settings;
        const next = {
          host: options.host ?? before.host,
          addresses: options.address ?? before.addresses,
          ...pageOf(options.page ?? before.page),
          demultiplexer: wayOf(options) ?? before.demultiplexer,
        };
        const parsed = v.safeParse(HostSettings, next);
        if (!parsed.success) throw new CountersignError('usage', v.summarize(parsed.issues));
        records.settings = parsed.output;
        show(parsed.output, () => settingsText(parsed.output));
      }),
    );

  program
    .command('interfaces')
    .description('list the system interfaces that are used here, and what was last signed on to by each')
    .action((_options, command: Command) =>
      withRecords(command, ({ records, show }) => {
        const used = records.services();
        show(used, () =>
          used.length === 0
            ? 'Nobody has signed on yet.'
            : used
                .map(({ service, granted, refused }) => `${service}  ${granted} granted, ${refused} not`)
                .join('\n'),
        );
      }),
    );

  program
    .command('status')
    .description('say whether people can sign on here')
    .action((_options, command: Command) =>
      withRecords(command, async ({ records, data, show }) => {
        const { settings } = records;
        const reachable = await reach(settings);
        const known = records.users().map(({ user }) => user);
        const users = [...new Set([...known, ...withPassword()])].toSorted().map((user) => {
          const { disabled, pairs, account } = records.user(user);
          const own = pairs.flatMap(({ services }) => services);
          const services = disabled ? [] : account === undefined ? own : [...own, ANY_SERVICE];
          return { user, enabled: services.length > 0, comesInBy: comesInBy(data, user, services) };
        });
        const enabled = users.filter((user) => user.enabled).length;
        show({ ...settings, demultiplexerAnswers: reachable, users }, () =>
          [
            settingsText(settings),
            reachable
              ? 'The demultiplexer answers.'
              : 'The demultiplexer does not answer: nobody can sign on.',
            `${enabled} of ${known.length} users can sign on.`,
            ...users.map(({ user, comesInBy }) => `  ${user}  ${comesInBy}`),
          ].join('\n'),
        );
        if (!reachable) process.exitCode = 1;
      }),
    );
}

/** What opens this system's own programs to a user; only root can see that. */
function comesInBy(data: string, user: string, services: readonly string[]): Standing | 'unknown' {
  try {
    return standingOf(data, user, services);
  } catch {
    return 'unknown';
  }
}

/** Those who need no validator; nobody, where only root can see who they are. */
function withPassword(): string[] {
  try {
    return usersWithPassword();
  } catch {
    return [];
  }
}

function pageOf(page: string | undefined): { page?: string } {
  return page === undefined ? {} : { page };
}

function wayOf({
  demultiplexer,
  remote,
  cert,
  key,
  authority,
}: Options): HostSettings['demultiplexer'] | undefined {
  if (remote === undefined) return demultiplexer === undefined ? undefined : { path: demultiplexer };
  if (cert === undefined || key === undefined || authority === undefined) {
    throw new CountersignError('usage', '--remote needs --cert, --key and --authority');
  }
  return { ...remote, cert, key, authority };
}

async function reach(settings: HostSettings): Promise<boolean> {
  try {
    (await connectDemultiplexer(demultiplexerAt(settings))).destroy();
    return true;
  } catch {
    return false;
  }
}

function settingsText({ host, addresses, demultiplexer }: HostSettings): string {
  const way =
    'path' in demultiplexer ? demultiplexer.path : `${demultiplexer.host}:${demultiplexer.port}, by TLS`;
  return `${host}; validators come to ${addresses.join(', ')}; the demultiplexer is at ${way}`;
}
