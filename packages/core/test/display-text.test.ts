import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { checkDisplayLine, isDisplayLine, utf8Length } from '../src/display-text.ts';
import { makeVisible } from '../src/visible.ts';
import { refused } from './refused.ts';
import { RUNS } from './runs.ts';

/** ZWNJ, ZWJ, and the selector that makes an emoji colourful. */
const JOINERS = ['\u200C', '\u200D', '\uFE0F'];

describe('a line that may be shown', () => {
  for (const [what, text] of [
    ['English', 'Pay 42.00 EUR to Example Ltd. (invoice 7/2026)?'],
    ['German', 'Überweisung über 1.000 € bestätigen – größere Beträge später'],
    ['French', 'Connexion à l’hôtel : êtes-vous d’accord ?'],
    ['Vietnamese', 'Đăng nhập vào máy chủ lúc này ạ?'],
    ['Greek', 'Σύνδεση στον διακομιστή;'],
    ['Russian', 'Войти на сервер?'],
    ['Hebrew', 'להתחבר לשרת?'],
    ['Arabic with its vowel signs', 'هَلْ تُرِيدُ تَسْجِيلَ الدُّخُولِ؟'],
    ['Persian with ZWNJ', 'می‌خواهم وارد شوم'],
    ['Hindi', 'क्या आप लॉग इन करना चाहते हैं?'],
    ['Devanagari with ZWJ', 'क्‍ष'],
    ['Devanagari with ZWNJ', 'क्‌ष'],
    ['Bengali', 'আপনি কি লগ ইন করতে চান?'],
    ['Malayalam with ZWJ', 'അവന്‍റെ'],
    ['Thai', 'คุณต้องการเข้าสู่ระบบหรือไม่'],
    ['Khmer', 'តើអ្នកចង់ចូលទេ'],
    ['Korean', '로그인하시겠습니까?'],
    ['Japanese', 'サーバーにログインしますか。'],
    ['Chinese', '您要登录服务器吗？'],
    ['emoji', 'Party 🎉 at 8'],
    ['an emoji with its variation selector', 'I ❤️ it'],
    ['a family joined by ZWJ', '👨‍👩‍👧‍👦'],
    ['a skin tone', '👍🏽'],
    ['a skin tone and ZWJ', '🧑🏽‍🚀'],
    ['a variation selector and ZWJ', '❤️‍🔥'],
    ['a flag', '🇩🇪'],
    ['two spaces', 'a  b'],
    ['four marks on one letter', 'ọ̀̂̃'.normalize('NFC')],
    ['a colon and a slash', 'Room: A/B, 10:30'],
    ['a command', 'rm -rf /srv/old && echo "done"'],
  ] as const) {
    test(`may be ${what}`, () => assert.equal(checkDisplayLine(text), text));
  }

  for (const [what, text] of [
    ['a link in full-width signs', 'https：／／example.com'],
    ['a mark that stands on nothing', '\u0301pay'],
    ['a mark that strikes out', 'pay 1\u03360\u0336 EUR'],
    ['a right-to-left override', 'invoice\u202Efdp.exe'],
    ['a left-to-right embedding', 'a\u202Ab'],
    ['a right-to-left isolate', 'a\u2067b\u2069'],
    ['a right-to-left mark', 'a\u200Fb'],
    ['an Arabic letter mark', 'ا\u061Cا'],
    ['a zero-width space', 'pay\u200Bpal'],
    ['a word joiner', 'a\u2060b'],
    ['a byte order mark', '\uFEFFa'],
    ['a soft hyphen', 'a\u00ADb'],
    ['a combining grapheme joiner', 'a\u034Fb'],
    ['a Hangul filler', 'a\u3164b'],
    ['a half-width Hangul filler', 'a\uFFA0b'],
    ['a Hangul initial filler', 'a\u115Fb'],
    ['a braille blank', 'a\u2800b'],
    ['a musical blank', 'a\u{1D159}b'],
    ['a Khitan filler', 'a\u{16FE4}b'],
    ['an object replacement', 'a\uFFFCb'],
    ['tag characters', 'a\u{E0061}\u{E0062}\u{E007F}'],
    ['a flag made of tags', '🏴\u{E0067}\u{E0062}\u{E007F}'],
    ['a variation selector on a letter', 'a\uFE0F'],
    ['a text variation selector', '❤\uFE0E'],
    ['a supplementary variation selector', '葛\u{E0100}'],
    ['a Mongolian vowel separator', '\u1820\u180E\u1820'],
    ['an Arabic number sign', '\u06001'],
    ['an interlinear annotation', 'a\uFFF9b\uFFFAc\uFFFB'],
    ['ZWJ between Latin letters', 'a\u200Db'],
    ['ZWNJ between Latin letters', 'a\u200Cb'],
    ['ZWNJ at the end', 'می\u200C'],
    ['ZWNJ before a space', 'می\u200C خواهم'],
    ['two ZWNJ', 'می\u200C\u200Cخواهم'],
    ['ZWJ between an emoji and a letter', '👍\u200Da'],
    ['two variation selectors', '❤\uFE0F\uFE0F'],
    ['a line break', 'a\nb'],
    ['a carriage return', 'a\rb'],
    ['a tab', 'a\tb'],
    ['a NUL', 'a\0b'],
    ['an escape sequence', 'a\u001B[31mb'],
    ['DEL', 'a\u007Fb'],
    ['a C1 control', 'a\u0085b'],
    ['a line separator', 'a\u2028b'],
    ['a paragraph separator', 'a\u2029b'],
    ['a private character', 'a\uE000b'],
    ['an unassigned character', 'a\u0378b'],
    ['a noncharacter', 'a\uFFFFb'],
    ['a no-break space', 'a\u00A0b'],
    ['a figure space', 'a\u2007b'],
    ['an ideographic space', 'a\u3000b'],
    ['an Ogham space', 'a\u1680b'],
    ['three spaces', 'a   b'],
    ['a space at its begin', ' a'],
    ['a space at its end', 'a '],
    ['nothing but a space', ' '],
    ['nothing at all', ''],
    ['five marks on one letter', `q${'\u0323\u0331\u0300\u0302\u0303'}`],
    ['a tower of marks', `q${'\u030D'.repeat(40)}`],
    ['letters not in form C', 'e\u0301'],
    ['a sign that form C replaces', '\u212B'],
    ['a lone surrogate', 'a\uD800b'],
    ['a web link', 'see https://evil.example now'],
    ['a link in capitals', 'HTTPS://EVIL.EXAMPLE'],
    ['a link of any scheme', 'x+y://z'],
    ['a name that programs make a link of', 'see www.evil.example'],
    ['a mail link', 'mailto:a@b'],
    ['a script link', 'javascript:alert(1)'],
    ['a data link', 'data:text/html,x'],
    ['a script link of another kind', 'vbscript:x'],
    ['a link that pays', 'BITCOIN:1A2b'],
    ['a link that opens a program', 'ms-word:ofe'],
    ['a blank hieroglyph', 'a\u{13442}b'],
    ['an enclosing mark', 'a\u0488'],
    ['a keycap', '1\u20E3'],
    ['a telephone link', 'tel:110'],
  ] as const) {
    test(`has not ${what}`, () => assert.throws(() => checkDisplayLine(text), refused('text-refused')));
  }

  test('is refused, not cut, when it is longer than 1024 bytes of UTF-8', () => {
    for (const text of ['a'.repeat(1024), 'ü'.repeat(512), '🎉'.repeat(256)]) {
      assert.equal(checkDisplayLine(text), text);
      assert.throws(() => checkDisplayLine(`${text}a`), refused('text-too-long'));
    }
  });

  test('is judged in a time that does not grow by the square of its length', () => {
    for (const unit of ['a', 'a.', 'a\u0301', '\u200c', 'م\u200c', '👍', ' a', ':/', 'www']) {
      const text = unit.repeat(200_000);
      // Of the processor's time, which other programs take none of; by the square it would be minutes.
      const begin = process.cpuUsage();
      isDisplayLine(text, 10_000_000);
      const { user } = process.cpuUsage(begin);
      assert.ok(user < 2_000_000, `${JSON.stringify(unit)}: ${user} µs`);
    }
  });

  test('names the place of what was refused and never the text', () => {
    assert.throws(() => checkDisplayLine('secret\u202Ewords'), {
      message: 'a character that turns the direction of reading (U+202E, at character 7)',
    });
  });

  const tricky = fc.constantFrom(
    ...[
      '\u200C',
      '\u200D',
      '\uFE0F',
      '\uFE0E',
      '\u{1F3FD}',
      '\u202E',
      '\u00AD',
      '\u{E0061}',
      '\u034F',
      ' ',
      '\0',
    ],
    ...['a', 'م', 'ی', 'क', '्', 'ि', '❤', '👩', '©', '1', '\u0301', '\u17B4', '\u180B', '\u115F', '\uD83D'],
  );
  const anyLine = fc.oneof(
    fc.array(tricky, { maxLength: 8 }).map((all) => all.join('')),
    fc.string({ unit: 'binary' }),
    fc.string({ unit: 'grapheme' }),
  );

  test('has nothing invisible but the joiners that emoji and joining scripts need', () => {
    fc.assert(
      fc.property(anyLine, (text) => {
        if (!isDisplayLine(text)) return;
        assert.ok(text.isWellFormed());
        assert.equal(text.normalize('NFC'), text);
        assert.doesNotMatch(text, /[\p{Cc}\p{Zl}\p{Zp}\p{Cn}\p{Co}\p{Bidi_Control}]/u);
        for (const [ignorable] of text.matchAll(/[\p{Default_Ignorable_Code_Point}\p{Cf}]/gu)) {
          assert.ok(JOINERS.includes(ignorable));
        }
        assert.doesNotMatch(text, /(?:\u200C|\u200D|\uFE0F){3}|^(?:\u200C|\u200D|\uFE0F)|(?:\u200C|\u200D)$/);
        assert.doesNotMatch(text, /[\x20-\x7E](?:\u200C|\u200D|\uFE0F)|(?:\u200C|\u200D)[\x20-\x7E]/);
      }),
      { numRuns: RUNS.numRuns * 20 },
    );
  });

  test('throws nothing but refusals', () => {
    fc.assert(
      fc.property(anyLine, (text) => {
        try {
          checkDisplayLine(text);
        } catch (error) {
          refused('text-refused', 'text-too-long')(error);
        }
      }),
      RUNS,
    );
  });
});

describe('text made visible', () => {
  test('shows what could mislead as its code point, and leaves the rest', () => {
    assert.equal(makeVisible('a\u202Eb\n\u{E0061}é'), 'a<U+202E>b<U+000A><U+E0061>é');
    assert.equal(makeVisible('\uD800'), '<U+D800>');
  });

  test('has no control or ignorable character left', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        assert.doesNotMatch(makeVisible(text), /[\p{Cc}\p{Cf}\p{Cs}\p{Default_Ignorable_Code_Point}]/u);
      }),
      RUNS,
    );
  });
});

test('lengths are bytes of UTF-8', () => {
  assert.deepEqual(['', 'a', 'ü', '€', '🎉'].map(utf8Length), [0, 1, 2, 3, 4]);
});
