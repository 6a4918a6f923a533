/**
 * Vectors of invitations.
 * @module
 */
import {
  createInvitation,
  type ErrorCode,
  InvitationStatement,
  type NewInvitation,
  sealContent,
  signStatement,
} from '@countersign/core';
import { webCrypto } from '@countersign/core/webcrypto';
import { extended, newAccount, revokeEntry, type TestAccount, withDevice } from './accounts.ts';
import { SALT } from './asking.ts';
import { PIN } from './codes.ts';
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
import { ALGORITHMS, NOW, seeded, signLoose, type TestDevice, testDevice } from './world.ts';

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
