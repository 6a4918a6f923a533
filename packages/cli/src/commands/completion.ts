/**
 * `countersign completion`: a script for a shell, which then asks the hidden `complete` at every Tab.
 * @module
 */
import { readFileSync } from 'node:fs';
import { Argument, type Command } from 'commander';
import type { Cli } from './context.ts';

const SHELLS = ['bash', 'zsh', 'fish'] as const;

export function addCompletionCommands(program: Command, cli: Cli): void {
  program
    .command('completion')
    .description('print the script that completes commands, options and ids at the Tab key')
    .addArgument(new Argument('<shell>', 'for which shell').choices(SHELLS))
    .action((shell: (typeof SHELLS)[number]) => {
      const script = new URL(`../../completion/countersign.${shell}`, import.meta.url);
      cli.terminal.print(readFileSync(script, 'utf8').trimEnd());
    });

  program
    .command('complete', { hidden: true })
    .description('what may follow some words, a line each')
    .argument('[words...]', 'after --; the last is the one being typed')
    .action(async (words: string[]) => {
      const { complete } = await import('../completion.ts');
      const { rememberedValues } = await import('../completion-values.ts');
      const found = await complete(program, words, rememberedValues(cli));
      if (found === 'files') cli.terminal.print(':files');
      else for (const { value, description } of found) cli.terminal.print(`${value}\t${description}`);
    });
}
