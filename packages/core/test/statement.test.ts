import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import * as v from 'valibot';
import { decodeBase64url, encodeBase64url } from '../src/base64url.ts';
import type { PublicSigningJwk } from '../src/crypto-provider.ts';
import {
  keyFingerprint,
  MAX_STATEMENT_LENGTH,
  parseStatement,
  signStatement,
  statementId,
  statementKind,
  verifyStatement,
} from '../src/statement.ts';
import { generateSigner, webCrypto } from '../src/webcrypto.ts';
import { ALGORITHMS } from './fixtures.ts';
import { refused } from './refused.ts';
import { RUNS } from './runs.ts';

const Note = statementKind('note', v.strictObject({ text: v.string(), n: v.optional(v.number()) }));
const Other = statementKind('other', v.strictObject({ text: v.string() }));

async function read(jws: string, key: PublicSigningJwk) {
  return verifyStatement(webCrypto, await parseStatement(webCrypto, Note, jws), key);
}

const part = (text: string) => encodeBase64url(new TextEncoder().encode(text));

for (const algorithm of ALGORITHMS) {
  describe(`a statement signed with ${algorithm}`, async () => {
    const signer = await generateSigner(algorithm);
    const { publicKey: key } = signer;
    const kid = await keyFingerprint(webCrypto, key);
    const typ = Note.typ;

    /** Signs any header and payload, as an attacker who holds the key could. */
    async function forge(header: string, payload = part('{"text":"words"}')): Promise<string> {
      const input = `${part(header)}.${payload}`;
      return `${input}.${encodeBase64url(await signer.sign(new TextEncoder().encode(input)))}`;
    }

    test('reads as what was signed', async () => {
      const signed = await signStatement(webCrypto, Note, signer, { text: 'words', n: 1 });
      assert.deepEqual(await read(signed.jws, key), signed);
      assert.deepEqual(signed.payload, { text: 'words', n: 1 });
      assert.equal(signed.kid, kid);
      assert.equal(signed.algorithm, algorithm);
    });

    test('is a compact JWS with alg, typ and kid', async () => {
      const { jws } = await signStatement(webCrypto, Note, signer, { text: 'words' });
      const [header] = jws.split('.');
      const read = JSON.parse(new TextDecoder().decode(decodeBase64url(header!)));
      assert.deepEqual(read, { alg: algorithm, typ: 'countersign-note+jwt', kid });
    });

    test('that is refused has nothing in its message that a terminal acts on', async () => {
      const sent = [
        await forge(JSON.stringify({ kid, typ, alg: algorithm }), part('{"text":"x","\\u001b[2J\\u202e":1}')),
        await forge(JSON.stringify({ kid, typ: '\u009b2J\u202e', alg: algorithm })),
      ];
      for (const jws of sent) {
        await assert.rejects(read(jws, key), ({ message }: Error) => {
          assert.doesNotMatch(message, /[\p{Cc}\p{Cf}]/u);
          return true;
        });
      }
    });

    test('made by hand to the same rules is read', async () => {
      await read(await forge(JSON.stringify({ kid, typ, alg: algorithm })), key);
    });

    test('does not survive any one letter changed', async () => {
      const { jws } = await signStatement(webCrypto, Note, signer, { text: 'wörds "and" more', n: 42 });
      const letter = fc.constantFrom(...'AZaz09-_.=+/ ', '\0', 'é', '\n');
      await fc.assert(
        fc.asyncProperty(fc.nat(jws.length - 1), letter, async (place, other) => {
          fc.pre(jws[place] !== other);
          await assert.rejects(read(jws.slice(0, place) + other + jws.slice(place + 1), key), refused());
        }),
        RUNS,
      );
    });

    test('does not survive any one bit flipped in what it decodes to', async () => {
      const { jws } = await signStatement(webCrypto, Note, signer, { text: 'words', n: 42 });
      const parts = jws.split('.').map(decodeBase64url);
      await fc.assert(
        fc.asyncProperty(fc.nat(2), fc.nat(), fc.nat(7), async (which, place, bit) => {
          const changed = parts.map((bytes) => bytes.slice());
          changed[which]![place % changed[which]!.length]! ^= 1 << bit;
          await assert.rejects(read(changed.map(encodeBase64url).join('.'), key), refused());
        }),
        RUNS,
      );
    });

    test('does not survive a letter more, a letter less, or two letters swapped', async () => {
      const { jws } = await signStatement(webCrypto, Note, signer, { text: 'words' });
      await fc.assert(
        fc.asyncProperty(fc.nat(jws.length - 2), async (i) => {
          await assert.rejects(read(jws.slice(0, i) + jws.slice(i + 1), key), refused());
          await assert.rejects(read(`${jws.slice(0, i)}A${jws.slice(i)}`, key), refused());
          fc.pre(jws[i] !== jws[i + 1]);
          await assert.rejects(
            read(jws.slice(0, i) + jws[i + 1] + jws[i] + jws.slice(i + 2), key),
            refused(),
          );
        }),
        RUNS,
      );
    });

    test('by another key is refused, even under this key’s name', async () => {
      const other = await generateSigner(algorithm);
      const { jws } = await signStatement(webCrypto, Note, other, { text: 'words' });
      await assert.rejects(read(jws, key), refused('signature-invalid'));
      const input = `${part(JSON.stringify({ alg: algorithm, typ, kid }))}.${part('{"text":"words"}')}`;
      const signature = encodeBase64url(await other.sign(new TextEncoder().encode(input)));
      await assert.rejects(read(`${input}.${signature}`, key), refused('signature-invalid'));
    });

    test('that names another key than the one that signed is refused', async () => {
      const name = await keyFingerprint(webCrypto, (await generateSigner(algorithm)).publicKey);
      const jws = await forge(JSON.stringify({ alg: algorithm, typ, kid: name }));
      await assert.rejects(read(jws, key), refused('signature-invalid'));
    });

    test('of another kind is refused', async () => {
      const { jws } = await signStatement(webCrypto, Other, signer, { text: 'words' });
      await assert.rejects(read(jws, key), refused('statement-type'));
      for (const wrong of [
        'JWT',
        '',
        'Countersign-note+jwt',
        'application/countersign-note+jwt',
        'toString',
      ]) {
        const forged = await forge(JSON.stringify({ alg: algorithm, typ: wrong, kid }));
        await assert.rejects(read(forged, key), refused('statement-type'));
      }
    });

    test('that names the algorithm of another kind of key is refused', async () => {
      const alg = algorithm === 'EdDSA' ? 'ES256' : 'EdDSA';
      await assert.rejects(
        read(await forge(JSON.stringify({ alg, typ, kid })), key),
        refused('signature-invalid'),
      );
    });

    for (const alg of ['none', 'None', 'HS256', 'RS256', 'ES384', 'Ed25519', 'eddsa', '', null, 1]) {
      test(`that names the algorithm ${JSON.stringify(alg)} is refused`, async () => {
        const jws = await forge(JSON.stringify({ alg, typ, kid }));
        await assert.rejects(read(jws, key), refused('statement-malformed'));
        const unsigned = `${jws.slice(0, jws.lastIndexOf('.'))}.`;
        await assert.rejects(read(unsigned, key), refused('statement-malformed'));
      });
    }

    for (const extra of ['crit', 'b64', 'jwk', 'jku', 'x5c', 'x5u', 'cty', 'zip', 'toString', '__proto__']) {
      test(`with the header member ${extra} is refused`, async () => {
        const members = `"alg":"${algorithm}","typ":"${typ}","kid":"${kid}"`;
        const jws = await forge(`{${members},"${extra}":["b64"]}`);
        await assert.rejects(read(jws, key), refused('statement-malformed'));
      });
    }

    for (const missing of ['alg', 'typ', 'kid']) {
      test(`without the header member ${missing} is refused`, async () => {
        const header = JSON.stringify({ alg: algorithm, typ, kid, [missing]: undefined });
        await assert.rejects(read(await forge(header), key), refused('statement-malformed'));
      });
    }

    test('with a header member twice is refused, escaped or not', async () => {
      for (const again of [`"alg":"none"`, `"alg":"${algorithm}"`, `"\\u0061lg":"none"`, `"kid":"${kid}"`]) {
        const jws = await forge(`{"alg":"${algorithm}","typ":"${typ}","kid":"${kid}",${again}}`);
        await assert.rejects(read(jws, key), refused('json-invalid'));
      }
    });

    test('with a payload member twice, or one that its kind has not, is refused', async () => {
      const header = JSON.stringify({ alg: algorithm, typ, kid });
      for (const [payload, code] of [
        ['{"text":"one","text":"two"}', 'json-invalid'],
        ['{"text":"one","more":1}', 'statement-malformed'],
        ['{"text":"one","constructor":1}', 'statement-malformed'],
        ['{}', 'statement-malformed'],
        ['[]', 'statement-malformed'],
        ['null', 'statement-malformed'],
        ['"text"', 'statement-malformed'],
        ['', 'json-invalid'],
      ] as const) {
        await assert.rejects(read(await forge(header, part(payload)), key), refused(code), payload);
      }
    });

    test('whose parts are not canonical base64url is refused, though rightly signed', async () => {
      const header = JSON.stringify({ alg: algorithm, typ, kid });
      for (const payload of [`${part('{"text":"one"}')}=`, `${part('{"text":"two"}')}\n`, ' ', 'ew+/fQ']) {
        await assert.rejects(read(await forge(header, payload), key), refused('encoding-invalid'), payload);
      }
      const stray = part('{"text":"words."}').replace(/.$/, (c) => String.fromCharCode(c.charCodeAt(0) + 1));
      await assert.rejects(read(await forge(header, stray), key), refused('encoding-invalid'));
    });

    test('with a signature of another form is refused', async () => {
      const { jws } = await signStatement(webCrypto, Note, signer, { text: 'words' });
      const input = jws.slice(0, jws.lastIndexOf('.'));
      for (const signature of ['', 'AA', 'A'.repeat(86), 'A'.repeat(88)]) {
        await assert.rejects(read(`${input}.${signature}`, key), refused('signature-invalid'));
      }
    });

    test('cut into two, four or one part is refused', async () => {
      const { jws } = await signStatement(webCrypto, Note, signer, { text: 'words' });
      for (const wrong of [
        jws.slice(0, jws.lastIndexOf('.')),
        `${jws}.`,
        `.${jws}`,
        '',
        '.'.repeat(65_000),
      ]) {
        await assert.rejects(read(wrong, key), refused('statement-malformed'));
      }
    });

    test('longer than 64 KiB is not read at all', async () => {
      const text = 'a'.repeat(MAX_STATEMENT_LENGTH);
      const { jws } = await signStatement(webCrypto, Note, signer, { text });
      await assert.rejects(read(jws, key), refused('statement-malformed'));
    });

    test('is not made of a payload that its own kind would refuse', async () => {
      const wrong = { text: 1 } as unknown as { text: string };
      await assert.rejects(signStatement(webCrypto, Note, signer, wrong), refused('statement-malformed'));
    });
  });
}

