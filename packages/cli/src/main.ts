#!/usr/bin/env node
/**
 * The program `countersign`.
 * @module
 */
import { systemClock } from '@countersign/client';
import { CountersignError } from '@countersign/core';
import { webCrypto } from '@countersign/core/webcrypto';
import { CommanderError } from 'commander';
import type { Cli } from './commands/context.ts';
import { EXIT, exitOfError } from './exit-codes.ts';
import { createProgram } from './program.ts';
import { processTerminal } from './terminal.ts';

const cli: Cli = {
  crypto: webCrypto,
  clock: systemClock,
  terminal: processTerminal,
  variables: process.env,
  exit: EXIT.ok,
  answering: false,
};

// The source documents end some commands with a lone slash; it says nothing here.
const typed = process.argv.slice(2);
const args = typed[0] === 'complete' ? typed : typed.filter((word) => word !== '/');

try {
  await createProgram(cli).parseAsync(args, { from: 'user' });
} catch (error) {
  cli.exit = report(error);
}
process.exitCode = cli.exit;

function report(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
  if (!(error instanceof CountersignError)) {
    process.stderr.write(`countersign: a failure of this program: ${(error as Error).stack ?? error}\n`);
    return EXIT.internal;
  }
  const { code, message, hint, retryAfter } = error;
  if (args.includes('--json')) {
    process.stderr.write(`${JSON.stringify({ error: { code, message, hint, retryAfter } })}\n`);
  } else {
    process.stderr.write(`countersign: ${message} (${code})\n${hint === undefined ? '' : `hint: ${hint}\n`}`);
  }
  return exitOfError(error, cli.answering);
}
