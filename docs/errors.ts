/**
 * The error codes, with what each becomes at the edges.
 * @module
 */
import { CountersignError, ERROR_CODES } from '@countersign/core';
import { statusOf } from '../packages/broker/src/api/error-status.ts';
import { exitOfError } from '../packages/cli/src/exit-codes.ts';
import { code, table } from './markdown.ts';

export function errorTable(): string {
  const rows = ERROR_CODES.map((error) => [
    code(error),
    String(statusOf(error)),
    String(exitOfError(new CountersignError(error, ''))),
  ]);
  return table(['code', 'HTTP', 'exit'], rows);
}
