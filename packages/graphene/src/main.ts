#!/usr/bin/env node
/**
 * The program of co-signing: wallets and providers.
 * @module
 */
import { CountersignError, makeVisible } from '@countersign/core';
import { CommanderError } from 'commander';
import { EXIT, processShell } from './commands/context.ts';
import { createProgram } from './program.ts';

const EXITS: Partial<Record<CountersignError['code'], number>> = {
  usage: EXIT.usage,
  'cosign-refused': EXIT.refused,
  'cosign-unasked': EXIT.refused,
  'transaction-expired': EXIT.expired,
  'chain-unreachable': EXIT.unreachable,
  'broker-unreachable': EXIT.unreachable,
  'provider-unreachable': EXIT.unreachable,
};

// What it writes is nobody else's, from the first byte on.
process.umask(0o077);

const shell = processShell();
try {
  await createProgram(shell).parseAsync();
} catch (error) {
  shell.exit = report(error);
}
process.exitCode = shell.exit;

function report(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
  if (!(error instanceof CountersignError)) {
    process.stderr.write(
      `countersign: a failure of this program: ${makeVisible(String((error as Error).stack))}\n`,
    );
    return EXIT.failed;
  }
  const hint = error.hint === undefined ? '' : `hint: ${error.hint}\n`;
  process.stderr.write(`countersign: ${error.message} (${error.code})\n${hint}`);
  return EXITS[error.code] ?? EXIT.failed;
}
