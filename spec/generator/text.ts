import { parseSrml } from '@countersign/core/srml';
import { invalid, type VectorFile, valid } from './vector.ts';

export function displayText(): VectorFile {
  const good = (name: string, comment: string, text: string, max_bytes = 1024) =>
    valid(name, comment, { text, max_bytes });
  const bad = (name: string, comment: string, text: string) =>
    invalid(name, comment, 'text-refused', { text, max_bytes: 1024 });
  const long = (name: string, comment: string, text: string, max_bytes = 1024) =>
    invalid(name, comment, 'text-too-long', { text, max_bytes });
  return {
    description:
      'Lines that may be shown as they stand, and lines that may not, with the most bytes of UTF-8.',
    spec: 'requests.md#display-text',
    vectors: [
      good('plain', 'a line', 'Log in to Host1'),
      good('punctuation', 'ASCII punctuation', 'Pay €12.50 to Bob & Sons (#7)? 50% <b>“now”</b>'),
      good('scripts', 'any script', 'Войти · ログイン · 登录 · تسجيل الدخول · התחברות'),
      good('composed', 'normal form C', 'caf\u00e9'),
      good('unicode-17', 'SAUDI RIYAL SIGN, new in Unicode 17: older tables lack it', 'Pay 100 \u20c1'),
      good('two-spaces', 'two spaces in a row', 'a  b'),
      good('emoji', 'an emoji', 'Deploy 🚀'),
      good('emoji-style', 'VARIATION SELECTOR-16 after a pictograph', 'I ❤\ufe0f it'),
      good('emoji-family', 'ZERO WIDTH JOINER between pictographs', '👩\u200d👩\u200d👧'),
      good('emoji-skin', 'so with skin tones', '👩🏽\u200d🚀'),
      good('persian-joiner', 'ZERO WIDTH NON-JOINER between Arabic letters', 'می\u200cخواهم'),
      good('devanagari-joiner', 'ZERO WIDTH JOINER between Devanagari letters', 'क्\u200dष'),
      good('four-marks', 'four marks in a row', 'a\u0301\u0302\u0303\u0304'.normalize('NFC')),
      good(
        'word-data',
        'the scheme names matter only with their colon',
        'Update the data now, by file or tel',
      ),
      good('metadata', 'and only at the beginning of a word', 'metadata: yes'),
      good('domain', 'a host name alone is no link', 'Log in to shop.example'),
      good('longest', 'exactly the most bytes', 'a'.repeat(1024)),
      good('longest-multibyte', 'bytes are counted, not characters', 'é'.repeat(512)),
      long('too-long', 'one byte more', 'a'.repeat(1025)),
      long('too-long-multibyte', 'one character of two bytes more', 'é'.repeat(513)),
      long('too-long-64', 'a device’s name has 64 bytes', 'a'.repeat(65), 64),
      bad('empty', 'an empty line', ''),
      bad('not-nfc', 'not in normal form C: e and a combining acute', 'cafe\u0301'),
      bad('line-feed', 'a control character', 'a\nb'),
      bad('tab', 'a control character', 'a\tb'),
      bad('escape', 'a control character: terminals act on it', 'a\u001b[31mb'),
      bad('c1-control', 'a control character of the second set', 'a\u0085b'),
      bad('bidi-override', 'RIGHT-TO-LEFT OVERRIDE', 'pay \u202eboB'),
      bad('bidi-isolate', 'LEFT-TO-RIGHT ISOLATE', 'a\u2066b\u2069'),
      bad('bidi-mark', 'RIGHT-TO-LEFT MARK', 'a\u200fb'),
      bad('arabic-letter-mark', 'ARABIC LETTER MARK', 'a\u061cb'),
      bad('zero-width-space', 'invisible', 'a\u200bb'),
      bad('joiner-between-latin', 'ZERO WIDTH JOINER where writing needs none', 'a\u200db'),
      bad('joiner-at-end', 'ZERO WIDTH NON-JOINER at the end of a word', 'می\u200c'),
      bad('selector-after-letter', 'VARIATION SELECTOR-16 after a letter', 'a\ufe0f'),
      bad('word-joiner', 'invisible', 'a\u2060b'),
      bad('byte-order-mark', 'invisible', '\ufeffa'),
      bad('soft-hyphen', 'invisible', 'a\u00adb'),
      bad('tag-characters', 'invisible', 'a\u{e0061}b'),
      bad('hangul-filler', 'looks like nothing', 'a\u3164b'),
      bad('halfwidth-hangul-filler', 'looks like nothing', 'a\uffa0b'),
      bad('braille-blank', 'looks like nothing', 'a\u2800b'),
      bad('egyptian-blank', 'looks like nothing', 'a\u{13441}b'),
      bad('signwriting-fill', 'looks like nothing on a letter', 'a\u{1da9b}b'),
      bad('object-replacement', 'looks like anything', 'a\ufffcb'),
      bad('line-separator', 'U+2028', 'a\u2028b'),
      bad('paragraph-separator', 'U+2029', 'a\u2029b'),
      bad('private-use', 'has no agreed look', 'a\ue000b'),
      bad(
        'unicode-unassigned',
        'no character of Unicode 17, though newer tables may have it',
        'Pay 100 \u20c2',
      ),
      bad('noncharacter', 'has no agreed look', 'a\uffffb'),
      bad('no-break-space', 'a space that is not the plain one', 'a\u00a0b'),
      bad('em-space', 'a space that is not the plain one', 'a\u2003b'),
      bad('ideographic-space', 'a space that is not the plain one', 'a\u3000b'),
      bad('three-spaces', 'three in a row push words aside', 'a   b'),
      bad('space-first', 'a space at the beginning', ' a'),
      bad('space-last', 'a space at the end', 'a '),
      bad('five-marks', 'five marks in a row', 'z\u0301\u0302\u0303\u0304\u0306'),
      bad('mark-first', 'a mark with nothing to stand on', '\u0301a'),
      bad('strike-out', 'a mark that strikes out', 'n\u0336o\u0336'),
      bad('enclosing-mark', 'a mark that encloses', 'a\u20dd'),
      bad('enclosing-keycap', 'a mark that encloses', 'a\u20e3'),
      bad('enclosing-cyrillic', 'a mark that encloses', 'a\u0488'),
      bad('link', 'a link', 'see https://evil.example'),
      bad('link-any-scheme', 'of any scheme', 'x://y'),
      bad('link-www', 'a link to most readers', 'see www.evil.example'),
      bad('link-upper-case', 'in any case', 'WWW.EVIL.EXAMPLE'),
      bad('link-mailto', 'a link without slashes', 'mailto:bob@example.com'),
      bad('link-javascript', 'a script', 'javascript:alert(1)'),
      bad('link-vbscript', 'a script', 'vbscript:x'),
      bad('link-bitcoin', 'a link to a payment', 'Pay bitcoin:1A2b'),
      good('scheme-with-space', 'a word and a colon, as people write', 'Market: Bitcoin: 3'),
      bad(
        'link-fullwidth',
        'looked for in normal form KC: fullwidth colon and slashes',
        'see https：／／evil.example',
      ),
      bad(
        'link-scheme-as-word',
        'a word before a colon that is a scheme: refused, however it was meant',
        'Show data: all',
      ),
    ],
  };
}

