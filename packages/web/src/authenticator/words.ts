/**
 * What the authenticator says. Only the words of the person's language are loaded.
 * @module
 */
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

/** The word of a name that is known only as the program runs, if there is one. */
export function wordOf(name: string): Word | undefined {
  return Object.hasOwn(words, name) ? (name as Word) : undefined;
}
