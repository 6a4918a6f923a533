/**
 * What the validator says: words of its own, so that a page that signs nobody on loads none of them.
 * @module
 */
import { CountersignError } from '@countersign/core';
import * as authenticator from '../authenticator/explain.ts';
import { language, speaker } from '../kit/language.ts';

export { clock, language, time } from '../kit/language.ts';

const SPOKEN = {
  en: async () => (await import('./words-en.json', { with: { type: 'json' } })).default,
  de: async () => (await import('./words-de.json', { with: { type: 'json' } })).default,
};
type Words = Awaited<ReturnType<(typeof SPOKEN)['en']>>;
export type Word = keyof Words;

const words: Words = await SPOKEN[language]();

export const say = speaker(words);

/** What went wrong, by its code. */
export function explain(error: unknown): string {
  const word = error instanceof CountersignError ? `error.${error.code}` : '';
  return Object.hasOwn(words, word) ? say(word as Word) : authenticator.explain(error);
}
