/**
 * The error codes, with what each becomes at the edges.
 * @module
 */
import { CountersignError, ERROR_CODES } from '@countersign/core';
import { statusOf } from '../packages/broker/src/api/error-status.ts';
import { exitOfError } from '../packages/cli/src/exit-codes.ts';
import { code, table } from './markdown.ts';

/** Where the answering side exits otherwise, that comes second. */
function exits(error: CountersignError): string {
  const [asking, answering] = [exitOfError(error, false), exitOfError(error, true)];
  return asking === answering ? String(asking) : `${asking}, answering ${answering}`;
}

export function errorTable(): string {
  const rows = ERROR_CODES.map((error) => [
    code(error),
    String(statusOf(error)),
    exits(new CountersignError(error, '')),
  ]);
  return table(['code', 'HTTP', 'exit'], rows);
}
