/**
 * Hands over to a program of another package, which is started and not loaded.
 * @module
 */
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Command } from 'commander';
import type { Cli } from './context.ts';

/** The names of commands that are programs of their own, with a help of their own. */
export const OTHER_PROGRAMS: ReadonlySet<string> = new Set(['broker', 'cosign', 'validator']);

/**
 * @param main the URL of the program's main file
 * @param variables of the environment, beside this program's own
 */
export function addOtherProgram(
  program: Command,
  cli: Cli,
  name: string,
  description: string,
  main: () => string,
  variables: (command: Command) => Readonly<Record<string, string>> = () => ({}),
): void {
  program
    .command(name)
    .description(description)
    .argument('[args...]', `the ${name}’s own command, and what belongs to it`)
    .allowUnknownOption()
    .helpOption(false)
    .passThroughOptions()
    .action(async (args: string[], _options, command: Command) => {
      cli.exit = await run(fileURLToPath(main()), args, variables(command));
    });
}

function run(main: string, args: string[], variables: Readonly<Record<string, string>>): Promise<number> {
  const env = { ...process.env, ...variables };
  const child = spawn(process.execPath, [main, ...args], { stdio: 'inherit', env });
  const forward = (signal: NodeJS.Signals) => child.kill(signal);
  process.on('SIGINT', forward);
  process.on('SIGTERM', forward);
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('exit', (code) => resolve(code ?? 1));
  });
}
