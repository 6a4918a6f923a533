#!/usr/bin/env node
/**
 * The broker's program.
 * @module
 */
import { CountersignError } from '@countersign/core';
import { CommanderError } from 'commander';
import { createProgram } from './program.ts';

/** The command was not understood (sysexits.h). */
const EX_USAGE = 64;

// What it writes is nobody else's, from the first byte on.
process.umask(0o077);

try {
  await createProgram().parseAsync();
} catch (error) {
  if (error instanceof CommanderError) process.exit(error.exitCode === 0 ? 0 : EX_USAGE);
  const hint = error instanceof CountersignError && error.hint !== undefined ? `\nhint: ${error.hint}` : '';
  process.stderr.write(`countersign: ${(error as Error).message}${hint}\n`);
  process.exitCode = 1;
}
