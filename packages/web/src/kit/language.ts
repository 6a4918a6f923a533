/**
 * The language of the pages, and how times are written in it.
 * @module
 */
export type Language = 'en' | 'de';

/** Every language that all pages speak, as it calls itself. */
export const LANGUAGES: Readonly<Record<Language, string>> = { en: 'English', de: 'Deutsch' };
const RIGHT_TO_LEFT: ReadonlySet<string> = new Set(['ar', 'fa', 'he', 'ur']);
const KEPT = 'language';

export const language = chooseLanguage();

/** The region's way of writing times, where the browser has one of that language. */
const locale = navigator.languages.find((tag) => tag.split('-')[0] === language) ?? language;

/** The language that was chosen before, else the browser's, else English. */
function chooseLanguage(): Language {
  const wanted = [localStorage.getItem(KEPT) ?? '', ...navigator.languages];
  const known = wanted.map((tag) => tag.split('-')[0]!).find(isLanguage) ?? 'en';
  document.documentElement.lang = known;
  document.documentElement.dir = RIGHT_TO_LEFT.has(known) ? 'rtl' : 'ltr';
  return known;
}

function isLanguage(tag: string): tag is Language {
  return Object.hasOwn(LANGUAGES, tag);
}

/** Keeps a language, and shows the page in it. */
export function speak(chosen: string): void {
  localStorage.setItem(KEPT, chosen);
  location.reload();
}

/** What says a text of some by its word, with `{names}` replaced. */
export function speaker<Word extends string>(
  texts: Readonly<Record<Word, string>>,
): (word: Word, values?: Readonly<Record<string, string | number>>) => string {
  return (word, values = {}) =>
    texts[word].replace(/\{(\w+)\}/g, (_, name: string) => String(values[name] ?? ''));
}

/** @param seconds since 1970 */
export function time(seconds: number): string {
  return new Date(seconds * 1000).toLocaleString(locale, { dateStyle: 'short', timeStyle: 'medium' });
}

/** Time that is left, as a clock shows it: `1:05`, or `23:05:00`. */
export function clock(seconds: number): string {
  const left = Math.max(0, Math.round(seconds));
  const [hours, minutes, rest] = [Math.floor(left / 3600), Math.floor(left / 60) % 60, left % 60];
  const padded = (value: number) => String(value).padStart(2, '0');
  return hours > 0 ? `${hours}:${padded(minutes)}:${padded(rest)}` : `${minutes}:${padded(rest)}`;
}
