/**
 * Vectors of the codes that people carry, and of the links and invitations that go with them.
 * @module
 */
import {
  createInvitation,
  drawRecoveryCode,
  type ErrorCode,
  encodeBase64url,
  formatDeviceLink,
  InvitationStatement,
  keyFingerprint,
  type NewInvitation,
  pinTicket,
  RECOVERY_KEY,
  sealContent,
  signStatement,
  ticketHash,
} from '@countersign/core';
import { deriveSigner, webCrypto } from '@countersign/core/webcrypto';
import { extended, newAccount, revokeEntry, type TestAccount, withDevice } from './accounts.ts';
import { QUICK, SALT } from './asking.ts';
import { REQ } from './kinds.ts';
import { ALICE } from './log-vectors.ts';
import type { Memory } from './memory.ts';
import { freezeEntry } from './recoverable.ts';
import {
  flipMembers,
  flipSignature,
  invalid,
  payloadOf,
  type Vector,
  type VectorFile,
  valid,
} from './vector.ts';
import { ALGORITHMS, BROKER, NOW, seeded, signLoose, type TestDevice, testDevice } from './world.ts';

const PIN = 'ABCD-EFGH-IJKL-MNOP-QRST-UVWX';

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

export async function invitation(memory: Memory): Promise<VectorFile> {
  const vectors: Vector[] = [];
  const inputOf = (jws: string, { log, epochs }: TestAccount) => ({
    invitation: jws,
    entries: log.entries,
    epoch_private_keys: epochs,
  });
  const invite = (account: TestAccount, by: TestDevice, changed: Partial<NewInvitation> = {}) =>
    createInvitation(seeded('invitation'), by.signer, account.log, {
      use: 'admit',
      rights: ['answer', 'pay'],
      lifetime: 86_400,
      now: NOW,
      ...changed,
    });
  const good = async (
    name: string,
    comment: string,
    account: TestAccount,
    by: TestDevice,
    changed: Partial<NewInvitation> = {},
    known = account,
  ) => {
    const { statement, pin } = await invite(known, by, changed);
    const { use, rights, exp } = statement.payload;
    vectors.push(
      valid(name, comment, inputOf(statement.jws, account), { use, ...(rights ? { rights } : {}), exp, pin }),
    );
  };
  for (const algorithm of ALGORITHMS) {
    const alice = await newAccount(memory, ALICE, algorithm);
    const [laptop] = alice.devices as [TestDevice];
    await good(`${algorithm}-good`, 'a PIN that lets a device in', alice, laptop);
    const { jws } = (await invite(alice, laptop)).statement;
    const bad = (name: string, comment: string, code: ErrorCode, altered: string) =>
      vectors.push(invalid(`${algorithm}-${name}`, comment, code, inputOf(altered, alice)));
    bad('signature-flipped', 'one bit of the signature turned', 'signature-invalid', flipSignature(jws));
    const special = { use: 'knock', 'rights.0': 'ask', 'rights.1': 'admit' };
    const codes: Record<string, ErrorCode> = {
      sub: 'account-mismatch',
      sub_id: 'account-mismatch',
      'head.seq': 'log-rollback',
      'head.hash': 'log-fork',
    };
    for (const { path, jws: altered } of flipMembers(jws, special)) {
      bad(
        `${path}-flipped`,
        `${path} changed under the old signature`,
        codes[path] ?? 'signature-invalid',
        altered,
      );
    }
  }
  const alice = await withDevice(await newAccount(memory, ALICE), 'phone', { rights: ['admit', 'answer'] });
  const [laptop, phone] = alice.devices as [TestDevice, TestDevice];
  await good('knock', 'a PIN that only lets devices wait', alice, laptop, {
    use: 'knock',
    rights: undefined as never,
  });
  await good('own-rights', 'rights that its device has', alice, phone, { rights: ['answer'] });
  const later = await withDevice(alice, 'tablet');
  await good('older-head', 'the log has grown since', later, phone, { rights: ['answer'] }, alice);
  const bad = async (
    name: string,
    comment: string,
    code: ErrorCode,
    by: TestDevice,
    account = alice,
    known = alice,
    rights: NewInvitation['rights'] = ['answer'],
  ) =>
    vectors.push(
      invalid(
        name,
        comment,
        code,
        inputOf((await invite(known, by, { rights: rights! })).statement.jws, account),
      ),
    );
  await bad('rights-beyond', 'a right that its device has not', 'device-not-entitled', phone, alice, alice, [
    'pay',
  ]);
  const answering = await withDevice(alice, 'tablet', { rights: ['answer'] });
  await bad(
    'admit-missing',
    'by a device without the right to admit',
    'device-not-entitled',
    answering.devices[2]!,
    answering,
    answering,
  );
  await bad(
    'stranger',
    'by a device that is not in the account',
    'device-unknown',
    await testDevice(memory, 'broker'),
  );
  await bad(
    'revoked',
    'its device was revoked since',
    'device-revoked',
    phone,
    await extended(alice, await revokeEntry(alice, phone.kid)),
  );
  await bad(
    'frozen',
    'its device was frozen since',
    'device-frozen',
    phone,
    await extended(alice, await freezeEntry(alice, laptop, phone.kid)),
  );
  await bad('longer-head', 'its device knew a longer log', 'log-rollback', laptop, alice, later);
  const { statement } = await invite(alice, laptop);
  const signed = async (name: string, comment: string, code: ErrorCode, changed: object) =>
    vectors.push(
      invalid(
        name,
        comment,
        code,
        inputOf(await signLoose(laptop, 'invitation', { ...payloadOf(statement.jws), ...changed }), alice),
      ),
    );
  await signed('other-ticket', 'the PIN was sealed beside another ticket', 'seal-broken', { ticket: REQ });
  const elsewhere = await newAccount(memory, 'bob@example.com');
  await signed('sealed-to-another', 'sealed to another account', 'seal-broken', {
    sealed: (await invite(elsewhere, elsewhere.devices[0]!)).statement.payload.sealed,
  });
  await signed('digest-other', 'the digest of another PIN', 'digest-mismatch', {
    sealed: { ...statement.payload.sealed, digest: REQ },
  });
  const seal = async (content: unknown) => {
    const { ticket, sub_id } = statement.payload;
    const { sealed } = await sealContent(
      seeded('pin'),
      alice.log.epoch,
      'countersign invitation 1',
      [sub_id, ticket],
      content,
    );
    return { sealed };
  };
  await signed(
    'pin-without-salt',
    'a sealed PIN without its salt',
    'statement-malformed',
    await seal({ pin: PIN }),
  );
  await signed(
    'pin-too-long',
    'a sealed PIN of more than 64 characters',
    'statement-malformed',
    await seal({ salt: SALT, pin: 'A'.repeat(65) }),
  );
  for (const [name, comment, changed] of [
    ['use-unknown', 'a use that there is not', { use: 'enter' }],
    ['rights-empty', 'no rights', { rights: [] }],
    ['exp-missing', 'without an end', { exp: undefined }],
    ['head-missing', 'without a head', { head: undefined }],
    ['member-more', 'a further member', { pin: PIN }],
  ] as const) {
    await signed(name, comment, 'statement-malformed', changed);
  }
  const { jws } = await signStatement(webCrypto, InvitationStatement, laptop.signer, statement.payload);
  vectors.push(
    invalid(
      'other-account',
      'read by the log of another account',
      'account-mismatch',
      inputOf(jws, elsewhere),
    ),
    invalid(
      'wrong-typ',
      'the same payload as another kind',
      'statement-type',
      inputOf(await signLoose(laptop, 'enrolment', statement.payload), alice),
    ),
  );
  return {
    description:
      'Invitations, read by a device of the account: by its log, `entries`, and by the private keys of its epochs, by number.',
    spec: 'enrolment.md#invitation',
    vectors,
  };
}
