#!/usr/bin/env node
/**
 * The program `countersign validator`.
 * @module
 */
import { systemClock } from '@countersign/client';
import { CountersignError, makeVisible } from '@countersign/core';
import { CommanderError } from 'commander';
import { EXIT, exitOfError } from './exit-codes.ts';
import { createProgram } from './program.ts';
import { processTerminal } from './terminal.ts';
import type { Validator } from './validator.ts';

// What it writes is nobody else's, from the first byte on.
process.umask(0o077);

const validator: Validator = {
  clock: systemClock,
  terminal: processTerminal,
  variables: process.env,
  exit: EXIT.ok,
};

try {
  await createProgram(validator).parseAsync();
} catch (error) {
  validator.exit = report(error);
}
process.exitCode = validator.exit;

function report(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
  if (!(error instanceof CountersignError)) {
    const trace = String((error as Error).stack ?? error)
      .split('\n')
      .map(makeVisible);
    process.stderr.write(`countersign: a failure of this program: ${trace.join('\n')}\n`);
    return EXIT.internal;
  }
  const { code, message, hint } = error;
  if (process.argv.includes('--json')) {
    process.stderr.write(`${JSON.stringify({ error: { code, message, hint } })}\n`);
  } else {
    process.stderr.write(`countersign: ${message} (${code})\n${hint === undefined ? '' : `hint: ${hint}\n`}`);
  }
  return exitOfError(error);
}
