/**
 * JSON as signed data needs it: UTF-8, no member name twice in an object, no lone surrogates, not deep.
 * `JSON.parse` alone lets the last of two equal names win, where another reader may take the first.
 * @module
 */
import { CountersignError } from './errors.ts';

export const MAX_JSON_DEPTH = 16;

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
/** In valid JSON, a string followed by a colon is a member name, and nothing else is. */
const STRING_OR_NAME = /"[^"\\]*(?:\\.[^"\\]*)*"(\s*:)?/g;

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
  let written = 0;
  for (const match of text.matchAll(STRING_OR_NAME)) if (match[1] !== undefined) written++;
  if (countNames(value) !== written) {
    throw new CountersignError('json-invalid', 'a member name stands twice in one object');
  }
  return value;
}

function countNames(root: unknown): number {
  let names = 0;
  const open: { value: unknown; depth: number }[] = [{ value: root, depth: 0 }];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const { value, depth } = next;
    if (typeof value === 'string') checkWellFormed(value);
    if (typeof value !== 'object' || value === null) continue;
    if (depth >= MAX_JSON_DEPTH) {
      throw new CountersignError('json-invalid', `nested deeper than ${MAX_JSON_DEPTH}`);
    }
    if (!Array.isArray(value)) {
      for (const name of Object.keys(value)) {
        checkWellFormed(name);
        names++;
      }
    }
    for (const child of Object.values(value)) open.push({ value: child, depth: depth + 1 });
  }
  return names;
}

function checkWellFormed(text: string): void {
  if (!text.isWellFormed()) throw new CountersignError('json-invalid', 'a string has a lone surrogate');
}
