/**
 * Vectors of the entries that show a device out.
 * @module
 */
import type { ErrorCode, Right, SignatureAlgorithm } from '@countersign/core';
import { extended, newAccount, revokeEntry, rotateEntry, type TestAccount, withDevice } from './accounts.ts';
import { ALICE, flippedLast, goodLog, OTHER_HASH, PLACE, REPLAYED } from './log-vectors.ts';
import type { Memory } from './memory.ts';
import { revocationsByCode } from './revocations-by-code.ts';
import { flipSignature, invalid, payloadOf, TOO_LARGE, type Vector, type VectorFile } from './vector.ts';
import { ALGORITHMS, signLoose, type TestDevice, testDevice } from './world.ts';

export async function deviceRevoke(memory: Memory): Promise<VectorFile> {
  const vectors: Vector[] = [];
  const withPhone = async (algorithm: SignatureAlgorithm = 'EdDSA', rights: Right[] = ['answer', 'pay']) =>
    withDevice(await newAccount(memory, ALICE, algorithm), 'phone', { rights });
  for (const algorithm of ALGORITHMS) {
    const alice = await withPhone(algorithm);
    const phone = alice.devices[1]!;
    const after = await extended(alice, await revokeEntry(alice, phone.kid));
    const { entries } = after.log;
    vectors.push(
      await goodLog(`${algorithm}-good`, 'a device shown out', after),
      invalid(`${algorithm}-signature-flipped`, 'one bit of the signature turned', 'signature-invalid', {
        entries: entries.with(-1, flipSignature(entries.at(-1)!)),
      }),
      ...flippedLast(algorithm, entries, PLACE, { reason: 'retired', kid: alice.devices[0]!.kid }),
    );
  }
  const alice = await withPhone();
  const [laptop, phone] = alice.devices as [TestDevice, TestDevice];
  vectors.push(
    await goodLog(
      'itself',
      'a device shows itself out, with no right to admit',
      await extended(alice, await revokeEntry(alice, phone.kid, phone)),
    ),
  );
  const bad = async (
    name: string,
    comment: string,
    code: ErrorCode,
    kid: string,
    by: TestDevice,
    account = alice,
  ) =>
    vectors.push(
      invalid(name, comment, code, {
        entries: [...account.log.entries, await revokeEntry(account, kid, by)],
      }),
    );
  await bad(
    'admit-missing',
    'another device, by one without the right to admit',
    'device-not-entitled',
    laptop.kid,
    phone,
  );
  await bad(
    'unknown',
    'a device that is not in the account',
    'device-unknown',
    (await testDevice(memory, 'x')).kid,
    laptop,
  );
  await bad(
    'stranger',
    'by a device that is not in the account',
    'device-unknown',
    phone.kid,
    await testDevice(memory, 'broker'),
  );
  const revoked = await extended(alice, await revokeEntry(alice, phone.kid));
  await bad('again', 'a device that was revoked', 'device-revoked', phone.kid, laptop, revoked);
  await bad('by-revoked', 'by a device that was revoked', 'device-revoked', laptop.kid, phone, revoked);
  const retired = await extended(alice, await revokeEntry(alice, phone.kid, phone, 'retired'));
  const late = await revokeEntry(retired, phone.kid);
  vectors.push(
    await goodLog(
      'retired-then-lost',
      'one that showed itself out as retired was lost all the same',
      await extended(retired, late),
    ),
  );
  const renewed = await testDevice(memory, 'renewed');
  const rotated = await extended(alice, await rotateEntry(alice, phone, renewed));
  vectors.push(
    await goodLog(
      'rotated-then-lost',
      'a key that was rotated away was lost: the one that took its place stays',
      await extended(rotated, await revokeEntry(rotated, phone.kid)),
    ),
  );
  const then = async (
    name: string,
    comment: string,
    code: ErrorCode,
    account: TestAccount,
    reason: 'retired' | 'lost' | 'undone',
    by = laptop,
  ) =>
    vectors.push(
      invalid(name, comment, code, {
        entries: [...account.log.entries, await revokeEntry(account, phone.kid, by, reason)],
      }),
    );
  await then('retired-again', 'one that retired, as retired', 'device-revoked', retired, 'retired');
  await then('retired-then-undone', 'one that retired, as undone', 'device-revoked', retired, 'undone');
  await then('lost-then-retired', 'one that was lost, as retired', 'device-revoked', revoked, 'retired');
  await then('retired-then-lost-itself', 'by the device itself', 'device-revoked', retired, 'lost', phone);
  await then(
    'rotated-then-lost-admit-missing',
    'by the key that took its place, without the right to admit',
    'device-not-entitled',
    rotated,
    'lost',
    renewed,
  );
  const payload = payloadOf(await revokeEntry(alice, phone.kid));
  const signed = async (name: string, comment: string, code: ErrorCode, changed: object) =>
    vectors.push(
      invalid(name, comment, code, {
        entries: [...alice.log.entries, await signLoose(laptop, 'device-revoke', { ...payload, ...changed })],
      }),
    );
  await signed('wrong-prev', 'it follows another entry', 'log-invalid', { prev: OTHER_HASH });
  await signed('wrong-seq', 'a number is left out', 'log-invalid', { seq: 3 });
  await signed('seq-too-large', 'a number that readers round', 'statement-malformed', { seq: TOO_LARGE });
  await signed('reason-unknown', 'a reason that there is not', 'statement-malformed', { reason: 'bored' });
  await signed('kid-without-dashes', 'a kid stands as it is printed', 'statement-malformed', {
    kid: phone.kid.replaceAll('-', ''),
  });
  await signed('kid-missing', 'no kid', 'statement-malformed', { kid: undefined });
  vectors.push(
    invalid('wrong-typ', 'the same payload as another kind', 'statement-malformed', {
      entries: [...alice.log.entries, await signLoose(laptop, 'device-add', payload)],
    }),
  );
  return {
    description: `Entries that show a device out. ${REPLAYED}`,
    spec: 'device-log.md#device-revoke',
    vectors: [...vectors, ...(await revocationsByCode(memory))],
  };
}
