/**
 * Failures, in the person's language: by their code, and never by a message.
 * @module
 */
import { CountersignError } from '@countersign/core';
import { say, wordOf } from './words.ts';

/** What kind of failure it is: ours by its code, the browser's by its name. */
export function codeOf(error: unknown): string {
  return error instanceof CountersignError ? error.code : (error as Error).name;
}

/** What went wrong, and what to do next. */
export function explain(error: unknown): string {
  const code = codeOf(error);
  const word = wordOf(`error.${code}`);
  return word === undefined ? say('error.other', { code }) : say(word);
}

/** What went wrong with another device of the account; that this one was shown out is said by the whole page. */
export function explainOther(error: unknown): string {
  return codeOf(error) === 'device-revoked' ? say('devices.gone') : explain(error);
}