describe('the hash of a statement', async () => {
  test('is the same whichever of its signatures stands under it', async () => {
    const signer = await generateSigner('ES256');
    const { jws } = await signStatement(webCrypto, Note, signer, { text: 'words' });
    const input = jws.slice(0, jws.lastIndexOf('.'));
    const again = await signer.sign(new TextEncoder().encode(input));
    const other = await read(`${input}.${encodeBase64url(again)}`, signer.publicKey);
    assert.notEqual(other.jws, jws);
    assert.equal(other.hash, (await read(jws, signer.publicKey)).hash);
  });

  test('is SHA-256 of header.payload in base64url, and its id a fingerprint', async () => {
    const signer = await generateSigner('EdDSA');
    const { jws, hash } = await signStatement(webCrypto, Note, signer, { text: 'words' });
    const input = new TextEncoder().encode(jws.slice(0, jws.lastIndexOf('.')));
    assert.equal(hash, encodeBase64url(await webCrypto.sha256(input)));
    assert.match(await statementId(webCrypto, hash), /^M[A-Z2-7]{3}(?:-[A-Z2-7]{4}){6}$/);
  });
});

describe('the fingerprint of a key', () => {
  test('does not depend on the order of its members', async () => {
    const { publicKey } = await generateSigner('ES256');
    const turned = Object.fromEntries(Object.entries(publicKey).reverse()) as PublicSigningJwk;
    assert.equal(await keyFingerprint(webCrypto, turned), await keyFingerprint(webCrypto, publicKey));
  });

  test('is another for another key', async () => {
    const keys = await Promise.all(ALGORITHMS.flatMap((one) => [generateSigner(one), generateSigner(one)]));
    const prints = await Promise.all(keys.map(({ publicKey }) => keyFingerprint(webCrypto, publicKey)));
    assert.equal(new Set(prints).size, 4);
  });
});
