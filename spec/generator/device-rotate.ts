/**
 * Vectors of the entries by which a device takes new keys.
 * @module
 */
import { importOpener } from '@countersign/core/webcrypto';
import { deviceWord, newAccount, rotateEntry, withDevice, withEpoch, withoutDevice } from './accounts.ts';
import { EntryVectors } from './entry-vectors.ts';
import type { Memory } from './memory.ts';
import { frozen, newRecoverable, recovered, testKit } from './recoverable.ts';
import { flipSignature, payloadOf, type VectorFile } from './vector.ts';
import { sealingJwk, type TestDevice, testDevice } from './world.ts';

export async function deviceRotate(memory: Memory): Promise<VectorFile> {
  const to = new EntryVectors({ kind: 'device-rotate', what: 'Entries by which a device takes new keys.' });
  await to.altered(async (algorithm) => {
    const kit = await testKit(memory, algorithm);
    const account = await withDevice(await newRecoverable(memory, kit, algorithm), 'phone');
    const renewed = await testDevice(memory, 'renewed', algorithm);
    const entry = await rotateEntry(account, account.devices[1]!, renewed);
    return { account, entry, comment: 'both keys, by a device without the right to admit' };
  });
  const kit = await testKit(memory);
  const alice = await withDevice(await newRecoverable(memory, kit), 'phone');
  const [laptop, phone] = alice.devices as [TestDevice, TestDevice];
  const renewed = await testDevice(memory, 'renewed');
  const sealing = { ...phone, opener: await importOpener(sealingJwk('renewed') as JsonWebKey) };
  await to.good(
    'sealing-key',
    'the sealing key alone: the kid stays',
    alice,
    await rotateEntry(alice, phone, sealing),
  );
  await to.good(
    'other-algorithm',
    'keys of another algorithm',
    alice,
    await rotateEntry(alice, phone, await testDevice(memory, 'renewed', 'ES256')),
  );
  await to.good(
    'last',
    'the last device that may admit: its rights go over to the new key',
    alice,
    await rotateEntry(alice, laptop, renewed),
  );
  const later = await withEpoch(alice);
  await to.good('later-epoch', 'in a later epoch', later, await rotateEntry(later, phone, renewed));
  const twice = { ...alice, log: (await withoutDevice(alice, phone.kid)).log };
  const stranger = await testDevice(memory, 'broker');
  to.bad(
    'by-another',
    'the keys of another device of the account',
    'log-invalid',
    alice,
    await rotateEntry(alice, phone, laptop),
  );
  to.bad(
    'revoked-key',
    'a key that was revoked',
    'log-invalid',
    twice,
    await rotateEntry(twice, laptop, phone),
  );
  to.bad('recovery-key', 'the recovery key', 'log-invalid', alice, await rotateEntry(alice, phone, kit.code));
  to.bad(
    'stranger',
    'by a device that is not in the account',
    'device-unknown',
    alice,
    await rotateEntry(alice, stranger, renewed),
  );
  to.bad(
    'by-code',
    'by the recovery key',
    'device-not-entitled',
    alice,
    await rotateEntry(alice, kit.code, renewed),
  );
  const stopped = await frozen(alice, laptop, phone.kid);
  to.bad(
    'by-frozen',
    'by a frozen device',
    'device-frozen',
    stopped,
    await rotateEntry(stopped, phone, renewed),
  );
  const waiting = await recovered(alice, kit);
  to.bad(
    'by-probation',
    'by a device on probation',
    'device-on-probation',
    waiting,
    await rotateEntry(waiting, waiting.devices[2]!, renewed),
  );
  to.bad(
    'by-revoked',
    'by a device that was revoked',
    'device-revoked',
    twice,
    await rotateEntry(twice, phone, renewed),
  );
  const mallory = await newAccount(memory, 'mallory@example.com');
  const word = await deviceWord(alice.log, renewed, 'renewed');
  for (const [name, comment, code, wrong] of [
    [
      'word-by-another',
      'the device does not hold the key',
      'signature-invalid',
      await deviceWord(alice.log, renewed, 'renewed', phone.signer),
    ],
    ['word-flipped', 'its word changed', 'signature-invalid', flipSignature(word)],
    [
      'word-for-other-account',
      'made for another account',
      'account-mismatch',
      await deviceWord(mallory.log, renewed, 'renewed'),
    ],
    ['word-of-other-kind', 'a statement of another kind', 'statement-type', alice.log.entries[1]!],
  ] as const) {
    to.bad(name, comment, code, alice, await rotateEntry(alice, phone, renewed, wrong));
  }
  const { kid } = phone;
  await to.misshapen(alice, phone, await rotateEntry(alice, phone, renewed), [
    ['word-too-long', 'a word of more than 4096 characters', { device: `${word}${'A'.repeat(4096)}` }],
    ['rights', 'it changes no rights', { rights: ['admit'] }],
    ['kid', 'it is about its signer', { kid }],
    ['sealed-padded', 'sealed bytes are base64url', { sealed: `${payloadOf(word).sub_id}=` }],
  ]);
  return to.file;
}
