/**
 * Runs a program of the gate: what goes wrong is one line and an exit status, sysexits' where there is one.
 * @module
 */
import { CountersignError } from '@countersign/core';
import { type Command, CommanderError } from 'commander';

const EX_USAGE = 64;
const EX_UNAVAILABLE = 69;

export async function runProgram(name: string, program: Command): Promise<void> {
  // What it writes is nobody else's, from the first byte on.
  process.umask(0o077);
  try {
    await program.parseAsync();
  } catch (error) {
    if (error instanceof CommanderError) process.exit(error.exitCode === 0 ? 0 : EX_USAGE);
    const known = error instanceof CountersignError ? error : undefined;
    const hint = known?.hint === undefined ? '' : `\nhint: ${known.hint}`;
    const code = known === undefined ? '' : ` (${known.code})`;
    process.stderr.write(`${name}: ${(error as Error).message}${code}${hint}\n`);
    process.exitCode = known?.code === 'gate-unavailable' ? EX_UNAVAILABLE : 1;
  }
}
