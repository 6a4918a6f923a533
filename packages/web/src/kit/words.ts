/**
 * What the pages say, in the person's language. No page has a word of its own in its code.
 * @module
 */
import de from './words-de.json' with { type: 'json' };
import en from './words-en.json' with { type: 'json' };

export type Word = keyof typeof en;

const LANGUAGES: Readonly<Record<string, Readonly<Record<Word, string>>>> = { en, de };
const RIGHT_TO_LEFT: ReadonlySet<string> = new Set(['ar', 'fa', 'he', 'ur']);

export const language = chooseLanguage();

/** A text, with `{names}` replaced. */
export function say(word: Word, values: Readonly<Record<string, string | number>> = {}): string {
  return LANGUAGES[language]![word].replace(/\{(\w+)\}/g, (_, name: string) => String(values[name] ?? ''));
}

/** The language that was chosen before, else the browser's, else English. */
function chooseLanguage(): string {
  const wanted = [localStorage.getItem('language') ?? '', ...navigator.languages];
  const known = wanted.map((tag) => tag.split('-')[0]!).find((tag) => Object.hasOwn(LANGUAGES, tag)) ?? 'en';
  document.documentElement.lang = known;
  document.documentElement.dir = RIGHT_TO_LEFT.has(known) ? 'rtl' : 'ltr';
  return known;
}

export function time(seconds: number): string {
  return new Date(seconds * 1000).toLocaleString(language, { dateStyle: 'short', timeStyle: 'medium' });
}

export function clock(seconds: number): string {
  const left = Math.max(0, Math.round(seconds));
  return `${Math.floor(left / 60)}:${String(left % 60).padStart(2, '0')}`;
}
