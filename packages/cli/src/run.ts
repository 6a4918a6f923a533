/**
 * What the words of the command line say is done, and whatever fails has its words and its exit status.
 * @module
 */
import { systemClock } from '@countersign/client';
import { CountersignError, makeVisible } from '@countersign/core';
import { webCrypto } from '@countersign/core/webcrypto';
import { type Command, CommanderError } from 'commander';
import type { Cli } from './commands/context.ts';
import { EXIT, exitOfError } from './exit-codes.ts';
import { createProgram } from './program.ts';
import { asSystemFailure } from './system-failure.ts';
import { processTerminal } from './terminal.ts';

const cli: Cli = {
  crypto: webCrypto,
  clock: systemClock,
  terminal: processTerminal,
  variables: process.env,
  exit: EXIT.ok,
  givenHere: false,
};

// The source documents end some commands with a lone slash; it says nothing here.
const typed = process.argv.slice(2);
// Behind a lone -- stands a text from elsewhere, whatever it is.
const end = typed.includes('--') ? typed.indexOf('--') : typed.length;
const args = typed[0] === 'complete' ? typed : typed.filter((word, at) => word !== '/' || at > end);

try {
  await createProgram(cli).parseAsync(args, { from: 'user' });
} catch (error) {
  cli.exit = report(error);
}
process.exitCode = cli.exit;

/**
 * Whether help or the version was asked for, and nothing else. A word that came from elsewhere may be `-h`, and a
 * script that waits for a yes must not take the help for one.
 */
function isHelpAlone(): boolean {
  if (args[0] === 'help') return true;
  let command: Command | undefined = createProgram(cli);
  for (const word of args.slice(args[0] === '--profile' ? 2 : 0, -1)) {
    command = command?.commands.find((one) => one.name() === word);
    if (word === 'help') return true;
  }
  return command !== undefined;
}

function report(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 && isHelpAlone() ? EXIT.ok : EXIT.usage;
  const refused = asSystemFailure(error);
  if (refused !== undefined) return report(refused);
  if (!(error instanceof CountersignError)) {
    const trace = String((error as Error).stack ?? error)
      .split('\n')
      .map(makeVisible);
    process.stderr.write(`countersign: a failure of this program: ${trace.join('\n')}\n`);
    return EXIT.internal;
  }
  const { code, message, hint, retryAfter } = error;
  if (args.includes('--json')) {
    process.stderr.write(`${JSON.stringify({ error: { code, message, hint, retryAfter } })}\n`);
  } else {
    cli.terminal.tell(`countersign: ${message} (${code})${hint === undefined ? '' : `\nhint: ${hint}`}`);
  }
  return exitOfError(error, cli.givenHere);
}
