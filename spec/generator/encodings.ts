/**
 * Vectors of base64url, strict JSON and fingerprints.
 * @module
 */
import { encodeBase64url, fingerprint, keyFingerprint, statementId } from '@countersign/core';
import { webCrypto } from '@countersign/core/webcrypto';
import { invalid, type Vector, type VectorFile, valid } from './vector.ts';
import { signingJwk } from './world.ts';

const bytes = (text: string) => new TextEncoder().encode(text);

const hex = (data: Uint8Array) => Buffer.from(data).toString('hex');

export function base64url(): VectorFile {
  const good = (name: string, comment: string, text: string, expect: string) =>
    valid(name, comment, { text }, { hex: expect });
  const bad = (name: string, comment: string, text: string) =>
    invalid(name, comment, 'encoding-invalid', { text });
  return {
    description: 'Base64url in its one canonical form: a text, and the bytes that it stands for.',
    spec: 'statements.md#base64url',
    vectors: [
      good('empty', 'RFC 4648 section 10', '', ''),
      good('one-byte', 'RFC 4648 section 10', 'Zg', '66'),
      good('two-bytes', 'RFC 4648 section 10', 'Zm8', '666f'),
      good('three-bytes', 'RFC 4648 section 10', 'Zm9v', '666f6f'),
      good('six-bytes', 'RFC 4648 section 10', 'Zm9vYmFy', '666f6f626172'),
      good('url-alphabet', 'the letters 62 and 63 are - and _', '--__', 'fbefff'),
      bad('padding', 'no = stands at the end', 'Zg=='),
      bad('stray-bits', 'the bits of the last letter that stand for nothing must be 0', 'Zh'),
      bad('stray-bits-two-bytes', 'so in a text of two bytes', 'Zm9'),
      bad('other-alphabet', 'the alphabet with + and / is another one', '++//'),
      bad('white-space', 'white space is not skipped', 'Zm 9v'),
      bad('line-feed', 'nor at the end', 'Zm9v\n'),
      bad('one-letter', 'no number of bytes has this length', 'Z'),
      bad('five-letters', 'no number of bytes has this length', 'Zm9vY'),
      bad('not-ascii', 'a look-alike letter is none', 'Zm9ѵ'),
    ],
  };
}

export function json(): VectorFile {
  const bad = (name: string, comment: string, input: object) => invalid(name, comment, 'json-invalid', input);
  const nested = (depth: number) => '['.repeat(depth) + ']'.repeat(depth);
  return {
    description: 'Strict JSON: a JSON text, as `text` or, where it is not UTF-8, as bytes in `hex`.',
    spec: 'statements.md#strict-json',
    vectors: [
      valid('object', 'an object', { text: '{"a":1,"b":[true,null,"x"]}' }, { a: 1, b: [true, null, 'x'] }),
      valid('white-space', 'white space between tokens has no meaning', { text: ' {"a" : 1 }\n' }, { a: 1 }),
      valid('same-name-apart', 'the same name in two objects', { text: '[{"a":1},{"a":1}]' }, [
        { a: 1 },
        { a: 1 },
      ]),
      valid(
        'name-in-string',
        'what looks like a member inside a string',
        { text: '{"a":"\\"a\\":1"}' },
        { a: '"a":1' },
      ),
      valid(
        'surrogate-pair',
        'an escaped pair is one character',
        { text: '{"a":"\\ud83d\\ude00"}' },
        { a: '😀' },
      ),
      valid(
        'depth-16',
        'arrays and objects may be nested 16 deep',
        { text: nested(16) },
        JSON.parse(nested(16)),
      ),
      bad('depth-17', 'and no deeper', { text: nested(17) }),
      bad('depth-10000', 'a reader must not fall over this', { text: nested(10_000) }),
      bad('duplicate-name', 'a name twice in one object', { text: '{"a":1,"a":2}' }),
      bad('duplicate-same-value', 'even with the same value', { text: '{"a":1,"a":1}' }),
      bad('duplicate-escaped', 'names are compared as they read, not as they are written', {
        text: '{"a":1,"\\u0061":2}',
      }),
      bad('duplicate-nested', 'at any depth', { text: '{"a":{"b":1,"b":1}}' }),
      bad('duplicate-proto', 'whatever the name is', { text: '{"__proto__":1,"__proto__":1}' }),
      bad('lone-high-surrogate', 'half a character', { text: '{"a":"\\ud83d"}' }),
      bad('lone-low-surrogate', 'the other half', { text: '{"a":"\\ude00"}' }),
      bad('lone-surrogate-name', 'in a name too', { text: '{"\\ud83d":1}' }),
      bad('byte-order-mark', 'RFC 8259 section 8.1: none is added', { text: '\ufeff{"a":1}' }),
      bad('invalid-utf8', 'a byte that no UTF-8 has', { hex: '7b2261223a22ff227d' }),
      bad('overlong-utf8', 'a character in more bytes than it takes', { hex: '7b2261223a22c0af227d' }),
      bad('utf8-surrogate', 'a surrogate written in UTF-8', { hex: '7b2261223a22eda080227d' }),
      bad('trailing-comma', 'not JSON', { text: '{"a":1,}' }),
      bad('trailing-text', 'not JSON', { text: '{"a":1}{}' }),
      bad('comment', 'not JSON', { text: '{"a":1/*x*/}' }),
      bad('single-quotes', 'not JSON', { text: "{'a':1}" }),
      bad('leading-zero', 'not JSON', { text: '{"a":01}' }),
      bad('not-a-number', 'not JSON', { text: '{"a":NaN}' }),
      bad('control-character', 'not JSON: a line feed in a string', { text: '{"a":"\n"}' }),
      bad('empty', 'not JSON', { text: '' }),
    ],
  };
}

