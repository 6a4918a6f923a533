/**
 * What may be shown to a person and signed. A text that a reader could see otherwise than it was signed is
 * refused, never repaired: bidi controls, invisible characters, links, runs that push words off the screen.
 * Lengths are in bytes of UTF-8, and a long text is refused, never cut. Character properties are those of
 * Unicode 17, which Node 26 has: an engine with older tables refuses the characters that they lack.
 * @module
 */
import { CountersignError } from './errors.ts';

export const MAX_TEXT_BYTES = 1024;
export const MAX_FIELDS_BYTES = 8192;

const CONTROL = /[\p{Cc}]/u;
const BIDI = /[\u061C\u200E\u200F\u202A-\u202E\u2066-\u2069]/u;
const INVISIBLE =
  /[\p{Default_Ignorable_Code_Point}\p{Cf}\p{Zl}\p{Zp}\u2800\u3164\uFFA0\uFFFC\u{13441}\u{13442}\u{16FE4}\u{1D159}\u{1DA9B}-\u{1DA9F}\u{1DAA1}-\u{1DAAF}]/u;
const UNASSIGNED = /[\p{Cn}\p{Co}\p{Cs}]/u;
const ODD_SPACE = /[\p{Zs}--[ ]]/v;
const LONG_SPACE = / {3}|^ | $/;
const STACKED_MARKS = /\p{M}{5}/u;
/** A mark with nothing to stand on, and marks that strike out or enclose what they stand on. */
const LOOSE_MARK = /^\p{M}|\p{Me}|[\u0334-\u0338\u20D2-\u20E0\u20E5-\u20EB]/u;
/** Looked for in the compatibility form: `：／／` is `://` to a reader. */
const LINK =
  /:\/\/|\b(?:www\.|mailto:|javascript:|vbscript:|data:|tel:|sms:|file:)|\b(?:view-source|blob|intent|sips?|bitcoin|ethereum|lightning|monero|magnet|geo|facetime|market|xmpp|skype|whatsapp|ms-[a-z]+|android-app|itms-[a-z]+|web\+[a-z]+):(?=\S)/i;
/** Joiners that writing needs: inside emoji, and between letters of scripts that join (RFC 5892 appendix A). */
const JOINING =
  '[\\p{Script=Arabic}\\p{Script=Syriac}\\p{Script=Mongolian}\\p{Script=Devanagari}\\p{Script=Bengali}\\p{Script=Gurmukhi}\\p{Script=Gujarati}\\p{Script=Oriya}\\p{Script=Tamil}\\p{Script=Telugu}\\p{Script=Kannada}\\p{Script=Malayalam}\\p{Script=Sinhala}\\p{Script=Khmer}\\p{Script=Myanmar}]';
const NEEDED_JOINER = new RegExp(
  `(?<=${JOINING})[\\u200C\\u200D](?=${JOINING})|(?<=\\p{Extended_Pictographic}[\\uFE0F\\u{1F3FB}-\\u{1F3FF}]?)\\u200D(?=\\p{Extended_Pictographic})|(?<=[\\p{Extended_Pictographic}])\\uFE0F`,
  'gu',
);

const RULES: readonly (readonly [RegExp, string])[] = [
  [BIDI, 'a character that turns the direction of reading'],
  [INVISIBLE, 'an invisible character'],
  [CONTROL, 'a control character'],
  [UNASSIGNED, 'a character that has no agreed look'],
  [ODD_SPACE, 'a space that is not the plain one'],
  [LONG_SPACE, 'spaces at an end, or three in a row'],
  [STACKED_MARKS, 'more than four marks on one letter'],
  [LOOSE_MARK, 'a mark that strikes out, encloses, or stands on nothing'],
  [LINK, 'a link'],
];

/**
 * One line that may be shown as it stands.
 * @throws `text-refused` naming the rule and the place; `text-too-long`
 */
export function checkDisplayLine(text: string, maxBytes = MAX_TEXT_BYTES): string {
  if (text.length === 0) throw new CountersignError('text-refused', 'an empty text');
  if (utf8Length(text) > maxBytes) {
    throw new CountersignError('text-too-long', `a text of more than ${maxBytes} bytes`);
  }
  if (!text.isWellFormed()) throw new CountersignError('text-refused', 'a lone surrogate');
  if (text.normalize('NFC') !== text) {
    throw new CountersignError('text-refused', 'a text that is not in Unicode normal form C');
  }
  const judged = text.replace(NEEDED_JOINER, '');
  for (const [rule, what] of RULES) {
    const found = rule.exec(rule === LINK ? judged.normalize('NFKC') : judged);
    if (found !== null) {
      const code = found[0].codePointAt(0)!.toString(16).toUpperCase().padStart(4, '0');
      throw new CountersignError('text-refused', `${what} (U+${code}, at character ${found.index + 1})`);
    }
  }
  return text;
}

/** Whether a line may be shown as it stands. */
export function isDisplayLine(text: string, maxBytes = MAX_TEXT_BYTES): boolean {
  try {
    checkDisplayLine(text, maxBytes);
    return true;
  } catch {
    return false;
  }
}

export function utf8Length(text: string): number {
  return new TextEncoder().encode(text).length;
}
