/**
 * What the printed recovery code does: `account recover`, `account recovery-code`, `account shares`.
 * @module
 */
import { readFileSync } from 'node:fs';
import { type AccountPlace, beginRecovery, completeRecovery, replaceRecovery } from '@countersign/client';
import {
  CountersignError,
  isAccountLink,
  MAX_UNDO,
  MIN_UNDO,
  parseAccountLink,
  parseAccountName,
} from '@countersign/core';
import type { Command } from 'commander';
import { durationWithin, wholeNumber } from '../arguments.ts';
import { time } from '../device-text.ts';
import { joinShares, splitCode } from '../recovery-shares.ts';
import { type Cli, show, withProfile } from './context.ts';
import { newDeviceOptions } from './new-device-options.ts';

export interface CodeOptions {
  readonly codeFile?: string;
  readonly share?: readonly string[];
}

export function addRecoveryCommands(account: Command, cli: Cli): void {
  const recover = codeOptions(
    account
      .command('recover')
      .description(
        'get an account back by its printed code: this machine counts after the undo period, unless a device undoes it',
      )
      .argument('[account]', 'its link, or its name')
      .option('--complete', 'end the probation, once the undo period is over'),
  );
  newDeviceOptions(recover, cli, 'with an account’s name: its broker').action(
    (named: string | undefined, options, command: Command) =>
      withProfile(cli, command, async (profile, json) => {
        if (options.complete) {
          await completeRecovery(profile.store());
          show(
            cli,
            json,
            { complete: true },
            () => 'This device counts now, and a new account key has begun.',
          );
          return;
        }
        if (named === undefined) throw new CountersignError('usage', 'which account is to be got back?');
        const place = placeOf(named, options.broker);
        const device = { deviceName: options.device, algorithm: options.alg };
        const code = await givenCode(cli, options);
        const { kid, until } = await beginRecovery(place, code, device, profile.store(options.protect));
        show(cli, json, { kid, until }, () =>
          [
            `The recovery of ${place.name} has begun: every device of the account is told, and any of them can undo it.`,
            `  this device  ${kid}`,
            `  counts from  ${time(until)}`,
            'After that: countersign account recover --complete',
          ].join('\n'),
        );
      }),
  );

  account
    .command('recovery-code')
    .description('print a new recovery code; the one before is worth nothing from then on')
    .option('--undo <time>', 'how long a recovery can be undone: 1h, 3d', durationWithin(MIN_UNDO, MAX_UNDO))
    .action((options, command: Command) =>
      withProfile(cli, command, async (profile, json) => {
        const { session } = await profile.device();
        const code = await replaceRecovery(session, options.undo);
        show(cli, json, { recoveryCode: code }, () =>
          [codeText(code), 'The code before is worth nothing from now on.'].join('\n'),
        );
      }),
    );

  codeOptions(
    account
      .command('shares')
      .description('split the recovery code into shares for contacts to keep: so many of them make it again')
      .option('--shares <n>', 'how many', wholeNumber, 3)
      .option('--quorum <n>', 'how many make it again', wholeNumber, 2),
  ).action(async (options, command: Command) => {
    const { json = false } = command.optsWithGlobals();
    const { shares, quorum } = options;
    if (quorum < 2 || quorum > shares || shares > 255) {
      throw new CountersignError('usage', 'a quorum is at least 2, and at most all of the shares');
    }
    const code = await givenCode(cli, options);
    const made = await splitCode(cli.crypto, code, shares, quorum);
    show(cli, json, { shares: made, quorum }, () =>
      [
        `Any ${quorum} of these make the code again; fewer tell nothing. Give each to another person.`,
        ...made.map((share, i) => `  ${i + 1}  ${share}`),
        'To use them: countersign account recover <account> --share <one> --share <another>',
      ].join('\n'),
    );
  });
}

/** How a code is given: never on the command line itself, where others may read it. */
export function codeOptions(command: Command): Command {
  return command
    .option('--code-file <file>', 'a file with the recovery code; - for standard input')
    .option(
      '--share <share>',
      'a share of the code; once for each',
      (share: string, before: string[] = []) => [...before, share],
    );
}

/** The recovery code that was given, or is asked for. */
export async function givenCode(
  { crypto, terminal }: Cli,
  { codeFile, share }: CodeOptions,
): Promise<string> {
  if (share !== undefined) return joinShares(crypto, share);
  if (codeFile !== undefined) return readFileSync(codeFile === '-' ? 0 : codeFile, 'utf8').trim();
  if (terminal.canAsk) return terminal.ask('The recovery code, as it was printed: ');
  throw new CountersignError('recovery-invalid', 'the recovery code is needed, and nobody can be asked', {
    hint: 'give --code-file <file>, or --share for each share',
  });
}

export function placeOf(named: string, broker: string): AccountPlace {
  return isAccountLink(named) ? parseAccountLink(named) : { name: parseAccountName(named), broker };
}

export function codeText(code: string): string {
  return [
    `  recovery     ${code}`,
    'Write the recovery code down, or print it, and keep it away from your devices: it is stored nowhere.',
  ].join('\n');
}
