/**
 * `countersign-gate retire-password`: a user goes on without a password.
 * @module
 */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { CountersignError, type CryptoProvider } from '@countersign/core';
import type { Command } from 'commander';
import { checkPassword, retirePassword, takingPasswordOff } from '../install/retire-password.ts';
import { askForSecondSession } from '../install/second-session.ts';
import { socketIn, withOptions } from '../install/stack.ts';
import { installedOptions } from '../install/system.ts';
import { uncut } from '../install/uncut.ts';
import { writeWhole } from '../install/write-whole.ts';
import { countGranted } from '../pam/count-granted.ts';

export interface RetireContext {
  readonly crypto: CryptoProvider;
  /** Seconds since 1970. */
  readonly now: () => number;
  readonly say: (text: string) => void;
  readonly input: NodeJS.ReadStream;
  /** Whether a user can come in by the gate, at each of these services. */
  readonly canSignOn: (data: string, user: string, services: readonly string[]) => boolean;
}

interface Options {
  service: string[];
  option: string[];
  dryRun?: boolean;
  secondSession: boolean;
  data: string;
}

/** Adds the command; the program gives it a `--data <folder>`. */
export function addRetirePasswordCommand(
  program: Command,
  { crypto, now, say, input, canSignOn }: RetireContext,
): void {
  program
    .command('retire-password')
    .description('set a long random password, to be sealed, and take the password off the stacks of services')
    .argument('<user>')
    .option('--service <name...>', 'services that shall ask nobody for a password any more', [])
    .option(
      '--option <word...>',
      'options for the module in their stacks, in the place of those installed of the same name',
      [],
    )
    .option('--dry-run', 'say what would be done, and do nothing')
    .option('--no-second-session', 'do not wait for a second session: a mistake locks everybody out')
    .action(async (user: string, options: Options, command: Command) => {
      const { data } = command.optsWithGlobals<Options>();
      if (!canSignOn(data, user, options.service)) {
        throw new CountersignError('usage', `${user} can’t sign on by the gate yet: nothing was changed`, {
          hint: 'enroll them first, and let them sign on once',
        });
      }
      const words = withOptions(installedOptions(), options.option);
      const changes = options.service.flatMap((service) => takingPasswordOff(service, words) ?? []);
      checkPassword(user);
      const socket = socketIn(words);
      if (changes.length > 0 && (await countGranted(socket)) === undefined) {
        throw new CountersignError('usage', `no daemon answers at ${socket}: nobody could come in`, {
          hint: 'start it first; nothing was changed',
        });
      }
      if (options.dryRun) {
        for (const { path, after } of changes) say(`would write ${path}:\n${after.replace(/^/gm, '    ')}`);
        say(`would set a random password of ${user}`);
        return;
      }
      mkdirSync(data, { recursive: true, mode: 0o700 });
      const backup = join(data, `stacks-${new Date(now() * 1000).toISOString().replaceAll(':', '')}`);
      if (changes.length > 0) mkdirSync(backup, { mode: 0o700 });
      for (const { service, before } of changes) writeWhole(join(backup, service), before);
      const password = await uncut(async (cut) => {
        let done = false;
        try {
          for (const { path, after } of changes) writeWhole(path, after, 0o644);
          if (changes.length > 0 && options.secondSession) {
            say(`Now without a password: ${changes.map(({ service }) => service).join(', ')}.`);
            if (!(await askForSecondSession({ socket, say, input, cut }))) {
              throw new CountersignError('usage', 'it was undone: all is as it was');
            }
          }
          const made = await retirePassword(crypto, data, user);
          done = true;
          return made;
        } finally {
          if (!done) for (const { path, before } of changes) writeWhole(path, before, 0o644);
        }
      });
      for (const { service } of changes) say(`${service} asks nobody for a password now.`);
      say(
        [`The password of ${user} from now on. Print it, seal it; it is shown this once.`, '', password].join(
          '\n',
        ),
      );
    });
}
