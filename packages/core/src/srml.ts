/**
 * SRML, the question language of Mesh/Confirm: `srml`, `h1`, `p`, `button` with its `value`, and nothing else.
 * It is read where a question is asked; what travels and is shown are the plain parts.
 * @module
 */
import { SaxesParser } from 'saxes';

import { CountersignError } from './errors.ts';
import { checkParts, type Part } from './question.ts';
import { makeVisible } from './visible.ts';

const NAMESPACE = 'http://hallambaker.com/Schemas/srml.xsd';
const MAX_SOURCE = 4096;

/**
 * The parts of an SRML text.
 * @throws `srml-refused` for any other element or attribute, markup declarations, nesting or bad XML;
 *   `text-refused` and `text-too-long` for what the parts say
 */
export function parseSrml(source: string): Part[] {
  if (source.length > MAX_SOURCE) refuse(`more than ${MAX_SOURCE} characters`);
  const parts: Part[] = [];
  const open: string[] = [];
  let text = '';
  let value: 'accept' | 'reject' | undefined;
  const parser = new SaxesParser({ xmlns: false });

  parser.on('error', (cause) => refuse('not well-formed XML', cause));
  parser.on('doctype', () => refuse('a document type declaration'));
  parser.on('processinginstruction', () => refuse('a processing instruction'));
  parser.on('cdata', () => refuse('a CDATA section'));
  parser.on('comment', () => refuse('a comment'));
  parser.on('opentag', ({ name, attributes }) => {
    if (open.length === 0 ? name !== 'srml' : open.length !== 1 || !/^(?:h1|p|button)$/.test(name)) {
      refuse(`the element ${shown(name)} in this place`);
    }
    for (const [attribute, given] of Object.entries(attributes)) {
      const allowed =
        (name === 'srml' && attribute === 'xmlns' && given === NAMESPACE) ||
        (name === 'button' && attribute === 'value');
      if (!allowed) refuse(`the attribute ${shown(attribute)} of ${shown(name)}`);
    }
    open.push(name);
    text = '';
    value = name === 'button' ? decisionOf(String(attributes.value ?? '')) : undefined;
  });
  parser.on('text', (more) => {
    if (open.length === 2) text += more;
    else if (/[^ \t\r\n]/.test(more)) refuse('text outside h1, p and button');
  });
  parser.on('closetag', () => {
    const name = open.pop();
    if (name === 'srml') return;
    // only what XML calls white space: any other space is the reader's to see, and refused
    const line = text.replace(/[ \t\r\n]+/g, ' ').replace(/^ | $/g, '');
    parts.push(
      name === 'button'
        ? { type: 'button', value: value!, text: line }
        : { type: name as 'h1' | 'p', text: line },
    );
  });

  parser.write(source).close();
  if (!parts.some(({ type }) => type !== 'button')) refuse('no question');
  checkParts(parts);
  return parts;
}

function decisionOf(value: string): 'accept' | 'reject' {
  switch (value.toLowerCase()) {
    case 'accept':
    case 'true':
    case 'yes':
      return 'accept';
    case 'reject':
    case 'false':
    case 'no':
      return 'reject';
    default:
      return refuse(`a button with the value ${shown(value)}: expected accept or reject`);
  }
}

function shown(name: string): string {
  return `“${makeVisible(name.slice(0, 40))}”`;
}

function refuse(what: string, cause?: unknown): never {
  throw new CountersignError('srml-refused', `SRML may not hold ${what}`, { cause });
}
