/**
 * `validator remove` and `validator erase`: the end of a pair, from this side.
 * @module
 */
import { type KnownInterface, sendErasure, type ValidatorBook } from '@countersign/client/m-auth';
import { nodeNoise, reachHost } from '@countersign/client/node';
import { CountersignError, decodeBase64url, makeVisible } from '@countersign/core';
import { formatEraseStatement } from '@countersign/core/m-auth';
import type { Command } from 'commander';
import {
  folderOf,
  type GlobalOptions,
  needFolder,
  protectionsOf,
  type Validator,
  withBook,
} from '../validator.ts';

export function addRemoveCommand(program: Command, validator: Validator): void {
  program
    .command('remove')
    .summary('end one pair, on the host and here')
    .description(
      'Ends one pair: the host is told, by the pair’s erase statement, and the keys here are removed. Where the host does not say that the pair is gone there, only the keys here are.',
    )
    .argument('<name>', 'as `countersign validator list` has it')
    .action(async (name: string, _, command: Command) => {
      const options = command.optsWithGlobals<GlobalOptions>();
      needFolder(validator, options);
      const told = await withBook(validator, options, async (book) => endPair(book, await book.find(name)));
      report(validator, options, { removed: name, told }, [
        told
          ? `Removed: ${makeVisible(name)}. The host says that it is gone there too.`
          : `Removed here: ${makeVisible(name)}.`,
        told
          ? ''
          : 'The host has not said that it is gone there: remove it there too (countersign-gate remove).',
      ]);
    });
}

export function addEraseCommand(program: Command, validator: Validator): void {
  program
    .command('erase')
    .summary('wipe this validator at once; or show the erase statement')
    .description(
      'With --all: removes every key and every record here, at once, without a passphrase and without a network. With --show: shows the erase statement, for paper; with a name, that of one pair.',
    )
    .argument('[name]', 'with --show: of one pair')
    .option('--all', 'wipe everything')
    .option('--show', 'show the erase statement')
    .action(async (name: string | undefined, _, command: Command) => {
      const options = command.optsWithGlobals<GlobalOptions & { all?: true; show?: true }>();
      if (
        (options.all === true) === (options.show === true) ||
        (options.all === true && name !== undefined)
      ) {
        throw new CountersignError('usage', 'either --all, or --show', {
          hint: '`countersign validator remove` ends one pair',
        });
      }
      if (options.all === true) {
        await folderOf(options, validator.variables).wipe(Object.values(protectionsOf(validator)));
        report(validator, options, { erased: true }, [
          'Erased: nothing is left here. The hosts still have their side: show them the erase statement.',
        ]);
        return;
      }
      needFolder(validator, options);
      const statement = await withBook(validator, options, (book) => statementOf(book, name));
      if (options.json) validator.terminal.print(JSON.stringify({ erase: statement }));
      else validator.terminal.print(statement);
    });
}

/** Whether the host has said that the pair is gone there. */
async function endPair(book: ValidatorBook, known: KnownInterface): Promise<boolean> {
  // the keys go first: whatever the network does, they are gone
  await book.remove(known);
  try {
    return await sendErasure(nodeNoise, known.record, reachHost);
  } catch (error) {
    if (error instanceof CountersignError && error.code === 'host-unreachable') return false;
    throw error;
  }
}

async function statementOf(book: ValidatorBook, name: string | undefined): Promise<string> {
  if (name === undefined) return formatEraseStatement({ scope: 'all', token: await book.eraseMaster() });
  const { record } = await book.find(name);
  return formatEraseStatement({ scope: 'pair', token: decodeBase64url(record.erase) });
}

function report({ terminal }: Validator, { json }: GlobalOptions, value: object, lines: string[]): void {
  if (json) terminal.print(JSON.stringify(value));
  else for (const line of lines.filter((line) => line !== '')) terminal.print(line);
}
