/**
 * Vectors of the codes that people carry, and of the links that go with them.
 * @module
 */
import {
  drawRecoveryCode,
  type ErrorCode,
  encodeBase64url,
  formatDeviceLink,
  keyFingerprint,
  pinTicket,
  RECOVERY_KEY,
  ticketHash,
} from '@countersign/core';
import { deriveSigner, webCrypto } from '@countersign/core/webcrypto';
import { QUICK, SALT } from './asking.ts';
import { REQ } from './kinds.ts';
import { ALICE } from './log-vectors.ts';
import { invalid, type Vector, type VectorFile, valid } from './vector.ts';
import { BROKER } from './world.ts';

export const PIN = 'ABCD-EFGH-IJKL-MNOP-QRST-UVWX';

export async function secretCodes(): Promise<VectorFile> {
  const utf8 = new TextEncoder();
  const ticket = await pinTicket(webCrypto, PIN);
  const proven = { pin: PIN, ticket, ticket_hash: await ticketHash(webCrypto, ticket) };
  const binding = ['enrol', ALICE, REQ, REQ];
  const secret = utf8.encode(JSON.stringify(['ABCDEFGH', ...binding])).toHex();
  const hash = await webCrypto.argon2id(utf8.encode(secret), {
    memory: QUICK.m,
    passes: QUICK.t,
    lanes: QUICK.p,
    salt: new Uint8Array(16).fill(9),
    length: 32,
  });
  const commitment = { ...QUICK, salt: SALT, hash: encodeBase64url(hash) };
  const code = (name: string, comment: string, typed: string, good = true) =>
    good
      ? valid(name, comment, { op: 'code', typed }, { code: 'ABCD-EFGH' })
      : invalid(name, comment, 'code-wrong', { op: 'code', typed });
  const pin = (name: string, comment: string, typed: string, good = true) =>
    good
      ? valid(name, comment, { op: 'pin', typed }, proven)
      : invalid(name, comment, 'pin-wrong', { op: 'pin', typed });
  const witness = (name: string, comment: string, typed: string, bound: readonly string[], good = true) => {
    const input = { op: 'witness', commitment, typed, binding: bound };
    return good ? valid(name, comment, input, { secret }) : invalid(name, comment, 'code-wrong', input);
  };
  return {
    description:
      'Codes and PINs as they were typed (`op` code, pin), with the ticket of a PIN, and its hash; and commitments to a code that is bound to `binding` (`op` witness), with the secret that Argon2id is given.',
    spec: 'enrolment.md#codes',
    vectors: [
      code('code', 'as it is shown', 'ABCD-EFGH'),
      code('code-small', 'in small letters, without a dash', 'abcdefgh'),
      code('code-groups', 'in other groups', ' ab cd-ef gh\n'),
      code('code-short', 'a letter too few', 'ABCD-EFG', false),
      code('code-long', 'a letter too many', 'ABCD-EFGHI', false),
      code('code-digit', 'a digit that Base32 has not', 'ABCD-EFG1', false),
      code('code-not-ascii', 'a letter that Base32 has not', 'ÄBCD-EFGH', false),
      code('code-empty', 'nothing', '', false),
      pin('pin', 'as it is printed', PIN),
      pin('pin-small', 'in small letters, without dashes', PIN.toLowerCase().replaceAll('-', '')),
      pin('pin-short', 'a letter too few', PIN.slice(0, -1), false),
      pin('pin-a-code', 'a code is no PIN', 'ABCD-EFGH', false),
      witness('witness', 'the code that was committed to', 'ABCD-EFGH', binding),
      witness('witness-small', 'in small letters', 'abcd efgh', binding),
      witness('witness-other-code', 'another code', 'ABCD-EFGG', binding, false),
      witness(
        'witness-other-purpose',
        'sent back by the other side',
        'ABCD-EFGH',
        binding.with(0, 'accept'),
        false,
      ),
      witness(
        'witness-other-name',
        'for another account',
        'ABCD-EFGH',
        binding.with(1, 'bob@example.com'),
        false,
      ),
      witness(
        'witness-other-identity',
        'for another account of this name',
        'ABCD-EFGH',
        binding.with(2, SALT),
        false,
      ),
      witness('witness-other-device', 'for other keys', 'ABCD-EFGH', binding.with(3, SALT), false),
    ],
  };
}

