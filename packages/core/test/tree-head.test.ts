import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import fc from 'fast-check';
import { encodeBase64url } from '../src/base64url.ts';
import {
  parseTreeHead,
  signTreeHead,
  treeOrigin,
  treeVerifierKey,
  verifyTreeHead,
} from '../src/tree-head.ts';
import { formatTreeLeaf, parseTreeLeaf } from '../src/tree-leaf.ts';
import { generateSigner, type WebSigner, webCrypto } from '../src/webcrypto.ts';
import { NOW, newAccount } from './fixtures.ts';
import { refused } from './refused.ts';
import { RUNS } from './runs.ts';

const ORIGIN = 'broker.example';
const ROOT = new Uint8Array(32).fill(7);
let broker: WebSigner;
let note: string;
before(async () => {
  broker = await generateSigner('EdDSA');
  note = await signTreeHead(webCrypto, broker, ORIGIN, { size: 20_852_163, root: ROOT });
});
const verify = (text: string, key = broker.publicKey, origin = ORIGIN) =>
  verifyTreeHead(webCrypto, text, origin, key);
const BLANK = '\n\n';

describe('a tree head', () => {
  test('is a note of three lines and a signature, and says what was signed', async () => {
    const lines = note.split('\n');
    assert.deepEqual(lines.slice(0, 4), [ORIGIN, '20852163', ROOT.toBase64(), '']);
    assert.match(lines[4]!, /^— broker\.example [A-Za-z0-9+/]{91}=$/);
    assert.deepEqual(lines.slice(5), ['']);
    assert.deepEqual(await verify(note), { origin: ORIGIN, size: 20_852_163, root: ROOT, note });
  });

  test('names its origin without the scheme', () => {
    assert.equal(treeOrigin('https://confirm.example.com'), 'confirm.example.com');
    assert.equal(treeOrigin('http://127.0.0.1:8470'), '127.0.0.1:8470');
  });

  test('is altered by nobody', async () => {
    for (const [what, altered] of Object.entries({
      origin: note.replaceAll(ORIGIN, 'other.example'),
      size: note.replace('20852163', '20852164'),
      root: note.replace(ROOT.toBase64(), new Uint8Array(32).fill(8).toBase64()),
      extension: note.replace(BLANK, `\nanother line${BLANK}`),
    })) {
      assert.notEqual(altered, note);
      await assert.rejects(
        verify(altered, broker.publicKey, what === 'origin' ? 'other.example' : ORIGIN),
        refused('tree-invalid'),
        what,
      );
    }
  });

  test('of another origin or by another key is refused', async () => {
    const { publicKey } = await generateSigner('EdDSA');
    await assert.rejects(verify(note, publicKey), refused('tree-invalid'));
    await assert.rejects(verify(note, broker.publicKey, 'other.example'), refused('tree-invalid'));
  });

  test('may carry signatures of others, which say nothing; but none of its own that is wrong', async () => {
    const stranger = '— witness.example AAAAAAAAAAAA\n';
    assert.equal((await verify(note + stranger)).size, 20_852_163);
    const signature = note.slice(note.lastIndexOf('— '));
    await assert.rejects(verify(note.replace(signature, stranger)), refused('tree-invalid'));
    const bytes = Uint8Array.fromBase64(signature.trim().split(' ')[2]!);
    bytes[40]! ^= 1;
    const wrong = `— ${ORIGIN} ${bytes.toBase64()}\n`;
    await assert.rejects(verify(note + wrong), refused('tree-invalid'));
    await assert.rejects(verify(note.replace(signature, wrong)), refused('tree-invalid'));
  });

  test('may have further lines, if they were signed', async () => {
    const text = `${ORIGIN}\n1\n${ROOT.toBase64()}\nan extension\n`;
    const id = Uint8Array.fromBase64(note.trim().split(' ').at(-1)!).subarray(0, 4);
    const signature = await broker.sign(new TextEncoder().encode(text));
    const signed = `${text}\n— ${ORIGIN} ${new Uint8Array([...id, ...signature]).toBase64()}\n`;
    assert.equal((await verify(signed)).size, 1);
  });

  test('of another form is refused', () => {
    const signature = note.slice(note.lastIndexOf('— '));
    const root = ROOT.toBase64();
    for (const [what, text] of Object.entries({
      empty: '',
      'no signature': note.slice(0, note.indexOf(BLANK) + 2),
      'no blank line': note.replace(BLANK, '\n'),
      'no last newline': note.slice(0, -1),
      'no origin': `\n1\n${root}\n\n${signature}`,
      'no size': `${ORIGIN}\n\n${root}\n\n${signature}`,
      'no root': `${ORIGIN}\n1\n\n${signature}`,
      'a size with a zero before it': `${ORIGIN}\n01\n${root}\n\n${signature}`,
      'a size with a sign': `${ORIGIN}\n+1\n${root}\n\n${signature}`,
      'a size that is no number': `${ORIGIN}\n1e3\n${root}\n\n${signature}`,
      'a size too large to be reckoned with': `${ORIGIN}\n9007199254740993\n${root}\n\n${signature}`,
      'a short root': `${ORIGIN}\n1\n${root.slice(0, 40)}\n\n${signature}`,
      'a root with stray bits': `${ORIGIN}\n1\n${root.slice(0, -2)}d=\n\n${signature}`,
      'a root in base64url': `${ORIGIN}\n1\n${encodeBase64url(new Uint8Array(32).fill(255))}=\n\n${signature}`,
      'an empty further line': `${ORIGIN}\n1\n${root}\n\nmore\n\n${signature}`,
      'a control character': note.replace(ORIGIN, `${ORIGIN}\r`),
      'a signature of one byte': `${ORIGIN}\n1\n${root}\n\n— ${ORIGIN} AA==\n`,
      'a hyphen for the dash': note.replace('—', '-'),
      'a lone surrogate': note.replace(ORIGIN, `${ORIGIN}\ud800`),
      'too long': note + '— x.example AAAAAAAAAAAA\n'.repeat(10_000),
    })) {
      assert.throws(() => parseTreeHead(text), refused('tree-invalid'), what);
    }
  });

  test('is never read from arbitrary text', () =>
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        assert.throws(() => parseTreeHead(text), refused('tree-invalid'));
      }),
      RUNS,
    ));

  test('is not signed with a key that the tools for notes do not know', async () => {
    const es256 = await generateSigner('ES256');
    const signing = signTreeHead(webCrypto, es256, ORIGIN, { size: 0, root: ROOT });
    await assert.rejects(signing, refused('tree-invalid'));
  });
});

