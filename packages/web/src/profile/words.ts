/**
 * What a profile says beside what all pages say: words that no other page has to load.
 * @module
 */
import { language, speaker } from '../kit/language.ts';
import { words as common } from '../kit/words.ts';

export { time } from '../kit/language.ts';

const SPOKEN = {
  en: async () => (await import('./words-en.json', { with: { type: 'json' } })).default,
  de: async () => (await import('./words-de.json', { with: { type: 'json' } })).default,
};

const words = { ...common, ...(await SPOKEN[language]()) };
export type Word = keyof typeof words;

export const say = speaker(words);