export async function recoveryCode(): Promise<VectorFile> {
  const vectors: Vector[] = [];
  const codeOf = (secret: Uint8Array<ArrayBuffer>) =>
    drawRecoveryCode({ ...webCrypto, randomBytes: () => secret });
  const good = async (
    name: string,
    comment: string,
    secret: Uint8Array<ArrayBuffer>,
    spelt = (code: string) => code,
  ) => {
    const { publicKey } = await deriveSigner(secret, RECOVERY_KEY);
    const kid = await keyFingerprint(webCrypto, publicKey);
    vectors.push(
      valid(
        name,
        comment,
        { typed: spelt(await codeOf(secret)) },
        { secret: secret.toHex(), key: publicKey, kid },
      ),
    );
  };
  const secret = new Uint8Array(await webCrypto.sha256(new TextEncoder().encode('a recovery code'))).slice(
    0,
    16,
  );
  await good('code', 'as it is printed', secret);
  await good('zeros', 'of 16 bytes of zeros', new Uint8Array(16));
  await good('ones', 'of 128 bits of ones', new Uint8Array(16).fill(255));
  await good('small', 'in small letters, without dashes', secret, (code) =>
    code.toLowerCase().replaceAll('-', ''),
  );
  await good('spaces', 'with white space', secret, (code) => ` ${code.replaceAll('-', ' ')}\n`);
  const code = await codeOf(secret);
  const swap = (letter: string) => (letter === 'A' ? 'B' : 'A');
  for (const [name, comment, typed] of [
    ['first-letter', 'its first letter mistyped', swap(code[0]!) + code.slice(1)],
    ['last-letter', 'its last letter mistyped', code.slice(0, -1) + swap(code.at(-1)!)],
    ['neighbours', 'two neighbours exchanged', code[1]! + code[0]! + code.slice(2)],
    ['short', 'a letter too few', code.slice(0, -1)],
    ['long', 'a letter too many', `${code}A`],
    ['digit', 'a digit that Base32 has not', `${code.slice(0, -1)}1`],
    ['empty', 'nothing', ''],
  ] as const) {
    vectors.push(invalid(name, comment, 'recovery-invalid', { typed }));
  }
  return {
    description: 'Printed codes as they were typed, with the secret in them (hex) and the recovery key.',
    spec: 'device-log.md#recovery-code',
    vectors,
  };
}

export async function deviceLinks(): Promise<VectorFile> {
  const link = { name: ALICE, identity: REQ, broker: BROKER, use: 'knock', pin: PIN } as const;
  const text = formatDeviceLink(link);
  const bad = (name: string, comment: string, code: ErrorCode, changed: string) =>
    invalid(name, comment, code, { text: changed });
  return {
    description: 'The link that carries a PIN to a new device.',
    spec: 'enrolment.md#device-link',
    vectors: [
      valid('knock', 'a PIN to knock with', { text }, link),
      valid(
        'admit',
        'a PIN that lets it in',
        { text: formatDeviceLink({ ...link, use: 'admit' }) },
        { ...link, use: 'admit' },
      ),
      bad('no-pin', 'an account link', 'link-invalid', text.replace(/&knock=.*/, '')),
      bad('two-pins', 'a PIN twice', 'link-invalid', `${text}&knock=${PIN}`),
      bad('both', 'a PIN of each use', 'link-invalid', `${text}&admit=${PIN}`),
      bad('other-use', 'another parameter', 'link-invalid', text.replace('knock', 'enter')),
      bad('no-identity', 'no id', 'link-invalid', text.replace(/id=[^&]*&/, '')),
      bad('two-identities', 'an id twice', 'link-invalid', `${text}&id=${REQ}`),
      bad('pin-short', 'a PIN that is none', 'pin-wrong', text.slice(0, -1)),
      bad('name', 'a name that is none', 'name-invalid', text.replace('alice@', 'alice')),
    ],
  };
}
