/**
 * `countersign-gate install|uninstall`: PAM's module and the stacks.
 * @module
 */
import { join } from 'node:path';
import { CountersignError } from '@countersign/core';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { DEFAULT_PORT } from '../demultiplexer/program.ts';
import { install, uninstall } from '../install/install.ts';
import { askForSecondSession } from '../install/second-session.ts';
import { DEFAULT_SOCKET, STANDS, type Stand } from '../install/stack.ts';
import { type PamSystem, readSystem } from '../install/system.ts';
import { uncut } from '../install/uncut.ts';

export interface InstallContext {
  /** Seconds since 1970. */
  readonly now: () => number;
  readonly say: (text: string) => void;
  readonly input: NodeJS.ReadStream;
}

const BUILT = join(import.meta.dirname, '..', '..', 'pam', 'pam_countersign.so');

interface Options {
  stand: Stand;
  mode: 'gate' | 'push';
  module: string;
  socket: string;
  backup: string;
  openPort?: number | true;
  dryRun?: boolean;
  secondSession: boolean;
}

export function addInstallCommands(program: Command, context: InstallContext): void {
  program
    .command('install')
    .description(
      'put pam_countersign and its manual page into this system, and its line into the stacks, with a backup; undone unless a second session works',
    )
    .addOption(
      new Option(
        '--stand <how>',
        'how it stands to passwords: either opens, both are needed (the password first, or the gate before it), or no password is asked',
      )
        .choices(STANDS)
        .default('beside'),
    )
    .addOption(
      new Option('--mode <mode>', 'a validator’s passcode, or a question to a device')
        .choices(['gate', 'push'])
        .default('gate'),
    )
    .addOption(
      new Option('--module <file>', 'the compiled module').default(BUILT, 'where `make` in pam/ puts it'),
    )
    .option('--socket <path>', 'where the daemon listens', DEFAULT_SOCKET)
    .option('--backup <folder>', 'where the stacks are copied to first', '/var/backups/countersign-gate')
    .option(
      '--open-port [port]',
      `open the demultiplexer’s port, ${DEFAULT_PORT} by default, in nftables, firewalld or ufw; without this, none is`,
      port,
    )
    .option('--dry-run', 'say what would be done, and do nothing')
    .option('--no-second-session', 'do not wait for a second session: a mistake locks everybody out')
    .action(async (options: Options) => {
      const { stand, mode, module, socket, openPort, dryRun = false } = options;
      const words = [`mode=${mode}`, ...(socket === DEFAULT_SOCKET ? [] : [`socket=${socket}`])];
      const date = new Date(context.now() * 1000).toISOString().replaceAll(':', '');
      const kept = await uncut((cut) =>
        install({
          system: systemOrThrow(dryRun),
          line: { stand, options: words },
          module,
          socket,
          backup: join(options.backup, date),
          ...(openPort === undefined ? {} : { openPort: openPort === true ? DEFAULT_PORT : openPort }),
          dryRun,
          say: context.say,
          secondSession: async () =>
            !options.secondSession || askForSecondSession({ ...context, socket, cut }),
        }),
      );
      if (!kept) throw new CountersignError('usage', 'it was undone: all is as it was');
    });

  program
    .command('uninstall')
    .description('take pam_countersign out of this system’s stacks, and the module and its manual page away')
    .option('--dry-run', 'say what would be done, and do nothing')
    .action(async ({ dryRun = false }: { dryRun?: boolean }) =>
      uninstall({ system: systemOrThrow(dryRun), dryRun, say: context.say }),
    );
}

function port(text: string): number {
  const value = Number(text);
  if (/^\d{1,5}$/.test(text) && value >= 1 && value <= 65_535) return value;
  throw new InvalidArgumentError('a port, from 1 to 65535');
}

function systemOrThrow(dryRun: boolean): PamSystem {
  const system = readSystem();
  if (system === undefined) throw new CountersignError('usage', 'this system has no /etc/pam.d');
  if (!dryRun && process.getuid?.() !== 0)
    throw new CountersignError('usage', 'only root writes PAM’s stacks');
  return system;
}
