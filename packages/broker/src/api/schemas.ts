/**
 * Schemas that several routes share.
 * @module
 */
import { AccountName } from '@countersign/core';
import * as v from 'valibot';
import { ErrorView } from './views.ts';

/** The longest page of a list. */
export const MAX_PAGE = 100;
/** The longest poll, in seconds. */
export const MAX_WAIT = 120;

export const Statement = v.pipe(
  v.string(),
  v.maxLength(65_536),
  v.description('A signed statement: compact JWS'),
);
export const Entries = v.pipe(v.array(Statement), v.minLength(1), v.maxLength(64));
export const ByName = v.strictObject({ name: AccountName });
export const wholeNumber = (min: number, max: number, what: string) =>
  v.pipe(
    v.string(),
    v.regex(/^\d{1,16}$/, 'expected a whole number'),
    v.transform(Number),
    v.minValue(min),
    v.maxValue(max),
    v.description(what),
  );
export const treeSize = (what: string) => wholeNumber(0, Number.MAX_SAFE_INTEGER, what);
/** The answer where nothing more is to be said. */
export const Done = v.object({ done: v.literal(true) });
export const Failed = { '4xx': ErrorView, '5xx': ErrorView } as const;
