/**
 * A fraud report: the account's word to the broker that a request was not of its making. A sealed answer tells
 * the broker nothing, so this is a statement of its own.
 * @module
 */
import * as v from 'valibot';
import { Hash, Seconds } from './keys.ts';
import { statementKind } from './statement.ts';

export const ReportStatement = statementKind('report', v.strictObject({ req: Hash, iat: Seconds }));
