/**
 * `countersign broker`: hands over to the broker's own program. Nothing here imports it.
 * @module
 */
import type { Command } from 'commander';
import type { Cli } from './context.ts';
import { addOtherProgram } from './other-program.ts';

export const BROKER_COMMANDS = ['serve', 'backup', 'cancel', 'metrics'] as const;

export function addBrokerCommand(program: Command, cli: Cli): void {
  const description = `run and look after a broker: ${BROKER_COMMANDS.join(', ')}`;
  addOtherProgram(program, cli, 'broker', description, () => import.meta.resolve('@countersign/broker/main'));
}
