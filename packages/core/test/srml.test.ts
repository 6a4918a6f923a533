import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { parseSrml } from '../src/srml.ts';
import { refused } from './refused.ts';
import { RUNS } from './runs.ts';

const srml = (inner: string) => `<srml>${inner}</srml>`;

describe('SRML', () => {
  test('has a heading, paragraphs and buttons', () => {
    const source = `<?xml version="1.0"?>
      <srml xmlns="http://hallambaker.com/Schemas/srml.xsd">
        <h1>Purchase equipment</h1>
        <p>Purchase laptop
           for &lt;Bob&gt; &amp; Carol?</p>
        <button value="accept">Yes, buy</button>
        <button value="reject">No</button>
      </srml>`;
    assert.deepEqual(parseSrml(source), [
      { type: 'h1', text: 'Purchase equipment' },
      { type: 'p', text: 'Purchase laptop for <Bob> & Carol?' },
      { type: 'button', value: 'accept', text: 'Yes, buy' },
      { type: 'button', value: 'reject', text: 'No' },
    ]);
  });

  test('takes the Mesh’s words for accept and reject', () => {
    for (const [given, value] of Object.entries({
      true: 'accept',
      Yes: 'accept',
      false: 'reject',
      NO: 'reject',
    })) {
      const [, button] = parseSrml(srml(`<p>a</p><button value="${given}">b</button>`));
      assert.deepEqual(button, { type: 'button', value, text: 'b' });
    }
  });

  for (const [what, source] of [
    ['a script', srml('<p>a</p><script>alert(1)</script>')],
    ['a script inside a paragraph', srml('<p>a<script>alert(1)</script></p>')],
    ['an image', srml('<p>a</p><img src="x"/>')],
    ['a link', srml('<p>a</p><a href="x">b</a>')],
    ['bold words', srml('<p><b>a</b></p>')],
    ['a style', srml('<style>p{display:none}</style><p>a</p>')],
    ['an element in capitals', srml('<P>a</P>')],
    ['an element with a prefix', srml('<x:p>a</x:p>')],
    ['an event attribute', srml('<p onclick="x">a</p>')],
    ['an event attribute on a button', srml('<p>a</p><button value="accept" onclick="x">b</button>')],
    ['a style attribute', srml('<p style="display:none">a</p>')],
    ['a value on a paragraph', srml('<p value="accept">a</p>')],
    ['another namespace', '<srml xmlns="http://www.w3.org/1999/xhtml"><p>a</p></srml>'],
    ['a namespace for a prefix', '<srml xmlns:x="x"><p>a</p></srml>'],
    ['a namespace on a paragraph', srml('<p xmlns="http://www.w3.org/1999/xhtml">a</p>')],
    ['the same attribute twice', srml('<p>a</p><button value="accept" value="reject">b</button>')],
    ['a document type', `<!DOCTYPE srml>${srml('<p>a</p>')}`],
    ['an entity of its own', `<!DOCTYPE srml [<!ENTITY e "x">]>${srml('<p>&e;</p>')}`],
    ['an entity that nobody declared', srml('<p>&nbsp;</p>')],
    ['a reference to a character that XML has not', srml('<p>a&#0;</p>')],
    ['a comment', srml('<p>a<!-- b --></p>')],
    ['a comment before it', `<!-- b -->${srml('<p>a</p>')}`],
    ['CDATA', srml('<p><![CDATA[a]]></p>')],
    ['a processing instruction', srml('<p>a</p><?php x ?>')],
    ['a style sheet', `<?xml-stylesheet href="x"?>${srml('<p>a</p>')}`],
    ['a paragraph inside a heading', srml('<h1><p>a</p></h1>')],
    ['itself inside itself', srml(srml('<p>a</p>'))],
    ['a second root', srml('<p>a</p>') + srml('<p>b</p>')],
    ['another root', '<html><p>a</p></html>'],
    ['text between its elements', srml('a<p>b</p>')],
    ['text after its end', `${srml('<p>b</p>')}a`],
    ['an odd space between its elements', srml('\u00A0<p>b</p>')],
    ['an element left open', '<srml><p>a</p>'],
    ['a wrong end', srml('<p>a</h1>')],
    ['a button without a value', srml('<p>a</p><button>b</button>')],
    ['a button with another value', srml('<p>a</p><button value="maybe">b</button>')],
    ['a button that says toString', srml('<p>a</p><button value="toString">b</button>')],
    ['no question but a button', srml('<button value="accept">b</button>')],
    ['nothing in it', '<srml/>'],
    ['nothing at all', ''],
    ['no XML', 'Purchase laptop?'],
    ['more than 4096 characters', srml(`<p>a</p>${' '.repeat(4096)}`)],
  ] as const) {
    test(`with ${what} is refused`, () => {
      assert.throws(() => parseSrml(source), refused('srml-refused'));
    });
  }

  for (const [what, inner] of [
    ['a bidi override by its number', '<p>a&#x202E;b</p>'],
    ['a zero-width space', '<p>a\u200Bb</p>'],
    ['a link by its letters’ numbers', '<p>&#104;ttps://evil.example</p>'],
    ['a space at its beginning that is not the plain one', '<p>&#xA0;a</p>'],
    ['a mark at its end that nobody sees', '<p>a\uFEFF</p>'],
    ['more than 32 parts', '<p>a</p>'.repeat(33)],
    ['an empty paragraph', '<p> </p>'],
    ['an empty element', '<p/>'],
  ] as const) {
    test(`whose text has ${what} is refused`, () => {
      assert.throws(() => parseSrml(srml(inner)), refused('text-refused'));
    });
  }

  for (const [what, inner] of [
    ['a text of more than 1024 bytes', `<p>${'a'.repeat(1025)}</p>`],
    ['more than 1024 bytes in all its texts', `<h1>${'a'.repeat(512)}</h1><p>${'a'.repeat(513)}</p>`],
    ['more than 64 bytes on a button', `<p>a</p><button value="accept">${'a'.repeat(65)}</button>`],
  ] as const) {
    test(`with ${what} is refused`, () => {
      assert.throws(() => parseSrml(srml(inner)), refused('text-too-long'));
    });
  }

  test('any string is parts or a refusal, and nothing else', () => {
    const fragment = fc.constantFrom(
      ...[
        '<srml>',
        '</srml>',
        '<p>',
        '</p>',
        '<h1>',
        '</h1>',
        '<p/>',
        '<button value="accept">',
        '</button>',
      ],
      ...[
        '<!--',
        '-->',
        '<![CDATA[',
        ']]>',
        '<!DOCTYPE',
        '<?xml version="1.1"?>',
        '<?',
        '?>',
        '&amp;',
        '&#',
        ';',
      ],
      ...[
        '<',
        '>',
        '&',
        '"',
        "'",
        '=',
        ' ',
        'a',
        '\0',
        '\uD800',
        '\uFEFF',
        '\u{1F600}',
        'x:',
        '__proto__="1"',
      ],
    );
    const source = fc.oneof(
      fc.array(fragment, { maxLength: 12 }).map((all) => all.join('')),
      fc.array(fragment, { maxLength: 6 }).map((all) => srml(all.join(''))),
      fc.string({ unit: 'binary' }),
    );
    fc.assert(
      fc.property(source, (text) => {
        try {
          for (const part of parseSrml(text)) assert.match(part.type, /^(?:h1|p|button)$/);
        } catch (error) {
          refused('srml-refused', 'text-refused', 'text-too-long')(error);
        }
      }),
      { numRuns: RUNS.numRuns * 10 },
    );
  });
});
