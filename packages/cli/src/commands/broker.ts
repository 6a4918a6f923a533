/**
 * `countersign broker`: hands over to the broker's own program. Nothing here imports it.
 * @module
 */
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Command } from 'commander';
import type { Cli } from './context.ts';

export const BROKER_COMMANDS = ['serve', 'backup', 'cancel', 'metrics'] as const;

export function addBrokerCommand(program: Command, cli: Cli): void {
  program
    .command('broker')
    .description(`run and look after a broker: ${BROKER_COMMANDS.join(', ')}`)
    .argument('[args...]', 'the broker’s own command, and what belongs to it')
    .allowUnknownOption()
    .helpOption(false)
    .passThroughOptions()
    .action(async (args: string[]) => {
      cli.exit = await run(args);
    });
}

function run(args: string[]): Promise<number> {
  const main = fileURLToPath(import.meta.resolve('@countersign/broker/main'));
  const child = spawn(process.execPath, [main, ...args], { stdio: 'inherit' });
  const forward = (signal: NodeJS.Signals) => child.kill(signal);
  process.on('SIGINT', forward);
  process.on('SIGTERM', forward);
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('exit', (code) => resolve(code ?? 1));
  });
}
