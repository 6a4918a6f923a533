/**
 * Vectors of the entries by which the printed code lets a device in, and of the first entry that provides
 * for it.
 * @module
 */
import { deviceWord, extended, newAccount, withDevice, withoutDevice } from './accounts.ts';
import { EntryVectors } from './entry-vectors.ts';
import { ALICE } from './log-vectors.ts';
import type { Memory } from './memory.ts';
import { newRecoverable, recovered, recoveryEntry, testKit, undoEntry } from './recoverable.ts';
import { invalid, payloadOf, type Vector, type VectorFile } from './vector.ts';
import { publicOf, signLoose, type TestDevice, testDevice } from './world.ts';

export async function recovery(memory: Memory): Promise<VectorFile> {
  const to = new EntryVectors({
    kind: 'recovery',
    what: 'Entries by which the printed code lets a device in.',
  });
  await to.altered(
    async (algorithm) => {
      const kit = await testKit(memory, algorithm);
      const account = await withDevice(await newRecoverable(memory, kit, algorithm), 'phone');
      const found = await testDevice(memory, 'found', algorithm);
      const entry = await recoveryEntry(account, kit.code, found, ['answer', 'admit']);
      return { account, entry, comment: 'a device on probation' };
    },
    { 'rights.0': 'pay', 'rights.1': 'recover' },
  );
  const kit = await testKit(memory);
  const alice = await withDevice(await newRecoverable(memory, kit), 'phone');
  const [laptop, phone] = alice.devices as [TestDevice, TestDevice];
  const found = await testDevice(memory, 'found');
  const another = await testDevice(memory, 'another');
  await to.good('all-rights', 'it may have any rights', alice, await recoveryEntry(alice, kit.code, found));
  const waiting = await recovered(alice, kit);
  to.bad(
    'second',
    'a second one while one is not decided',
    'log-invalid',
    waiting,
    await recoveryEntry(waiting, kit.code, another),
  );
  const undone = await extended(waiting, await undoEntry(waiting, phone, found.kid));
  await to.good(
    'after-undone',
    'another one, after one that was undone',
    undone,
    await recoveryEntry(undone, kit.code, another),
  );
  to.bad(
    'undone-key',
    'the device that was undone: a key comes in once',
    'log-invalid',
    undone,
    await recoveryEntry(undone, kit.code, found),
  );
  to.bad(
    'by-device',
    'by a device of the account, with every right',
    'log-invalid',
    alice,
    await recoveryEntry(alice, laptop, found),
  );
  to.bad('by-itself', 'by the new device', 'device-unknown', alice, await recoveryEntry(alice, found, found));
  const other = await testKit(memory, 'EdDSA', 'other');
  to.bad(
    'other-code',
    'by another recovery key',
    'device-unknown',
    alice,
    await recoveryEntry(alice, other.code, found),
  );
  const without = await newAccount(memory, ALICE);
  to.bad(
    'no-provision',
    'where there is no code',
    'device-unknown',
    without,
    await recoveryEntry(without, kit.code, found),
  );
  const entry = await recoveryEntry(alice, kit.code, found);
  const posing = await signLoose({ ...kit.code, signer: laptop.signer }, 'recovery', payloadOf(entry));
  to.bad('posing', 'in the recovery key’s name, by a device', 'signature-invalid', alice, posing);
  to.bad(
    'present',
    'a device that is in the account',
    'log-invalid',
    alice,
    await recoveryEntry(alice, kit.code, phone),
  );
  const gone = await withoutDevice(alice, phone.kid);
  to.bad(
    'revoked',
    'a device that was revoked',
    'log-invalid',
    gone,
    await recoveryEntry(gone, kit.code, phone),
  );
  to.bad(
    'recovery-key',
    'the recovery key as a device',
    'log-invalid',
    alice,
    await recoveryEntry(alice, kit.code, kit.code),
  );
  const changed = (device: string) => signLoose(kit.code, 'recovery', { ...payloadOf(entry), device });
  to.bad(
    'word-by-another',
    'the new device does not hold the key',
    'signature-invalid',
    alice,
    await changed(await deviceWord(alice.log, found, 'found', phone.signer)),
  );
  to.bad(
    'word-for-other-account',
    'the new device wanted to belong to another account',
    'account-mismatch',
    alice,
    await changed(await deviceWord({ name: ALICE, identity: alice.log.hashes[1]! }, found, 'found')),
  );
  let full = alice;
  while (full.log.devices.size < 20) full = await withDevice(full, `device ${full.log.devices.size}`);
  to.bad(
    'twenty-one',
    'more than twenty devices',
    'log-invalid',
    full,
    await recoveryEntry(full, kit.code, found),
  );
  await to.misshapen(alice, kit.code, entry, [
    ['rights-empty', 'no rights', { rights: [] }],
    ['word-too-long', 'a word of more than 4096 characters', { device: 'A'.repeat(4097) }],
    ['sealed', 'no epoch is sealed to it', { sealed: 'AAAA' }],
  ]);
  return to.file;
}

/** The provision in a first entry. */
export async function provisions(memory: Memory): Promise<Vector[]> {
  const to = new EntryVectors({ kind: 'genesis', what: '' });
  const kit = await testKit(memory);
  const alice = await newRecoverable(memory, kit);
  const [laptop] = alice.devices as [TestDevice];
  await to.good('recovery', 'an account that can be recovered', alice);
  const [entry] = alice.log.entries as [string];
  const payload = payloadOf(entry);
  const signed = (recovery: object) => signLoose(laptop, 'genesis', { ...payload, recovery });
  const { provision } = kit;
  for (const [name, comment, code, wrong] of [
    [
      'own-key',
      'the first device’s key as the recovery key',
      'log-invalid',
      { ...provision, key: publicOf(laptop) },
    ],
    ['undo-short', 'less than an hour to undo', 'statement-malformed', { ...provision, undo: 3599 }],
    ['undo-long', 'more than 30 days', 'statement-malformed', { ...provision, undo: 2_592_001 }],
    [
      'broker-missing',
      'nobody measures the time',
      'statement-malformed',
      { ...provision, broker: undefined },
    ],
    ['more', 'a further member of the provision', 'statement-malformed', { ...provision, url: 'x' }],
  ] as const) {
    to.vectors.push(invalid(`recovery-${name}`, comment, code, { entries: [await signed(wrong)] }));
  }
  return to.vectors;
}
