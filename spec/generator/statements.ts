/**
 * Vectors of what holds for every statement, whatever its kind.
 * @module
 */
import {
  CancelStatement,
  encodeBase64url,
  keyFingerprint,
  type SignatureAlgorithm,
  signStatement,
} from '@countersign/core';
import { webCrypto } from '@countersign/core/webcrypto';
import { expectOf, REQ } from './kinds.ts';
import type { Memory } from './memory.ts';
import { mixedKey, signMixed, signWithoutNonce, WEAK_KEY, WEAK_SIGNATURE } from './small-order.ts';
import {
  duplicateMember,
  flipSignature,
  invalid,
  strayBits,
  tamper,
  type Vector,
  type VectorFile,
  valid,
  withPart,
} from './vector.ts';
import { ALGORITHMS, NOW, publicOf, signingJwk, signLoose, signText, testDevice } from './world.ts';

/** A statement that is good, and one for each way in which a statement of any kind can be bad. */
async function formVectors(memory: Memory, algorithm: SignatureAlgorithm): Promise<Vector[]> {
  const device = await testDevice(memory, 'statements', algorithm);
  const typ = CancelStatement.typ;
  const key = publicOf(device);
  const payload = { req: REQ, iat: NOW };
  const { jws } = await signStatement(webCrypto, CancelStatement, device.signer, payload);
  const other = await testDevice(memory, 'another', algorithm);
  const json = JSON.stringify(payload);
  const head = { alg: algorithm, typ, kid: device.kid };
  const header = (members: object) => JSON.stringify(members);
  const bad = (
    name: string,
    comment: string,
    code: Parameters<typeof invalid>[2],
    statement: string,
    by: object = key,
  ) => invalid(`${algorithm}-${name}`, comment, code, { typ, key: by, statement });
  const { kid: _, ...noKid } = head;
  return [
    valid(
      `${algorithm}-good`,
      'a cancel statement',
      { typ, key, statement: jws },
      await expectOf(jws, device),
    ),
    valid(
      `${algorithm}-other-spelling`,
      'members in another order, and white space: the signature is over the bytes as they are',
      {
        typ,
        key,
        statement: await signText(
          device,
          header({ kid: device.kid, typ, alg: algorithm }),
          `{ "iat": ${NOW}, "req": "${REQ}" }`,
        ),
      },
    ),
    valid(`${algorithm}-number-spelling`, 'a number counts by its value, however it is spelled', {
      typ,
      key,
      statement: await signLoose(device, 'cancel', `{"req":"${REQ}","iat":${NOW / 1e9}e9}`),
    }),
    bad('signature-flipped', 'one bit of the signature turned', 'signature-invalid', flipSignature(jws)),
    bad('signature-empty', 'no signature', 'signature-invalid', withPart(jws, 2, '')),
    bad(
      'signature-short',
      '63 bytes',
      'signature-invalid',
      withPart(jws, 2, encodeBase64url(new Uint8Array(63))),
    ),
    bad(
      'signature-zero',
      'all zeros',
      'signature-invalid',
      withPart(jws, 2, encodeBase64url(new Uint8Array(64))),
    ),
    bad(
      'signature-stray-bits',
      'the same signature in a text that is not canonical',
      'encoding-invalid',
      withPart(jws, 2, strayBits(jws.split('.')[2]!)),
    ),
    bad('signature-padded', 'the same signature with padding', 'encoding-invalid', `${jws}==`),
    bad(
      'payload-req-flipped',
      'another request under the old signature',
      'signature-invalid',
      tamper(jws, (p) => {
        p.req = `A${p.req.slice(1)}`;
      }),
    ),
    bad(
      'payload-iat-flipped',
      'another time under the old signature',
      'signature-invalid',
      tamper(jws, (p) => {
        p.iat++;
      }),
    ),
    bad(
      'header-alg-flipped',
      'the other algorithm under the old signature',
      'signature-invalid',
      tamper(jws, (_p, h) => {
        h.alg = algorithm === 'EdDSA' ? 'ES256' : 'EdDSA';
      }),
    ),
    bad(
      'header-kid-flipped',
      'another key named',
      'signature-invalid',
      tamper(jws, (_p, h) => {
        h.kid = other.kid;
      }),
    ),
    bad(
      'header-typ-flipped',
      'another kind named',
      'statement-type',
      tamper(jws, (_p, h) => {
        h.typ = 'countersign-report+jwt';
      }),
    ),
    bad(
      'other-key',
      'by another key than the expected one',
      'signature-invalid',
      await signLoose(other, 'cancel', payload),
    ),
    bad(
      'kid-of-other-key',
      'by the right key, which names another',
      'signature-invalid',
      await signLoose(device, 'cancel', payload, { kid: other.kid }),
    ),
    bad(
      'wrong-typ',
      'a report, by the right key: of the same form, and another kind',
      'statement-type',
      await signLoose(device, 'report', payload),
    ),
    bad(
      'typ-jwt',
      'a plain JWT',
      'statement-type',
      await signLoose(device, 'cancel', payload, { typ: 'JWT' }),
    ),
    bad(
      'typ-case',
      'typ is compared as it stands',
      'statement-type',
      await signLoose(device, 'cancel', payload, { typ: 'countersign-CANCEL+jwt' }),
    ),
    bad(
      'alg-none',
      'no algorithm but two',
      'statement-malformed',
      await signLoose(device, 'cancel', payload, { alg: 'none' }),
    ),
    bad(
      'alg-hs256',
      'no shared secrets',
      'statement-malformed',
      await signLoose(device, 'cancel', payload, { alg: 'HS256' }),
    ),
    bad(
      'alg-ed25519',
      'RFC 9864’s name is not used: one name a thing',
      'statement-malformed',
      await signLoose(device, 'cancel', payload, { alg: 'Ed25519' }),
    ),
    bad(
      'header-without-kid',
      'a header member missing',
      'statement-malformed',
      await signText(device, header(noKid), json),
    ),
    bad(
      'header-more',
      'a further header member',
      'statement-malformed',
      await signLoose(device, 'cancel', payload, { jwk: key }),
    ),
    bad(
      'header-crit',
      'no extensions',
      'statement-malformed',
      await signLoose(device, 'cancel', payload, { crit: ['exp'] }),
    ),
    bad(
      'header-duplicate',
      'a header member twice',
      'json-invalid',
      await signText(device, duplicateMember(head, 'alg'), json),
    ),
    bad('header-not-json', 'a header that is not JSON', 'json-invalid', await signText(device, 'alg', json)),
    bad(
      'header-array',
      'a header that is no object',
      'statement-malformed',
      await signText(device, '[]', json),
    ),
    bad(
      'payload-duplicate',
      'a payload member twice',
      'json-invalid',
      await signLoose(device, 'cancel', duplicateMember(payload, 'req')),
    ),
    bad(
      'payload-not-json',
      'a payload that is not JSON',
      'json-invalid',
      await signLoose(device, 'cancel', 'req'),
    ),
    bad(
      'payload-not-utf8',
      'a payload that is not UTF-8',
      'json-invalid',
      await signText(device, header(head), Uint8Array.of(0x7b, 0xff, 0x7d)),
    ),
    bad(
      'payload-more',
      'a further member',
      'statement-malformed',
      await signLoose(device, 'cancel', { ...payload, x: 1 }),
    ),
    bad(
      'payload-less',
      'a member missing',
      'statement-malformed',
      await signLoose(device, 'cancel', { req: REQ }),
    ),
    bad(
      'payload-null',
      'null is not absent',
      'statement-malformed',
      await signLoose(device, 'cancel', { ...payload, iat: null }),
    ),
    bad(
      'payload-iat-text',
      'a number as text',
      'statement-malformed',
      await signLoose(device, 'cancel', { ...payload, iat: String(NOW) }),
    ),
    bad(
      'payload-iat-fraction',
      'times are whole',
      'statement-malformed',
      await signLoose(device, 'cancel', { ...payload, iat: NOW + 0.5 }),
    ),
    bad(
      'payload-iat-negative',
      'and not before 1970',
      'statement-malformed',
      await signLoose(device, 'cancel', { ...payload, iat: -1 }),
    ),
    bad(
      'payload-iat-2101',
      'and not after 2099',
      'statement-malformed',
      await signLoose(device, 'cancel', { ...payload, iat: 4_102_444_801 }),
    ),
    bad(
      'payload-req-stray-bits',
      'a hash that is not canonical',
      'statement-malformed',
      await signLoose(device, 'cancel', { ...payload, req: strayBits(REQ) }),
    ),
    bad(
      'payload-req-short',
      'a hash of 31 bytes',
      'statement-malformed',
      await signLoose(device, 'cancel', { ...payload, req: encodeBase64url(new Uint8Array(31)) }),
    ),
    bad(
      'payload-stray-bits',
      'the same payload in a text that is not canonical',
      'encoding-invalid',
      withPart(jws, 1, strayPadded(jws.split('.')[1]!)),
    ),
    bad(
      'payload-other-alphabet',
      'a letter of the other alphabet',
      'encoding-invalid',
      withPart(jws, 1, `${jws.split('.')[1]!.slice(0, -1)}+`),
    ),
    bad('two-parts', 'no compact JWS', 'statement-malformed', jws.split('.').slice(0, 2).join('.')),
    bad('four-parts', 'no compact JWS', 'statement-malformed', `${jws}.AA`),
    bad('empty', 'no compact JWS', 'statement-malformed', ''),
    bad(
      'too-long',
      'more than 65536 characters',
      'statement-malformed',
      withPart(jws, 1, 'A'.repeat(65_536)),
    ),
    bad('line-feed', 'nothing stands after the last letter', 'encoding-invalid', `${jws}\n`),
  ];
}

