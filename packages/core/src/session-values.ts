/**
 * The values that a mutual session compares: as two people may type the same thing, in one form, and made slow
 * to guess by Argon2id. They never leave the page.
 * @module
 */
import { decodeBase64url } from './base64url.ts';
import type { CryptoProvider } from './crypto-provider.ts';
import { utf8Length } from './display-text.ts';
import { CountersignError } from './errors.ts';
import { lvCat } from './length-value.ts';
import type { SessionField, SessionTerms } from './session-terms.ts';

export const MAX_VALUE_BYTES = 256;
const VALUES = 'countersign session values 1';
/** What no reader sees: format characters and other ignorable ones, and controls that are no white space. */
const INVISIBLE = /[\p{Cf}\p{Default_Ignorable_Code_Point}[\p{Cc}--\p{White_Space}]]/gv;
const WHITE_SPACE = /\p{White_Space}+/gu;
/** What people put between the digits of a number. */
const SEPARATORS = /[\p{White_Space}\p{Dash_Punctuation}.,/()'’_]/gu;
const NUMBER = /^\+?[0-9]{1,64}$/;
const DATE = /^([0-9]{4})-([0-9]{2})-([0-9]{2})$/;

/** Argon2id's cost where no guess can be tried offline, and where a server that keeps the digest can. */
const COST = {
  cpace: { memory: 19_456, passes: 2, lanes: 1 },
  digest: { memory: 65_536, passes: 3, lanes: 1 },
} as const;

declare const hardened: unique symbol;
/** The values of a session after Argon2id: `PRS` of CPace, or the secrets of a digest. */
export type HardenedValues = Uint8Array & { readonly [hardened]: true };

/**
 * A typed value in the one form in which it is compared; every form is its own.
 *
 * All: no lone surrogates; Unicode normal form C; invisible characters dropped; white space at the ends dropped.
 * `text`: each run of white space is one space; small letters (Unicode's default mapping, of no language).
 * `number`: compatibility form (NFKC); white space, dashes and `. , / ( ) ' ’ _` dropped; 1 to 64 digits 0 to 9
 * remain, with at most a plus before them. Leading zeros count.
 * `date`: `YYYY-MM-DD`, a day that there is (Gregorian).
 * @throws `value-invalid` for what is not of its type, empty, or longer than 256 bytes
 */
export function normalizeValue(type: SessionField['type'], typed: string): string {
  if (!typed.isWellFormed()) throw invalid('a text with a lone surrogate');
  const seen = typed.normalize('NFC').replace(INVISIBLE, '').replace(WHITE_SPACE, ' ').trim();
  const value = FORMS[type](seen);
  if (value === '') throw invalid('nothing was typed');
  if (utf8Length(value) > MAX_VALUE_BYTES) throw invalid(`more than ${MAX_VALUE_BYTES} bytes`);
  return value;
}

const FORMS: Readonly<Record<SessionField['type'], (seen: string) => string>> = {
  text: (seen) => seen.toLowerCase().normalize('NFC'),
  number(seen) {
    const digits = seen.normalize('NFKC').replace(SEPARATORS, '');
    if (!NUMBER.test(digits)) throw invalid('expected digits');
    return digits;
  },
  date(seen) {
    const [, year, month, day] = (DATE.exec(seen) ?? []).map(Number);
    if (year === undefined || day! < 1 || day! > daysOf(year, month!))
      throw invalid('expected a day as YYYY-MM-DD');
    return seen;
  },
};

/**
 * Argon2id over the values, in the order of the fields, under the session's salt and for this session alone.
 * @param bound what else the result is for, beside the session
 * @param length of the result in bytes
 * @throws `value-invalid`
 */
export async function hardenValues(
  crypto: Pick<CryptoProvider, 'argon2id'>,
  terms: SessionTerms,
  typed: readonly string[],
  { bound = [], length = 32 }: { bound?: readonly Uint8Array[]; length?: number } = {},
): Promise<HardenedValues> {
  if (typed.length !== terms.fields.length) throw new TypeError('one value for each field');
  const values = terms.fields.map(({ type }, index) => normalizeValue(type, typed[index]!));
  const secret = lvCat(VALUES, terms.mode, decodeBase64url(terms.session), ...bound, ...values);
  const salt = decodeBase64url(terms.salt);
  return (await crypto.argon2id(secret, { ...COST[terms.mode], salt, length })) as HardenedValues;
}

function daysOf(year: number, month: number): number {
  if (month === 2) return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0) ? 29 : 28;
  if (month < 1 || month > 12 || year < 1) return 0;
  return [4, 6, 9, 11].includes(month) ? 30 : 31;
}

function invalid(what: string): CountersignError {
  return new CountersignError('value-invalid', what);
}
