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
import { createDemultiplexerProgram } from '../packages/gate/src/demultiplexer/program.ts';
import { createHostProgram } from '../packages/gate/src/host/program.ts';
import { EXIT_HELP as VALIDATOR_EXIT_HELP } from '../packages/gate/src/validator/exit-codes.ts';
import { createProgram as createValidatorProgram } from '../packages/gate/src/validator/program.ts';
import { processTerminal as validatorTerminal } from '../packages/gate/src/validator/terminal.ts';
import { processShell } from '../packages/graphene/src/commands/context.ts';
import { createProgram as createCosignProgram } from '../packages/graphene/src/program.ts';
import { commandPages, programPages, visibleCommands } from './commands.ts';
import { errorTable } from './errors.ts';
import { providerRoutes, routeTables } from './routes.ts';

/** The command line as it is where nothing is set, with programs of their own in the place of the doors to them. */
export function commandTree(): { program: Command; commands: Command[] } {
  const program = createProgram({
    crypto: webCrypto,
    clock: systemClock,
    terminal: processTerminal,
    variables: {},
    exit: EXIT.ok,
    givenHere: false,
  });
  const others: Readonly<Record<string, () => Command>> = {
    broker: createBrokerProgram,
    cosign: () => createCosignProgram(processShell()),
    validator: () =>
      createValidatorProgram({
        clock: systemClock,
        terminal: validatorTerminal,
        variables: {},
        exit: EXIT.ok,
      }),
  };
  const commands = visibleCommands(program).map((command) => others[command.name()]?.() ?? command);
  return { program, commands };
}

export async function reference(): Promise<string> {
  const { program, commands } = commandTree();
  return `# Reference

Made from the programs by \`npm run docs\`; a test holds it to them.

## Commands

${commandPages(program, commands)}

## Programs of a host

${programPages(createHostProgram())}

${programPages(createDemultiplexerProgram())}

## Exit statuses

\`\`\`
${EXIT_HELP.replace(/^\s*Exit status:\n/, '')}
\`\`\`

Of \`countersign validator\`:

\`\`\`
${VALIDATOR_EXIT_HELP.replace(/^\s*Exit status:\n/, '')}
\`\`\`

## Routes of the broker

${await routeTables()}

## Routes of a co-signing provider

${await providerRoutes()}

## Error codes

Stable: switch on the code, never on the message. *HTTP* is the status where a broker or a provider says it, *exit* that of
\`countersign\`.

${errorTable()}
`;
}
