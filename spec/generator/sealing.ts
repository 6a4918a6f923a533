/**
 * Vectors of what is sealed.
 * @module
 */
import { createHash } from 'node:crypto';
import { decodeBase64url, type ErrorCode, encodeBase64url, sealContent, sealEpoch } from '@countersign/core';
import { HASH, PURPOSE, SALT } from './asking.ts';
import { invalid, type VectorFile, valid } from './vector.ts';
import { sealingJwk, seeded } from './world.ts';

export async function sealing(): Promise<VectorFile> {
  const key = sealingJwk('sealing');
  const { d: _, ...publicKey } = key;
  const text = new TextEncoder();
  const content = { kind: 'login', parts: [{ type: 'p', text: 'Log in?' }], salt: SALT };
  const binding = ['AAAAAAAAAAAAAAAAAAAAAA', HASH, HASH];
  const { sealed, plaintext } = await sealContent(
    seeded('sealing'),
    { n: 0, key: publicKey },
    PURPOSE.request,
    binding,
    content,
  );
  const base = {
    private_key: key,
    info: PURPOSE.request,
    aad: JSON.stringify(binding),
    digest: sealed.digest,
    box: sealed.box,
  };
  const bytes = decodeBase64url(sealed.box);
  const flipped = (at: number) => encodeBase64url(bytes.with(at, bytes[at]! ^ 1));
  const box = await seeded('not utf-8').seal(
    publicKey,
    Uint8Array.of(0x22, 0xff, 0x22),
    text.encode(base.info),
    text.encode(base.aad),
  );
  const marked = `\ufeff${plaintext}`;
  const markedBox = await seeded('byte order mark').seal(
    publicKey,
    text.encode(marked),
    text.encode(base.info),
    text.encode(base.aad),
  );
  const kid = 'MDDK-7N6A-727A-JZNO-STRX-XKS7-DJAF';
  const epochKey = sealingJwk('sealing epoch');
  const { d: __, ...epochPublic } = epochKey;
  const epochText = JSON.stringify(epochKey);
  const epochBox = await sealEpoch(
    seeded('sealing an epoch'),
    'alice@example.com',
    3,
    { key: epochPublic, privateKey: epochText },
    { kid, enc: publicKey },
  );
  const epochBase = {
    private_key: key,
    info: PURPOSE.epoch,
    aad: JSON.stringify(['alice@example.com', 3, kid]),
    digest: createHash('sha256').update(epochText).digest('base64url'),
    box: epochBox,
  };
  const bad = (name: string, comment: string, code: ErrorCode, changed: object) =>
    invalid(name, comment, code, { ...base, ...changed });
  return {
    description:
      'What is sealed: `box` opened with `private_key` (a test key), `info` and `aad` being UTF-8 text, and the plaintext compared with `digest`. Of an epoch’s key the statement carries no digest; it is given here to the same end.',
    spec: 'requests.md#sealing',
    vectors: [
      valid('request', 'the content of a request', base, { plaintext }),
      valid('epoch', 'an epoch’s private key, sealed to a device', epochBase, { plaintext: epochText }),
      valid(
        'byte-order-mark',
        'a byte order mark is part of what was sealed; as JSON it is refused later',
        {
          ...base,
          digest: createHash('sha256').update(marked).digest('base64url'),
          box: encodeBase64url(markedBox),
        },
        { plaintext: marked },
      ),
      bad('byte-order-mark-dropped', 'it does not vanish: the digest is not of the rest', 'digest-mismatch', {
        box: encodeBase64url(markedBox),
      }),
      bad('box-flipped', 'a bit of the ciphertext turned', 'seal-broken', { box: flipped(40) }),
      bad('tag-flipped', 'a bit of the tag turned', 'seal-broken', { box: flipped(bytes.length - 1) }),
      bad('enc-flipped', 'a bit of the ephemeral key turned', 'seal-broken', { box: flipped(3) }),
      bad('enc-zero', 'an ephemeral key of small order', 'seal-broken', {
        box: encodeBase64url(new Uint8Array([...new Uint8Array(32), ...bytes.slice(32)])),
      }),
      bad('too-short', 'no ciphertext', 'seal-broken', { box: encodeBase64url(bytes.slice(0, 32)) }),
      bad('truncated', 'the last byte cut off', 'seal-broken', { box: encodeBase64url(bytes.slice(0, -1)) }),
      bad('other-key', 'sealed to another key', 'seal-broken', {
        private_key: sealingJwk('another sealing key'),
      }),
      bad('other-info', 'sealed as something else', 'seal-broken', { info: PURPOSE.response }),
      bad('other-aad', 'torn from its clear members', 'seal-broken', {
        aad: JSON.stringify([...binding].with(0, 'BAAAAAAAAAAAAAAAAAAAAA')),
      }),
      bad('other-digest', 'not what the statement’s digest says', 'digest-mismatch', { digest: HASH }),
      bad('not-utf8', 'sealed bytes that are not UTF-8', 'json-invalid', { box: encodeBase64url(box) }),
    ],
  };
}
