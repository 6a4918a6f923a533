/**
 * What the pages say, in the person's language. No page has a word of its own in its code, and only the words of one
 * language are loaded.
 * @module
 */
import { language, speaker } from './language.ts';

export { clock, language, time } from './language.ts';

const SPOKEN = {
  en: async () => (await import('./words-en.json', { with: { type: 'json' } })).default,
  de: async () => (await import('./words-de.json', { with: { type: 'json' } })).default,
};
type Words = Awaited<ReturnType<(typeof SPOKEN)['en']>>;
export type Word = keyof Words;

export const words: Words = await SPOKEN[language]();

export const say = speaker(words);
