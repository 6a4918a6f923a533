/**
 * Vectors of the entries that end a probation.
 * @module
 */
import { checkpointFor, extended, type TestAccount, withDevice } from './accounts.ts';
import { EntryVectors } from './entry-vectors.ts';
import type { Memory } from './memory.ts';
import {
  checkpointAt,
  completeEntry,
  frozen,
  type Kit,
  newRecoverable,
  recovered,
  testKit,
  UNDO,
  undoEntry,
} from './recoverable.ts';
import { flipSignature, type VectorFile } from './vector.ts';
import { NOW, type TestDevice, testDevice } from './world.ts';

export async function recoveryComplete(memory: Memory): Promise<VectorFile> {
  const to = new EntryVectors({ kind: 'recovery-complete', what: 'Entries that end a probation.' });
  await to.altered(async (algorithm) => {
    const kit = await testKit(memory, algorithm);
    const account = await recovered(await newRecoverable(memory, kit, algorithm), kit);
    const [from, till] = [await checkpointAt(account, kit, 0), await checkpointAt(account, kit, UNDO)];
    const entry = await completeEntry(account, account.devices[1]!, from, till);
    return { account, entry, comment: 'a probation that is over, to the second' };
  });
  const kit = await testKit(memory);
  const alice = await withDevice(await newRecoverable(memory, kit), 'phone');
  const waiting = await recovered(alice, kit);
  const [laptop, phone, found] = waiting.devices as [TestDevice, TestDevice, TestDevice];
  const from = await checkpointAt(waiting, kit, 0);
  const till = await checkpointAt(waiting, kit, UNDO);
  const longer = await frozen(waiting, laptop, phone.kid);
  const later = await checkpointAt(longer, kit, UNDO + 5);
  const end = (by: TestDevice, first: string, second: string, account = waiting) =>
    completeEntry(account, by, first, second);
  await to.good(
    'later-head',
    'a checkpoint over a log that has grown',
    longer,
    await end(found, from, later, longer),
  );
  await to.good(
    'later',
    'long after',
    waiting,
    await end(found, from, await checkpointAt(waiting, kit, 3 * UNDO)),
  );
  const whole = await extended(waiting, await end(found, from, till));
  await to.good(
    'and-then-epoch',
    'from then on it counts: it shows a device out',
    whole,
    await undoEntry(whole, found, laptop.kid),
  );
  to.bad(
    'early',
    'a second before the undo period is over',
    'recovery-early',
    waiting,
    await end(found, from, await checkpointAt(waiting, kit, UNDO - 1)),
  );
  to.bad('same', 'one checkpoint for both', 'recovery-early', waiting, await end(found, from, from));
  to.bad('backwards', 'the later one first', 'recovery-early', waiting, await end(found, till, from));
  await badCheckpoints(to, memory, kit, alice, waiting);
  to.bad(
    'not-yet',
    'over a log that is longer than this one',
    'recovery-invalid',
    waiting,
    await end(found, from, later),
  );
  to.bad(
    'by-another',
    'by a device that is on no probation',
    'log-invalid',
    waiting,
    await end(laptop, from, till),
  );
  to.bad('by-code', 'by the recovery key', 'log-invalid', waiting, await end(kit.code, from, till));
  to.bad(
    'again',
    'by a device whose probation is over',
    'log-invalid',
    whole,
    await end(found, from, till, whole),
  );
  const stopped = await frozen(waiting, laptop, found.kid);
  to.bad('frozen', 'by one that is frozen', 'device-frozen', stopped, await end(found, from, till, stopped));
  const undone = await extended(waiting, await undoEntry(waiting, phone, found.kid));
  to.bad('undone', 'by one that was undone', 'device-revoked', undone, await end(found, from, till, undone));
  await to.misshapen(waiting, found, await end(found, from, till), [
    ['from-too-long', 'a checkpoint of more than 4096 characters', { from: 'A'.repeat(4097) }],
    ['kid', 'it is about its signer', { kid: found.kid }],
  ]);
  return to.file;
}

/** Checkpoints by which no probation ends. */
async function badCheckpoints(
  to: EntryVectors,
  memory: Memory,
  kit: Kit,
  before: TestAccount,
  waiting: TestAccount,
): Promise<void> {
  const { log, devices } = waiting;
  const found = devices[2]!;
  const till = await checkpointAt(waiting, kit, UNDO);
  const fork = await recovered(before, kit, 'another');
  const head = { seq: log.head.seq, hash: log.identity };
  for (const [name, comment, code, from] of [
    ['before', 'over the log before the recovery', 'recovery-invalid', await checkpointAt(before, kit, 0)],
    ['fork', 'over another log of this account', 'recovery-invalid', await checkpointAt(fork, kit, 0)],
    [
      'other-name',
      'over the log of another name',
      'recovery-invalid',
      await checkpointAt({ log: { ...log, name: 'bob@example.com' } }, kit, 0),
    ],
    [
      'other-identity',
      'over the log of another identity',
      'recovery-invalid',
      await checkpointAt({ log: { ...log, identity: log.hashes[1]! } }, kit, 0),
    ],
    [
      'other-hash',
      'over an entry of another hash',
      'recovery-invalid',
      await checkpointAt({ log: { ...log, head } }, kit, 0),
    ],
    [
      'other-broker',
      'by another broker',
      'signature-invalid',
      await checkpointFor((await testDevice(memory, 'other broker')).signer, log, NOW),
    ],
    ['own', 'by the device itself', 'signature-invalid', await checkpointFor(found.signer, log, NOW)],
    ['other-kind', 'a statement of another kind', 'statement-type', log.entries[0]!],
    [
      'flipped',
      'one bit of its signature turned',
      'signature-invalid',
      flipSignature(await checkpointAt(waiting, kit, 0)),
    ],
    ['none', 'no statement', 'statement-malformed', 'x'],
  ] as const) {
    to.bad(`from-${name}`, comment, code, waiting, await completeEntry(waiting, found, from, till));
    to.bad(
      `to-${name}`,
      `${comment}, as the second`,
      code,
      waiting,
      await completeEntry(waiting, found, till, from),
    );
  }
}
