/**
 * The error codes, with what each becomes at the edges.
 * @module
 */
import { CountersignError, ERROR_CODES } from '@countersign/core';
import { statusOf } from '../packages/broker/src/api/error-status.ts';
import { exitOfError } from '../packages/cli/src/exit-codes.ts';
import { statusOf as providerStatusOf } from '../packages/graphene/src/provider/api/error-status.ts';
import { code, table } from './markdown.ts';

/** Where a command that waits for no answer exits otherwise, that comes second. */
function exits(error: CountersignError): string {
  const [asking, given] = [exitOfError(error, false), exitOfError(error, true)];
  return asking === given ? String(asking) : `${asking}; ${given} where no answer is waited for`;
}

export function errorTable(): string {
  const rows = ERROR_CODES.map((error) => [
    code(error),
    String(statusOf(error) === 400 ? providerStatusOf(error) : statusOf(error)),
    exits(new CountersignError(error, '')),
  ]);
  return table(['code', 'HTTP', 'exit'], rows);
}