/** A text of the same bytes that is not canonical; one with padding where there are no spare bits. */
function strayPadded(base64: string): string {
  return base64.length % 4 === 0 ? `${base64.slice(0, -1)} ${base64.at(-1)}` : strayBits(base64);
}

export async function statements(memory: Memory): Promise<VectorFile> {
  const vectors: Vector[] = [];
  for (const algorithm of ALGORITHMS) {
    vectors.push(...(await formVectors(memory, algorithm)));
  }
  const eddsa = await testDevice(memory, 'statements', 'EdDSA');
  const { jws } = await signStatement(webCrypto, CancelStatement, eddsa.signer, { req: REQ, iat: NOW });
  const offCurve = {
    kty: 'EC',
    crv: 'P-256',
    x: encodeBase64url(new Uint8Array(32).fill(1)),
    y: encodeBase64url(new Uint8Array(32).fill(1)),
  } as const;
  const head = { alg: 'ES256', kid: await keyFingerprint(webCrypto, offCurve) };
  vectors.push(
    invalid('point-not-on-curve', 'a key that is no point of its curve', 'signature-invalid', {
      typ: CancelStatement.typ,
      key: offCurve,
      statement: await signLoose(eddsa, 'cancel', { req: REQ, iat: NOW }, head),
    }),
    invalid('key-of-other-algorithm', 'an ES256 key for an EdDSA statement', 'signature-invalid', {
      typ: CancelStatement.typ,
      key: publicOf(await testDevice(memory, 'statements', 'ES256')),
      statement: jws,
    }),
  );
  const weakKid = await keyFingerprint(webCrypto, WEAK_KEY);
  const weak = await signLoose(eddsa, 'cancel', { req: REQ, iat: NOW }, { kid: weakKid });
  const noNonce = signWithoutNonce(signingJwk('statements', 'EdDSA'), jws.slice(0, jws.lastIndexOf('.')));
  const mixed = mixedKey(publicOf(eddsa));
  const byMixed = await signLoose(
    eddsa,
    'cancel',
    { req: REQ, iat: NOW },
    { kid: await keyFingerprint(webCrypto, mixed) },
  );
  vectors.push(
    invalid(
      'cofactored',
      'a signature that is good only where the equation is multiplied by the cofactor',
      'signature-invalid',
      {
        typ: CancelStatement.typ,
        key: mixed,
        statement: withPart(
          byMixed,
          2,
          signMixed(signingJwk('statements', 'EdDSA'), mixed, byMixed.slice(0, byMixed.lastIndexOf('.'))),
        ),
      },
    ),
    invalid('key-of-small-order', 'a key by which one signature is good for any words', 'signature-invalid', {
      typ: CancelStatement.typ,
      key: WEAK_KEY,
      statement: withPart(weak, 2, WEAK_SIGNATURE),
    }),
    invalid(
      'r-of-small-order',
      'a signature whose first half is a point of small order',
      'signature-invalid',
      {
        typ: CancelStatement.typ,
        key: publicOf(eddsa),
        statement: withPart(jws, 2, noNonce),
      },
    ),
  );
  return {
    description:
      'What holds for a statement of any kind, shown on `cancel`: `statement` is read as a statement of `typ`, and verified by `key`.',
    spec: 'statements.md',
    test_private_keys: Object.fromEntries(ALGORITHMS.map((one) => [one, signingJwk('statements', one)])),
    vectors,
  };
}
