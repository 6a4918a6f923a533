/**
 * Texts of strangers in lines that a person reads before signing: names, memos, addresses of pages. A text that
 * may be shown as it stands is shown so, in quotes; any other has whatever could mislead written as its code
 * point. No two texts give the same words.
 * @module
 */
import { isDisplayLine } from '@countersign/core';

/** Our own quotes and marks, and a mark that would stand on our quote. */
const AMBIGUOUS = /[“”<>]|^\p{M}/u;
/** What is left as it is where a text is written out: neither links nor runs of blanks can come of these. */
const PLAIN = /[A-Za-z0-9_,;!?'"()[\]{}*+=$%&#@^~|-]| (?! )/y;

export function quoteText(text: string): string {
  const asItStands = `“${text}”`;
  if (text === '') return 'empty';
  return !AMBIGUOUS.test(text) && isDisplayLine(asItStands, Number.MAX_SAFE_INTEGER)
    ? asItStands
    : `written out “${writtenOut(text)}”`;
}

function writtenOut(text: string): string {
  let out = '';
  for (let at = 0; at < text.length; ) {
    PLAIN.lastIndex = at;
    const code = text.codePointAt(at)!;
    const character = String.fromCodePoint(code);
    out += PLAIN.test(text) ? character : `<${code.toString(16).toUpperCase()}>`;
    at += character.length;
  }
  return out;
}
