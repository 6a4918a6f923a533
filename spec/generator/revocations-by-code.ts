/**
 * Vectors of revocations that take the last device, and of those that undo a recovery.
 * @module
 */
import { revokeEntry, withDevice, withoutDevice } from './accounts.ts';
import { EntryVectors } from './entry-vectors.ts';
import type { Memory } from './memory.ts';
import { frozen, newRecoverable, proofFor, recovered, testKit, undoEntry } from './recoverable.ts';
import type { Vector } from './vector.ts';
import type { TestDevice } from './world.ts';

/** Revocations that take the last device, and those that undo a recovery. */
export async function revocationsByCode(memory: Memory): Promise<Vector[]> {
  const to = new EntryVectors({ kind: 'device-revoke', what: '' });
  const kit = await testKit(memory);
  const alice = await withDevice(await newRecoverable(memory, kit), 'phone', { rights: ['answer'] });
  const [laptop, phone] = alice.devices as [TestDevice, TestDevice];
  to.bad(
    'last',
    'the last device that may admit',
    'last-device',
    alice,
    await undoEntry(alice, laptop, laptop.kid),
  );
  await to.good(
    'last-with-proof',
    'with the code at hand',
    alice,
    await undoEntry(alice, laptop, laptop.kid, await proofFor(alice, kit, laptop)),
  );
  to.bad(
    'last-proof-of-another',
    'with a proof for another device',
    'recovery-invalid',
    alice,
    await undoEntry(alice, laptop, laptop.kid, await proofFor(alice, kit, phone)),
  );
  const self = await frozen(alice, laptop, laptop.kid);
  to.bad(
    'last-frozen',
    'it is the last though it froze itself first',
    'last-device',
    self,
    await undoEntry(self, laptop, laptop.kid),
  );
  const two = await withDevice(alice, 'tablet', { rights: ['admit', 'answer'] });
  const tablet = two.devices[2]!;
  to.bad(
    'last-to-recover',
    'the last device that may recover, by one that may admit',
    'last-device',
    two,
    await undoEntry(two, tablet, laptop.kid),
  );
  const stolen = await frozen(two, tablet, laptop.kid);
  await to.good(
    'last-to-recover-frozen',
    'one that is frozen has no right to recover that could be lost',
    stolen,
    await undoEntry(stolen, tablet, laptop.kid),
  );
  const waiting = await recovered(alice, kit);
  const found = waiting.devices[2]!;
  await to.good(
    'undone',
    'a recovery undone, by a device with no right to admit',
    waiting,
    await undoEntry(waiting, phone, found.kid),
  );
  const held = await frozen(waiting, kit.code, phone.kid);
  await to.good('undone-by-frozen', 'so by a frozen one', held, await undoEntry(held, phone, found.kid));
  await to.good(
    'undone-by-code',
    'and by the recovery key',
    waiting,
    await undoEntry(waiting, kit.code, found.kid),
  );
  await to.good('undone-by-itself', 'and by itself', waiting, await undoEntry(waiting, found, found.kid));
  const less = await withoutDevice(waiting, phone.kid);
  to.bad(
    'undone-by-revoked',
    'not by one that was revoked',
    'device-revoked',
    less,
    await undoEntry(less, phone, found.kid),
  );
  to.bad(
    'by-probation',
    'another device, by one on probation',
    'device-on-probation',
    waiting,
    await undoEntry(waiting, found, phone.kid),
  );
  to.bad(
    'by-code',
    'the recovery key shows no device out that is on no probation',
    'device-not-entitled',
    waiting,
    await undoEntry(waiting, kit.code, phone.kid),
  );
  const stopped = await frozen(two, laptop, tablet.kid);
  to.bad(
    'by-frozen',
    'another device, by a frozen one',
    'device-frozen',
    stopped,
    await revokeEntry(stopped, phone.kid, tablet),
  );
  await to.good('itself-frozen', 'itself, frozen', stopped, await revokeEntry(stopped, tablet.kid, tablet));
  return to.vectors;
}
