/**
 * `countersign cosign token`: the OATH tokens that a provider gives out.
 * @module
 */
import { readFileSync } from 'node:fs';
import { CountersignError } from '@countersign/core';
import type { Command, Option } from 'commander';
import type { ProviderContext } from '../provider/context.ts';
import { addToken } from '../provider/oath-token.ts';
import type { Shell } from './context.ts';

export function addTokenCommands(
  program: Command,
  shell: Shell,
  dataOption: () => Option,
  withProvider: (data: string, work: (context: ProviderContext) => Promise<void>) => Promise<void>,
): void {
  const token = program.command('token').description('OATH tokens that a provider gives to its people');
  token
    .command('add')
    .description('add tokens, sealed, before they are given out')
    .argument(
      '<file>',
      'otpauth:// URIs, one a line, each labelled with its token’s number; or - for standard input',
    )
    .addOption(dataOption())
    .action((file: string, options) =>
      withProvider(options.data, async (context) => {
        const lines = readFileSync(file === '-' ? 0 : file, 'utf8').split('\n');
        const uris = lines.map((line) => line.trim()).filter((line) => line !== '');
        for (const uri of uris) shell.print(`Added token ${await addToken(context, uri)}.`);
      }),
    );
  token
    .command('list')
    .description('print the tokens, and whose they are')
    .addOption(dataOption())
    .action((options) =>
      withProvider(options.data, async ({ store, clock }) => {
        for (const { serial, account_id, rests_until } of store.all('oath_tokens')) {
          const user = account_id === null ? undefined : store.one('users', { account_id });
          const rests = rests_until > clock.now() ? '  rests after wrong codes' : '';
          shell.print(`${serial}  ${user?.account ?? account_id ?? 'nobody’s yet'}${rests}`);
        }
      }),
    );
  token
    .command('remove')
    .description('forget a token that is lost; whose it was must register with another')
    .argument('<number>', 'as `token list` prints it')
    .addOption(dataOption())
    .action((serial: string, options) =>
      withProvider(options.data, async ({ store }) => {
        if (store.one('oath_tokens', { serial }) === undefined) {
          throw new CountersignError('input-invalid', `there is no token ${serial}`);
        }
        store.remove('oath_tokens', { serial });
        shell.print(`Token ${serial} is forgotten.`);
      }),
    );
}
