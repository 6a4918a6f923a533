/**
 * Vectors of the entries that let a device in.
 * @module
 */
import type { ErrorCode } from '@countersign/core';
import { type Admission, addEntry, deviceWord, newAccount, withDevice, withoutDevice } from './accounts.ts';
import { ALICE, flippedLast, goodLog, OTHER_HASH, PLACE, REPLAYED } from './log-vectors.ts';
import type { Memory } from './memory.ts';
import {
  duplicateMember,
  flipSignature,
  invalid,
  payloadOf,
  strayBits,
  type Vector,
  type VectorFile,
  withPart,
} from './vector.ts';
import { ALGORITHMS, NOW, signLoose, type TestDevice, testDevice } from './world.ts';

export async function deviceAdd(memory: Memory): Promise<VectorFile> {
  const vectors: Vector[] = [];
  for (const algorithm of ALGORITHMS) {
    const alice = await withDevice(await newAccount(memory, ALICE, algorithm), 'phone');
    const { entries } = alice.log;
    vectors.push(
      await goodLog(`${algorithm}-good`, 'a second device', alice),
      invalid(`${algorithm}-signature-flipped`, 'one bit of the signature turned', 'signature-invalid', {
        entries: entries.with(-1, flipSignature(entries.at(-1)!)),
      }),
      ...flippedLast(algorithm, entries, PLACE, { 'rights.0': 'recover', 'rights.1': 'admit' }),
    );
  }
  const alice = await newAccount(memory, ALICE);
  const [laptop] = alice.devices as [TestDevice];
  const phone = await testDevice(memory, `${ALICE} phone`);
  const bad = async (
    name: string,
    comment: string,
    code: ErrorCode,
    admission: Admission,
    account = alice,
    device = phone,
  ) =>
    vectors.push(
      invalid(name, comment, code, {
        entries: [...account.log.entries, await addEntry(account, device, 'phone', admission)],
      }),
    );
  vectors.push(
    await goodLog(
      'mixed-algorithms',
      'a device with a key of the other algorithm',
      await withDevice(alice, 'key', { algorithm: 'ES256' }),
    ),
    await goodLog(
      'all-rights',
      'rights that the one who admits has',
      await withDevice(alice, 'tablet', { rights: ['ask', 'answer', 'pay', 'admit', 'recover'] }),
    ),
  );
  const two = await withDevice(alice, 'phone', { rights: ['answer', 'admit'] });
  const three = await withDevice(two, 'tablet', { by: two.devices[1]!, rights: ['answer'] });
  vectors.push(await goodLog('admitted-by-second', 'a device that was admitted admits another', three));
  await bad(
    'right-beyond',
    'a right that the one who admits has not',
    'device-not-entitled',
    { by: two.devices[1]!, rights: ['pay'] },
    two,
    await testDevice(memory, 'x'),
  );
  const answering = await withDevice(alice, 'phone', { rights: ['answer'] });
  await bad(
    'admit-missing',
    'by a device without the right to admit',
    'device-not-entitled',
    { by: answering.devices[1]!, rights: ['answer'] },
    answering,
    await testDevice(memory, 'x'),
  );
  await bad('stranger', 'by a device that is not in the account: what a broker would do', 'device-unknown', {
    by: await testDevice(memory, 'broker'),
  });
  await bad('by-itself', 'by the new device itself', 'device-unknown', { by: phone });
  const revoked = await withoutDevice(two, two.devices[1]!.kid);
  await bad(
    'revoked-signer',
    'by a device that was revoked',
    'device-revoked',
    { by: two.devices[1]!, rights: ['answer'] },
    revoked,
    await testDevice(memory, 'x'),
  );
  await bad('again', 'a device that is in the account', 'log-invalid', {}, alice, laptop);
  await bad(
    'after-revocation',
    'a device that was revoked: a key comes in once',
    'log-invalid',
    {},
    revoked,
    two.devices[1]!,
  );
  await bad('wrong-prev', 'it follows another entry', 'log-invalid', { changed: { prev: OTHER_HASH } });
  await bad('wrong-seq', 'a number is left out', 'log-invalid', { changed: { seq: 2 } });
  await bad(
    'seq-repeated',
    'a number stands twice',
    'log-invalid',
    { changed: { seq: 1 } },
    two,
    await testDevice(memory, 'x'),
  );
  await bad('wrong-sub', 'an entry of another account', 'log-invalid', {
    changed: { sub: 'mallory@example.com' },
  });
  const mallory = await newAccount(memory, 'mallory@example.com');
  await bad('word-for-other-name', 'the new device wanted to belong to another account', 'account-mismatch', {
    changed: { device: await deviceWord(mallory.log, phone, 'phone') },
  });
  await bad('word-for-other-identity', 'or to another account of the same name', 'account-mismatch', {
    changed: { device: await deviceWord({ name: ALICE, identity: mallory.log.identity }, phone, 'phone') },
  });
  await bad('word-by-another', 'the new device does not hold the key that it names', 'signature-invalid', {
    changed: { device: await deviceWord(alice.log, phone, 'phone', laptop.signer) },
  });
  await bad(
    'word-flipped',
    'the new device’s word changed before the entry was signed',
    'signature-invalid',
    { changed: { device: flipSignature(await deviceWord(alice.log, phone, 'phone')) } },
  );
  await bad('word-wrong-typ', 'a statement of another kind in its place', 'statement-type', {
    changed: { device: await signLoose(phone, 'cancel', { req: OTHER_HASH, iat: NOW }) },
  });
  await bad('word-stray-bits', 'its signature in a text that is not canonical', 'encoding-invalid', {
    changed: { device: strayTail(await deviceWord(alice.log, phone, 'phone')) },
  });
  const payload = payloadOf(await addEntry(alice, phone, 'phone'));
  const malformed = async (name: string, comment: string, changed: object) =>
    vectors.push(
      invalid(name, comment, 'statement-malformed', {
        entries: [...alice.log.entries, await signLoose(laptop, 'device-add', { ...payload, ...changed })],
      }),
    );
  await malformed('rights-empty', 'no rights', { rights: [] });
  await malformed('rights-twice', 'a right twice', { rights: ['answer', 'answer'] });
  await malformed('seq-0', 'only the first entry is number 0', { seq: 0 });
  await malformed('prev-missing', 'no prev', { prev: undefined });
  await malformed('member-more', 'a further member', { more: 1 });
  await malformed('word-too-long', 'a word of more than 4096 characters', {
    device: `${payload.device}${'A'.repeat(4096)}`,
  });
  vectors.push(
    invalid('wrong-typ', 'the same payload as another kind', 'statement-malformed', {
      entries: [...alice.log.entries, await signLoose(laptop, 'epoch', payload)],
    }),
    invalid('not-an-entry', 'a statement that is no entry of a log', 'statement-type', {
      entries: [...alice.log.entries, await signLoose(laptop, 'cancel', { req: OTHER_HASH, iat: NOW })],
    }),
    invalid('duplicate-member', 'a member twice', 'json-invalid', {
      entries: [...alice.log.entries, await signLoose(laptop, 'device-add', duplicateMember(payload, 'seq'))],
    }),
  );
  let full = alice;
  while (full.log.devices.size < 20) full = await withDevice(full, `device ${full.log.devices.size}`);
  vectors.push(await goodLog('twenty', 'twenty devices', full));
  await bad('twenty-one', 'and no more', 'log-invalid', {}, full, await testDevice(memory, 'x'));
  return {
    description: `Entries that let a device in. ${REPLAYED}`,
    spec: 'device-log.md#device-add',
    vectors,
  };
}

function strayTail(jws: string): string {
  return withPart(jws, 2, strayBits(jws.split('.')[2]!));
}
