/**
 * The command line of co-signing, as a tree of commands.
 * @module
 */
import { Command } from 'commander';
import type { Shell } from './commands/context.ts';
import { addProviderCommands } from './commands/provider.ts';
import { addWalletCommands } from './commands/wallet.ts';

const EXIT_HELP = `
Exit status:
   0  done
   1  refused, or rejected on the device
   2  expired
   6  still pending
   9  any other error
  64  the command was not understood
  69  the chain, the broker or the provider does not answer`;

export function createProgram(shell: Shell): Command {
  const program = new Command('countersign cosign')
    .description('Need a second signature for an account of a Graphene chain, give one, or gather them.')
    .addHelpText('after', EXIT_HELP)
    .exitOverride();
  addWalletCommands(program, shell);
  addProviderCommands(program, shell);
  return program;
}
