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
import { addCosignCommand } from './commands/cosign.ts';
import { addDeviceCommands } from './commands/device.ts';
import { addMonitorCommand } from './commands/monitor.ts';
import { addOrganisationCommands } from './commands/organisation.ts';
import { OTHER_PROGRAMS } from './commands/other-program.ts';
import { addReceiptCommands } from './commands/receipt.ts';
import { addSessionCommands } from './commands/session.ts';
import { addSignatureCommands } from './commands/signature.ts';
import { addValidatorCommand } from './commands/validator.ts';
import { addWatchCommand } from './commands/watch.ts';

export function createProgram(cli: Cli): Command {
  const program = new Command('countersign')
    .description('Ask a person, get a signed answer, verify it yourself.')
    .version('0.1.0')
    .option('--profile <name>', 'which account: a name, or a folder; or set COUNTERSIGN_PROFILE')
    .option('--json', 'JSON on standard output, one object a line, for scripts')
    .configureHelp({ minWidthToWrap: 10 })
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
  addSessionCommands(program, cli);
  addSignatureCommands(program, cli);
  addOrganisationCommands(program, cli);
  addValidatorCommand(program, cli);
  addBrokerCommand(program, cli);
  addCosignCommand(program, cli);
  addCompletionCommands(program, cli);
  inherit(program);
  return program;
}

/** Global options and error manners hold at every level: `confirm pending --json` as well as `--json confirm pending`. */
function inherit(command: Command): void {
  for (const child of command.commands) {
    if (OTHER_PROGRAMS.has(child.name())) continue;
    child.copyInheritedSettings(command);
    child.option('--profile <name>', 'which account: a name, or a folder');
    if (child.commands.length === 0) child.option('--json', 'JSON on standard output, one object a line');
    inherit(child);
  }
}