test('the verifier key is the one that Go’s note package makes of the same key', async () => {
  const known = 'PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW';
  const raw = Uint8Array.fromBase64(known.split('+').slice(2).join('+')).subarray(1);
  const key = { kty: 'OKP', crv: 'Ed25519', x: encodeBase64url(raw) } as const;
  assert.equal(await treeVerifierKey(webCrypto, 'PeterNeumann', key), known);
});

describe('a leaf', () => {
  test('has one text, with its members in order', async () => {
    const { log } = await newAccount('alice@example.com');
    const text = formatTreeLeaf(log);
    const { hash, seq } = log.head;
    assert.equal(
      text,
      `{"head":"${hash}","seq":${seq},"sub":"alice@example.com","sub_id":"${log.identity}"}`,
    );
    const { name, identity, head } = log;
    assert.deepEqual(parseTreeLeaf(text), { name, identity, head });
    assert.deepEqual(parseTreeLeaf(new TextEncoder().encode(text)), { name, identity, head });
  });

  test('in any other text is refused', async () => {
    const text = formatTreeLeaf((await newAccount('alice@example.com')).log);
    for (const other of [
      '',
      '{}',
      'null',
      ` ${text}`,
      text.replace('"seq":0', '"seq":0.0'),
      text.replace('"seq":0', '"seq":-1'),
      text.replace('"seq":0', `"seq":0,"at":${NOW}`),
      text.replace('alice', '\\u0061lice'),
      text.replace('alice@example.com', 'ALICE@example.com'),
      JSON.stringify(Object.fromEntries(Object.entries(JSON.parse(text)).reverse())),
    ]) {
      assert.notEqual(other, text);
      assert.throws(() => parseTreeLeaf(other), refused('tree-invalid'), other);
    }
    assert.throws(() => parseTreeLeaf(new Uint8Array([0x7b, 0xff])), refused('tree-invalid'));
  });
});
