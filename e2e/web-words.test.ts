import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { parseSync } from 'vite';

const WEB = fileURLToPath(new URL('../packages/web/src', import.meta.url));
/** What a person reads or hears of an element. */
const READ = new Set(['aria-label', 'title', 'placeholder', 'alt']);

type Words = Readonly<Record<string, string>>;

function words(file: string): Words {
  return JSON.parse(readFileSync(file, 'utf8')) as Words;
}

const places = (text: string) => [...text.matchAll(/\{(\w+)\}/g)].map(([, name]) => name).sort();

describe('the pages’ words', () => {
  for (const english of globSync('*/words-en.json', { cwd: WEB })) {
    test(`${english} is there in German, with the same names in it`, () => {
      const [en, de] = [words(join(WEB, english)), words(join(WEB, english.replace('words-en', 'words-de')))];
      assert.deepEqual(Object.keys(de).sort(), Object.keys(en).sort());
      for (const [key, text] of Object.entries(en)) {
        assert.deepEqual(places(de[key]!), places(text), key);
        assert.ok(de[key]!.trim() !== '', key);
      }
    });
  }

  const pages = globSync('**/*.{ts,tsx}', { cwd: WEB });
  test('are in no page’s code', () => {
    assert.ok(pages.length > 20);
    const found = pages.flatMap((file) =>
      written(readFileSync(join(WEB, file), 'utf8')).map((text) => `${basename(file)}: ${text}`),
    );
    assert.deepEqual(found, []);
  });

  test('would be found there', () => {
    const page =
      '<p title="Hello" class="quiet">{say("x")} · Good day <b>{"and night"}</b>{a ? "Yes" : b}</p>';
    assert.deepEqual(written(`export const a = ${page};`), ['Hello', '· Good day', 'and night', 'Yes']);
    assert.deepEqual(written('const name = `${model} on ${system}`;'), ['on']);
    assert.deepEqual(written('document.title = "Session";'), ['Session']);
  });

  test('are what a failure is said in: an error’s message is English, and for programmers', () => {
    const English =
      /\bexplain\b[^;]*from '@countersign\/client'|\b(?:error|failure)(?: as Error\))?\.message\b/;
    const found = pages.filter((file) => English.test(readFileSync(join(WEB, file), 'utf8')));
    assert.deepEqual(found, []);
  });
});

interface Node {
  readonly type: string;
  readonly left?: Node & { readonly property?: { readonly name?: string } };
  readonly right?: Node;
  readonly consequent?: Node;
  readonly alternate?: Node;
  readonly quasis?: readonly { readonly value: { readonly raw: string } }[];
  readonly value?: unknown;
  readonly name?: { readonly name?: string };
  readonly expression?: Node;
}

/** What may come of an expression, of the texts in it. */
function outcomes(node: unknown): unknown[] {
  const { type, value, consequent, alternate, right } = (node ?? {}) as Node;
  if (type === 'Literal') return [value];
  if (type === 'ConditionalExpression') return [...outcomes(consequent), ...outcomes(alternate)];
  return type === 'LogicalExpression' ? outcomes(right) : [];
}

/** Texts that are written into a page's elements. */
function written(source: string): string[] {
  const { program, errors } = parseSync('page.tsx', source);
  assert.deepEqual(errors, []);
  const found: string[] = [];
  const add = (text: unknown) => {
    if (typeof text === 'string' && /\p{L}{2}/u.test(text)) found.push(text.trim());
  };
  const walk = (node: unknown): void => {
    if (Array.isArray(node)) {
      for (const one of node) walk(one);
      return;
    }
    if (typeof node !== 'object' || node === null) return;
    const { type, value, name, expression, left, right, quasis } = node as Node;
    if (type === 'JSXText') add(value);
    if (type === 'JSXAttribute' && READ.has(name?.name ?? '')) add((value as Node | null)?.value);
    if (type === 'JSXExpressionContainer') for (const one of outcomes(expression)) add(one);
    if (type === 'AssignmentExpression' && left?.property?.name === 'title') add(right?.value);
    // A word with spaces around it joins what a person reads.
    if (type === 'TemplateLiteral')
      for (const { value: text } of quasis!.slice(1, -1)) if (/^ .* $/.test(text.raw)) add(text.raw);
    for (const [key, child] of Object.entries(node)) {
      // A class or a role is no text.
      if (!(type === 'JSXAttribute' && key === 'value')) walk(child);
    }
  };
  walk(program);
  return found;
}
