/**
 * Text for a terminal: lines that are too long are broken between words, and go on under where their text began.
 * Not one letter is added or left out but line breaks and the spaces after them. Pure.
 * @module
 */
import { stripVTControlCharacters } from 'node:util';
import wrapAnsi from 'wrap-ansi';

/**
 * Words that people copy together, or scan: a terminal breaks the line without a line break in what is copied. A link
 * is one word, and never broken here.
 */
const COPIED = /^[{[]|(?:^|→ |: )countersign [a-z]|[▀▄█]/;
/** What stands left of the text that goes on under itself: an indent, and the name of what follows. */
const LEFT = /^( *)(\S.{0,15}? {2,})?(.*)$/s;

export function wrapProse(text: string, columns: number): string {
  return text
    .split('\n')
    .map((line) => wrapLine(line, columns))
    .join('\n');
}

function wrapLine(line: string, columns: number): string {
  const plain = stripVTControlCharacters(line);
  if (plain.length <= columns || COPIED.test(plain)) return line;
  const [, indent = '', label = '', rest = ''] = LEFT.exec(line)!;
  const longest = Math.max(...plain.split(' ').map((word) => word.length));
  const below = label !== '' && indent.length + label.length + longest > columns;
  const hang = indent.length + (below ? 2 : label.length);
  const lines = wrapAnsi(rest, Math.max(1, columns - hang), { trim: true }).split('\n');
  const first = below ? [`${indent}${label.trimEnd()}`] : [];
  return [
    ...first,
    ...lines.map((one, i) => (i === 0 && !below ? indent + label : ' '.repeat(hang)) + one),
  ].join('\n');
}
