/**
 * The command line, as a tree of commands.
 * @module
 */
import { Command } from 'commander';
import { addAccountCommands } from './commands/account.ts';
import { addAnswerCommands } from './commands/answer.ts';
import { addAskCommands } from './commands/ask.ts';
import { addBrokerCommand } from './commands/broker.ts';
import { addCompletionCommands } from './commands/completion.ts';
import { addContactCommands } from './commands/contact.ts';
import type { Cli } from './commands/context.ts';
import { addDeviceCommands } from './commands/device.ts';
import { addMonitorCommand } from './commands/monitor.ts';
import { addReceiptCommands } from './commands/receipt.ts';
import { addWatchCommand } from './commands/watch.ts';

export function createProgram(cli: Cli): Command {
  const program = new Command('countersign')
    .description('Ask a person, get a signed answer, verify it yourself.')
    .version('0.1.0')
    .option('--profile <name>', 'which account: a name, or a folder; or set COUNTERSIGN_PROFILE')
    .option('--json', 'one JSON object on standard output, for scripts')
    .enablePositionalOptions()
    .exitOverride();
  addAccountCommands(program, cli);
  addDeviceCommands(program, cli);
  addContactCommands(program, cli);
  const confirm = program.command('confirm').description('ask, and answer');
  addAskCommands(confirm, cli);
  addAnswerCommands(confirm, cli);
  addWatchCommand(program, cli);
  addMonitorCommand(program, cli);
  addReceiptCommands(program, cli);
  addBrokerCommand(program, cli);
  addCompletionCommands(program, cli);
  inherit(program);
  return program;
}

/** Global options and error manners hold at every level: `confirm pending --json` as well as `--json confirm pending`. */
function inherit(command: Command): void {
  for (const child of command.commands) {
    // The broker is a program of its own, with a help of its own.
    if (child.name() === 'broker') continue;
    child.copyInheritedSettings(command);
    child.option('--profile <name>', 'which account: a name, or a folder');
    if (child.commands.length === 0) child.option('--json', 'one JSON object on standard output');
    inherit(child);
  }
}
