/**
 * The validator's command line, as a tree of commands.
 * @module
 */
import { Command } from 'commander';
import { addAddCommand } from './commands/add.ts';
import { addListCommand } from './commands/list.ts';
import { addEraseCommand, addRemoveCommand } from './commands/remove.ts';
import { addRulesCommand } from './commands/rules.ts';
import { addSignOnCommand } from './commands/sign-on.ts';
import { EXIT_HELP } from './exit-codes.ts';
import type { Validator } from './validator.ts';

export function createProgram(validator: Validator): Command {
  const program = new Command('countersign validator')
    .description(
      'Sign on to hosts with this device: you pick the interface, you move the passcode from its screen.',
    )
    .option('--store <folder>', 'where this validator keeps its keys; or set COUNTERSIGN_VALIDATOR')
    .option('--json', 'one JSON object on standard output, for scripts')
    .enablePositionalOptions()
    .exitOverride()
    .addHelpText('after', EXIT_HELP);
  addAddCommand(program, validator);
  addListCommand(program, validator);
  addSignOnCommand(program, validator);
  addRulesCommand(program, validator);
  addRemoveCommand(program, validator);
  addEraseCommand(program, validator);
  for (const command of program.commands) {
    command.copyInheritedSettings(program);
    command.option('--store <folder>', 'where this validator keeps its keys');
    command.option('--json', 'one JSON object on standard output');
    command.addHelpText('after', EXIT_HELP);
  }
  return program;
}