export async function fingerprints(): Promise<VectorFile> {
  const vectors: Vector[] = [];
  const digest = async (name: string, comment: string, content_type: string, data: Uint8Array, bits = 140) =>
    vectors.push(
      valid(
        name,
        comment,
        { op: 'fingerprint', content_type, data_hex: hex(data), bits },
        { fingerprint: await fingerprint(webCrypto, content_type, data, bits) },
      ),
    );
  await digest('mesh', 'the vector of the Mathematical Mesh', 'text/plain', bytes('UDF Data Value'));
  await digest('mesh-100-bits', 'a shorter one is a prefix', 'text/plain', bytes('UDF Data Value'), 100);
  await digest('mesh-260-bits', 'a longer one', 'text/plain', bytes('UDF Data Value'), 260);
  await digest('mesh-440-bits', 'the longest', 'text/plain', bytes('UDF Data Value'), 440);
  await digest(
    'other-type',
    'the content type is bound',
    'application/octet-stream',
    bytes('UDF Data Value'),
  );
  await digest('empty', 'no data', 'text/plain', new Uint8Array());
  for (const algorithm of ['EdDSA', 'ES256'] as const) {
    const { d: _, ...key } = signingJwk('fingerprints', algorithm);
    const expect = { kid: await keyFingerprint(webCrypto, key as never) };
    vectors.push(valid(`key-${algorithm}`, `the kid of a key of ${algorithm}`, { op: 'key', key }, expect));
  }
  const hash = encodeBase64url(await webCrypto.sha256(bytes('a signing input')));
  vectors.push(
    valid(
      'statement-id',
      'the id that people see, made from a statement’s hash',
      { op: 'statement-id', hash },
      { id: await statementId(webCrypto, hash) },
    ),
  );
  const typed = (name: string, comment: string, text: string, expect: string) =>
    vectors.push(valid(name, comment, { op: 'typed', text }, { fingerprint: expect }));
  const whole = 'MDDK-7N6A-727A-JZNO-STRX-XKS7-DJAF';
  typed('typed-whole', 'as printed', whole, whole);
  typed('typed-lower-case', 'any case', whole.toLowerCase(), whole);
  typed('typed-groups-of-five', 'any groups', 'MDDK7-N6A72-7AJZN-OSTRX-XKS7D-JAF', whole);
  typed('typed-without-groups', 'or none', whole.replaceAll('-', ''), whole);
  typed(
    'typed-spaces',
    'white space instead of dashes, and around',
    ` ${whole.replaceAll('-', ' ')} `,
    whole,
  );
  typed('typed-prefix', 'a prefix', 'mddk7', 'MDDK-7');
  typed('typed-slash', 'a slash at the end is ignored', 'MDDK-7N6A/', 'MDDK-7N6A');
  for (const [name, comment, text] of [
    ['typed-empty', 'nothing', ''],
    ['typed-digit-1', 'Base32 has no 1', 'MDDK-1N6A'],
    ['typed-digit-0', 'Base32 has no 0', 'MDDK-0N6A'],
    ['typed-punctuation', 'nor anything but letters and digits', 'MDDK.7N6A'],
    ['typed-too-long', 'at most 88 letters', 'M'.repeat(89)],
  ] as const) {
    vectors.push(invalid(name, comment, 'fingerprint-invalid', { op: 'typed', text }));
  }
  return {
    description:
      'Fingerprints. `op`: `fingerprint` of data under a content type; `key`: the kid of a public key; `statement-id` of a statement’s hash; `typed`: what a person typed, brought into the printed form.',
    spec: 'statements.md#fingerprints',
    vectors,
  };
}
