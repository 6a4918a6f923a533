/**
 * The command line of `countersign-gate`, for whoever looks after a host.
 * @module
 */
import { systemClock } from '@countersign/client';
import { isForService } from '@countersign/core/m-auth';
import { webCrypto } from '@countersign/core/webcrypto';
import { Command, Option } from 'commander';
import { addCertificateCommand } from '../commands/certificate.ts';
import { addCodesCommands } from '../commands/codes.ts';
import { addInstallCommands } from '../commands/install.ts';
import { addRetirePasswordCommand } from '../commands/retire-password.ts';
import { addEnrolCommand } from './commands/enroll.ts';
import { addGrantCommands } from './commands/grants.ts';
import { addServeCommand } from './commands/serve.ts';
import { addStatusCommands } from './commands/status.ts';
import { addUserCommands } from './commands/users.ts';
import { addWifiCommands } from './commands/wifi.ts';
import { HostRecords } from './host-records.ts';

export const DEFAULT_DATA = '/var/lib/countersign-gate';

export interface HostCommand {
  readonly records: HostRecords;
  readonly data: string;
  /** Text for a person, or one line of JSON for a script. */
  show(value: object, text: () => string): void;
  readonly json: boolean;
}

export function createHostProgram(): Command {
  const program = new Command('countersign-gate')
    .description('Let people sign on to this host with their validators, and say who may.')
    .enablePositionalOptions()
    .exitOverride();
  addEnrolCommand(program);
  addUserCommands(program);
  addGrantCommands(program);
  addStatusCommands(program);
  addWifiCommands(program);
  addServeCommand(program);
  for (const command of program.commands.flatMap((one) => [one, ...one.commands])) {
    if (command.commands.length > 0) continue;
    command.option('--json', 'one JSON object on standard output, for scripts');
  }
  const context = {
    crypto: webCrypto,
    now: systemClock.now,
    say: (text: string) => void process.stdout.write(`${text}\n`),
    input: process.stdin,
  };
  addInstallCommands(program, context);
  addCertificateCommand(program, context.say);
  addCodesCommands(program, context);
  addRetirePasswordCommand(program, { ...context, canSignOn });
  inherit(program);
  return program;
}

/** Where the records are is an option of every command, and of each below it. */
function inherit(command: Command): void {
  for (const child of command.commands) {
    child.copyInheritedSettings(command);
    if (child.commands.length === 0) child.addOption(dataOption());
    inherit(child);
  }
}

function dataOption(): Option {
  return new Option('--data <folder>', 'where the host’s records are; root’s alone')
    .env('COUNTERSIGN_GATE_DATA')
    .default(DEFAULT_DATA);
}

/** Runs a command's work with the host's records, and closes them after it. */
export async function withRecords(
  command: Command,
  work: (host: HostCommand) => void | Promise<void>,
): Promise<void> {
  const { data, json = false } = command.opts<{ data: string; json?: boolean }>();
  const records = new HostRecords(data);
  try {
    await work({
      records,
      data,
      json,
      show: (value, text) => void process.stdout.write(`${json ? JSON.stringify(value) : text()}\n`),
    });
  } finally {
    records.close();
  }
}

/** Whether a user has come in by the gate before: a validator that is enabled, was used, and is for these services. */
function canSignOn(data: string, user: string, services: readonly string[]): boolean {
  const records = new HostRecords(data);
  try {
    const used = records.pairsOf(user).filter(({ disabled, step }) => !disabled && step > 0);
    return used.length > 0 && services.every((service) => used.some((pair) => isForService(pair, service)));
  } finally {
    records.close();
  }
}