export function srml(): VectorFile {
  const NS = 'xmlns="http://hallambaker.com/Schemas/srml.xsd"';
  const good = (name: string, comment: string, source: string) =>
    valid(name, comment, { source }, { parts: parseSrml(source) });
  const bad = (name: string, comment: string, source: string) =>
    invalid(name, comment, 'srml-refused', { source });
  return {
    description: 'SRML texts, and the parts of a question that they are read into.',
    spec: 'requests.md#srml',
    vectors: [
      good(
        'full',
        'all four elements',
        `<srml ${NS}><h1>Log in</h1><p>to Host1 &amp; Co</p><button value="accept">Yes</button><button value="reject">No</button></srml>`,
      ),
      good('no-namespace', 'the namespace may be left out', '<srml><p>Log in?</p></srml>'),
      good(
        'white-space',
        'white space is one space, and none at the ends',
        '<srml>\n  <p>\n Log   in\n to Host1 </p>\n</srml>',
      ),
      good('declaration', 'an XML declaration', '<?xml version="1.0"?><srml><p>Log in?</p></srml>'),
      good(
        'character-reference',
        'the references of XML itself',
        '<srml><p>&lt;b&gt; &#65; &#x42;</p></srml>',
      ),
      good(
        'button-true-no',
        'other words for accept and reject',
        '<srml><p>x</p><button value="TRUE">a</button><button value="no">b</button></srml>',
      ),
      bad('other-element', 'another element', '<srml><p>x</p><script>y</script></srml>'),
      bad('other-root', 'another root', '<html><p>x</p></html>'),
      bad('nested', 'an element inside h1, p or button', '<srml><p>a <p>b</p></p></srml>'),
      bad('nested-root', 'srml inside srml', '<srml><srml><p>x</p></srml></srml>'),
      bad('prefix', 'a prefixed element', `<s:srml xmlns:s="x"><s:p>x</s:p></s:srml>`),
      bad('attribute', 'an attribute', '<srml><p onclick="x">y</p></srml>'),
      bad('attribute-value-on-p', 'value belongs to button', '<srml><p value="accept">y</p></srml>'),
      bad(
        'other-namespace',
        'another namespace',
        '<srml xmlns="http://www.w3.org/1999/xhtml"><p>y</p></srml>',
      ),
      bad(
        'button-other-value',
        'a button that is neither accept nor reject',
        '<srml><p>x</p><button value="maybe">y</button></srml>',
      ),
      bad('button-no-value', 'a button without value', '<srml><p>x</p><button>y</button></srml>'),
      bad('loose-text', 'text outside h1, p and button', '<srml>x<p>y</p></srml>'),
      bad('only-buttons', 'buttons without a question', '<srml><button value="accept">y</button></srml>'),
      bad('empty', 'no parts', '<srml/>'),
      bad('doctype', 'a document type', '<!DOCTYPE srml><srml><p>x</p></srml>'),
      bad('entity', 'an entity of one’s own', '<srml><p>&x;</p></srml>'),
      bad('cdata', 'a CDATA section', '<srml><p><![CDATA[x]]></p></srml>'),
      bad('comment', 'a comment', '<srml><!-- x --><p>y</p></srml>'),
      bad('instruction', 'a processing instruction', '<srml><?x y?><p>z</p></srml>'),
      bad('not-closed', 'not well-formed', '<srml><p>x</srml>'),
      bad('two-roots', 'not well-formed', '<srml><p>x</p></srml><srml><p>y</p></srml>'),
      bad('loose-odd-space', 'a no-break space is no white space of XML', '<srml>\u00a0<p>y</p></srml>'),
      bad('not-xml', 'not XML', 'Log in?'),
      bad('too-long', 'more than 4096 characters', `<srml>${'<p>x</p>'.repeat(600)}</srml>`),
      invalid('text-refused', 'the parts obey the rules of display text', 'text-refused', {
        source: '<srml><p>pay \u202eboB</p></srml>',
      }),
      invalid('text-refused-reference', 'by reference too', 'text-refused', {
        source: '<srml><p>pay &#x202e;boB</p></srml>',
      }),
      invalid('text-odd-space', 'another space at an end is not dropped, but refused', 'text-refused', {
        source: '<srml><p>&#xa0;Log in?</p></srml>',
      }),
      invalid('parts-33', 'more than 32 parts', 'text-refused', {
        source: `<srml>${'<p>x</p>'.repeat(33)}</srml>`,
      }),
      invalid('button-65-bytes', 'a button of more than 64 bytes', 'text-too-long', {
        source: `<srml><p>x</p><button value="accept">${'a'.repeat(65)}</button></srml>`,
      }),
      invalid('parts-1025-bytes', 'parts of more than 1024 bytes together', 'text-too-long', {
        source: `<srml><h1>${'a'.repeat(512)}</h1><p>${'b'.repeat(513)}</p></srml>`,
      }),
      invalid('text-empty', 'an empty part', 'text-refused', { source: '<srml><p> </p></srml>' }),
      invalid('text-too-long', 'a part of more than 1024 bytes', 'text-too-long', {
        source: `<srml><p>${'a'.repeat(1025)}</p></srml>`,
      }),
    ],
  };
}
