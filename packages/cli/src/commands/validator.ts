/**
 * `countersign validator`: hands over to the validator's own program. Nothing here imports it.
 * @module
 */
import type { Command } from 'commander';
import type { Cli } from './context.ts';
import { addOtherProgram } from './other-program.ts';

export const VALIDATOR_COMMANDS = ['add', 'list', 'sign-on', 'rules', 'remove', 'erase'] as const;

export function addValidatorCommand(program: Command, cli: Cli): void {
  const description = `sign on to hosts with this device: ${VALIDATOR_COMMANDS.join(', ')}`;
  addOtherProgram(program, cli, 'validator', description, () =>
    import.meta.resolve('@countersign/gate/validator'),
  );
}
