/**
 * JSON as signed data needs it: UTF-8, no member name twice in an object, no lone surrogates, not deep.
 * `JSON.parse` alone lets the last of two equal names win, where another reader may take the first.
 * @module
 */
import { CountersignError } from './errors.ts';

export const MAX_JSON_DEPTH = 16;

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const BLANK = /[ \t\n\r]/;

/**
 * Value of a JSON text, given as text or as its UTF-8 bytes.
 * @throws `json-invalid`
 */
export function parseStrictJson(input: string | Uint8Array): unknown {
  let text: string;
  let value: unknown;
  try {
    text = typeof input === 'string' ? input : utf8.decode(input);
    value = JSON.parse(text);
  } catch (cause) {
    throw new CountersignError('json-invalid', 'not JSON in UTF-8', { cause });
  }
  if (countNames(value) !== countWrittenNames(text)) {
    throw new CountersignError('json-invalid', 'a member name stands twice in one object');
  }
  return value;
}

/** In valid JSON, a string followed by a colon is a member name, and nothing else is. */
function countWrittenNames(json: string): number {
  let names = 0;
  for (let start = json.indexOf('"'); start >= 0; ) {
    let after = endOfString(json, start);
    while (BLANK.test(json.charAt(after))) after++;
    if (json.charAt(after) === ':') names++;
    start = json.indexOf('"', after);
  }
  return names;
}

/** Where the text goes on after a string that starts at a place; quotes inside follow an odd run of `\\`. */
function endOfString(json: string, start: number): number {
  for (let quote = json.indexOf('"', start + 1); ; quote = json.indexOf('"', quote + 1)) {
    let first = quote;
    while (json.charAt(first - 1) === '\\') first--;
    if ((quote - first) % 2 === 0) return quote + 1;
  }
}

function countNames(value: unknown, depth = 0): number {
  if (typeof value === 'string') checkWellFormed(value);
  if (typeof value !== 'object' || value === null) return 0;
  if (depth >= MAX_JSON_DEPTH) {
    throw new CountersignError('json-invalid', `nested deeper than ${MAX_JSON_DEPTH}`);
  }
  let names = 0;
  if (Array.isArray(value)) {
    for (const item of value) names += countNames(item, depth + 1);
    return names;
  }
  for (const name of Object.keys(value)) {
    checkWellFormed(name);
    names += 1 + countNames((value as Record<string, unknown>)[name], depth + 1);
  }
  return names;
}

function checkWellFormed(text: string): void {
  if (!text.isWellFormed()) throw new CountersignError('json-invalid', 'a string has a lone surrogate');
}
