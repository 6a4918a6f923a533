/**
 * The reference: commands, exit statuses, routes and error codes, each read from where it is defined.
 * @module
 */
import { systemClock } from '@countersign/client';
import { webCrypto } from '@countersign/core/webcrypto';
import type { Command } from 'commander';
import { createProgram as createBrokerProgram } from '../packages/broker/src/program.ts';
import { EXIT, EXIT_HELP } from '../packages/cli/src/exit-codes.ts';
import { createProgram } from '../packages/cli/src/program.ts';
import { processTerminal } from '../packages/cli/src/terminal.ts';
import { commandPages, visibleCommands } from './commands.ts';
import { errorTable } from './errors.ts';
import { routeTables } from './routes.ts';

/** The command line as it is where nothing is set, with the broker's own in the place of the door to it. */
export function commandTree(): { program: Command; commands: Command[] } {
  const program = createProgram({
    crypto: webCrypto,
    clock: systemClock,
    terminal: processTerminal,
    variables: {},
    exit: EXIT.ok,
    answering: false,
  });
  const commands = visibleCommands(program).map((command) =>
    command.name() === 'broker' ? createBrokerProgram() : command,
  );
  return { program, commands };
}

export async function reference(): Promise<string> {
  const { program, commands } = commandTree();
  return `# Reference

Made from the programs by \`npm run docs\`; a test holds it to them.

## Commands

${commandPages(program, commands)}

## Exit statuses

\`\`\`
${EXIT_HELP.replace(/^\s*Exit status:\n/, '')}
\`\`\`

## Routes of the broker

${await routeTables()}

## Error codes

Stable: switch on the code, never on the message. *HTTP* is the status where a broker says it, *exit* that of
\`countersign\`.

${errorTable()}
`;
}
