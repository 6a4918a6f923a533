import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { encodeBase64url } from '../src/base64url.ts';
import { openRequest, parseRequest, RequestStatement, verifyRequest } from '../src/request.ts';
import { type SealedContent, sealContent } from '../src/sealing.ts';
import { signStatement } from '../src/statement.ts';
import { webCrypto } from '../src/webcrypto.ts';
import { ask, BROKER, NOW, newAccount, type TestAccount } from './fixtures.ts';
import { refused } from './refused.ts';
import { payloadOf } from './tamper.ts';

let alice: TestAccount;
let shop: TestAccount;
before(async () => {
  alice = await newAccount('alice@example.com', { devices: 2 });
  shop = await newAccount('shop@example.com');
});

async function receive(jws: string) {
  const statement = await parseRequest(webCrypto, jws);
  const verified = await verifyRequest(webCrypto, statement, shop.log, { now: NOW, brokers: [BROKER] });
  return openRequest(webCrypto, verified, alice.epochs);
}

/** A request with any payload, signed by the enquirer itself. */
async function forge(base: string, changed: object): Promise<string> {
  const payload = { ...payloadOf(base), ...changed };
  return (await signStatement(webCrypto, RequestStatement, shop.devices[0]!.signer, payload)).jws;
}

describe('a sealed question that breaks the rules is refused by the device', () => {
  const good = { kind: 'login', parts: [{ type: 'p', text: 'a' }], salt: 'A'.repeat(22) };
  const text = (value: string) => ({ ...good, parts: [{ type: 'p', text: value }] });
  const commitment = { alg: 'argon2id', m: 8, t: 1, p: 1, salt: 'A'.repeat(22), hash: 'A'.repeat(43) };

  async function sealed(content: unknown, change: (s: SealedContent) => SealedContent = (s) => s) {
    const base = (await ask(shop, alice)).statement.jws;
    const { jti, iss_id, sub_id } = payloadOf(base);
    const binding = [jti, iss_id, sub_id];
    const made = await sealContent(webCrypto, alice.log.epoch, 'countersign request 1', binding, content);
    return forge(base, { sealed: change(made.sealed) });
  }

  test('though a good one is read', async () => {
    assert.deepEqual((await receive(await sealed(good))).question, good);
  });

  for (const [what, content] of [
    ['a bidi override', text('a\u202Eb')],
    ['an empty text', text('')],
    ['1025 bytes', text('a'.repeat(1025))],
    [
      '1025 bytes in two parts',
      { ...good, parts: [513, 512].map((n) => ({ type: 'p', text: 'a'.repeat(n) })) },
    ],
    ['8193 bytes of fields', { ...good, fields: [{ name: 'a', value: 'b'.repeat(8192) }] }],
    ['a link in a field', { ...good, fields: [{ name: 'a', value: 'https://evil.example' }] }],
    ['a long name of a field', { ...good, fields: [{ name: 'a'.repeat(65), value: 'b' }] }],
    ['no parts', { ...good, parts: [] }],
    ['buttons alone', { ...good, parts: [{ type: 'button', value: 'accept', text: 'a' }] }],
    ['a button that does something else', { ...good, parts: [{ type: 'button', value: 'run', text: 'a' }] }],
    ['a part of another type', { ...good, parts: [{ type: 'script', text: 'a' }] }],
    ['a member that nobody would show', { ...good, html: '<b>' }],
    ['another kind', { ...good, kind: 'anything' }],
    ['no salt', { ...good, salt: undefined }],
    ['uv that is false', { ...good, uv: false }],
    ['another hash for the passcode', { ...good, passcode: { ...commitment, alg: 'md5' } }],
    ['more lanes than memory for the passcode', { ...good, passcode: { ...commitment, p: 16 } }],
    ['terabytes for the passcode', { ...good, passcode: { ...commitment, m: 2 ** 31 } }],
    ['a list', [good]],
    ['null', null],
  ] as const) {
    test(what, async () => {
      await assert.rejects(receive(await sealed(content)), refused('statement-malformed'));
    });
  }

  test('a digest of other words', async () => {
    const jws = await sealed(good, (s) => ({ ...s, digest: encodeBase64url(new Uint8Array(32)) }));
    await assert.rejects(receive(jws), refused('digest-mismatch'));
  });

  test('bytes that are not UTF-8', async () => {
    const base = (await ask(shop, alice)).statement.jws;
    const { jti, iss_id, sub_id } = payloadOf(base);
    const encode = (value: string) => new TextEncoder().encode(value);
    const bytes = Uint8Array.of(0x22, 0xff, 0x22);
    const aad = encode(JSON.stringify([jti, iss_id, sub_id]));
    const box = await webCrypto.seal(alice.log.epoch.key, bytes, encode('countersign request 1'), aad);
    const digest = encodeBase64url(await webCrypto.sha256(bytes));
    const jws = await forge(base, { sealed: { epoch: 0, digest, box: encodeBase64url(box) } });
    await assert.rejects(receive(jws), refused('json-invalid'));
  });
});

describe('a question that may not be shown', () => {
  const parts = (...texts: string[]) => ({ parts: texts.map((text) => ({ type: 'p', text })) });
  const fields = (...names: string[]) => ({ fields: names.map((name) => ({ name, value: 'b' })) });
  for (const [what, code, asked] of [
    ['a bidi override', 'text-refused', parts('a\u202Eb')],
    ['a link', 'text-refused', parts('https://x.example')],
    ['an empty text', 'text-refused', parts('')],
    ['a link in a field', 'text-refused', fields('https://x.example')],
    ['more than 32 parts', 'text-refused', parts(...'a'.repeat(33))],
    ['more than 64 fields', 'text-refused', fields(...'a'.repeat(65))],
    ['too many bytes of one text', 'text-too-long', parts('a'.repeat(1025))],
    ['too many bytes of all texts', 'text-too-long', parts('a'.repeat(512), 'a'.repeat(513))],
    ['too many bytes of a field’s name', 'text-too-long', fields('a'.repeat(65))],
    ['too many bytes of fields', 'text-too-long', { fields: [{ name: 'a', value: 'b'.repeat(8192) }] }],
    ['no parts', 'statement-malformed', parts()],
  ] as const) {
    test(`is not asked: ${what}`, async () => {
      await assert.rejects(ask(shop, alice, asked as unknown as object), refused(code));
    });
  }
});
