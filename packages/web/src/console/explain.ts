/**
 * Failures, in the person's language: what they mean to an organisation, else in the words of the authenticator.
 * @module
 */
import * as authenticator from '../authenticator/explain.ts';
import { say, wordOf } from './words.ts';

/** What went wrong, by its code, and what to do next. */
export function explain(error: unknown): string {
  const word = wordOf(`error.${authenticator.codeOf(error)}`);
  return word === undefined ? authenticator.explain(error) : say(word);
}
