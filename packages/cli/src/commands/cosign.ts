/**
 * `countersign cosign`: hands over to the program of co-signing, with the folder of the profile. Nothing here
 * imports it.
 * @module
 */
import type { Command } from 'commander';
import { Profile } from '../profile.ts';
import type { Cli } from './context.ts';
import { addOtherProgram } from './other-program.ts';

export const COSIGN_COMMANDS = [
  'key',
  'register',
  'require',
  'leave',
  'open',
  'login',
  'sign',
  'proposal',
  'policy',
  'provider',
  'serve',
  'enroll',
  'rotate',
  'token',
] as const;

export function addCosignCommand(program: Command, cli: Cli): void {
  const description = `a second signature for accounts of a Graphene chain: ${COSIGN_COMMANDS.join(', ')}`;
  addOtherProgram(
    program,
    cli,
    'cosign',
    description,
    () => import.meta.resolve('@countersign/graphene/main'),
    (command) => {
      const { profile } = command.optsWithGlobals<{ profile?: string }>();
      return { COUNTERSIGN_PROFILE: new Profile(profile, cli).folder };
    },
  );
}
