/**
 * Vectors of the entries that put another printed code in the place of the one before.
 * @module
 */
import { createRecoverySet } from '@countersign/core';
import { extended, newAccount, type TestAccount, withDevice, withoutDevice } from './accounts.ts';
import { EntryVectors } from './entry-vectors.ts';
import { ALICE } from './log-vectors.ts';
import type { Memory } from './memory.ts';
import {
  frozen,
  type Kit,
  newRecoverable,
  recovered,
  recoveryEntry,
  signing,
  testKit,
  UNDO,
  undoEntry,
} from './recoverable.ts';
import type { VectorFile } from './vector.ts';
import { publicOf, sealingJwk, type TestDevice, testDevice } from './world.ts';

export async function recoverySet(memory: Memory): Promise<VectorFile> {
  const to = new EntryVectors({
    kind: 'recovery-set',
    what: 'Entries that put another printed code in the place of the one before.',
  });
  const set = async (account: TestAccount, by: TestDevice, provision: Kit['provision']) =>
    (await createRecoverySet(account.crypto, signing(account, by), provision)).jws;
  const nullMembers = ['key.kty', 'key.crv', 'broker.kty', 'broker.crv'];
  await to.altered(
    async (algorithm) => {
      const account = await newRecoverable(memory, await testKit(memory, algorithm), algorithm);
      const { provision } = await testKit(memory, algorithm, 'next');
      const entry = await set(account, account.devices[0]!, provision);
      return { account, entry, comment: 'another code' };
    },
    Object.fromEntries(nullMembers.map((member) => [`recovery.${member}`, null])),
  );
  const kit = await testKit(memory);
  const next = await testKit(memory, 'EdDSA', 'next');
  const alice = await withDevice(
    await withDevice(await newRecoverable(memory, kit), 'phone', { rights: ['recover'] }),
    'tablet',
    { rights: ['ask', 'answer', 'pay', 'admit'] },
  );
  const [laptop, phone, tablet] = alice.devices as [TestDevice, TestDevice, TestDevice];
  const broker = publicOf(await testDevice(memory, 'other broker'));
  const { provision } = next;
  await to.good(
    'recover-alone',
    'by a device with the right to recover alone',
    alice,
    await set(alice, phone, provision),
  );
  await to.good(
    'longer',
    'with a longer undo period',
    alice,
    await set(alice, phone, { ...provision, undo: UNDO + 1 }),
  );
  for (const [name, comment, changed] of [
    ['shorter', 'a shorter undo period', { undo: UNDO - 1 }],
    ['other-broker', 'another broker', { broker }],
  ] as const) {
    const wanted = { ...provision, ...changed };
    await to.good(name, `${comment}, by a device with every right`, alice, await set(alice, laptop, wanted));
    to.bad(
      `${name}-by-less`,
      `${comment}, by a device without every right`,
      'device-not-entitled',
      alice,
      await set(alice, phone, wanted),
    );
  }
  const without = await withDevice(await newAccount(memory, ALICE), 'phone', {
    rights: ['recover', 'admit'],
  });
  await to.good('first', 'where there was none', without, await set(without, laptop, provision));
  to.bad(
    'first-by-less',
    'by a device without every right',
    'device-not-entitled',
    without,
    await set(without, phone, provision),
  );
  to.bad(
    'recover-missing',
    'by a device without the right to recover',
    'device-not-entitled',
    alice,
    await set(alice, tablet, provision),
  );
  to.bad(
    'by-code',
    'by the recovery key that goes',
    'device-not-entitled',
    alice,
    await set(alice, kit.code, provision),
  );
  to.bad(
    'by-next-code',
    'by the one that comes',
    'device-unknown',
    alice,
    await set(alice, next.code, provision),
  );
  const stopped = await frozen(alice, laptop, phone.kid);
  to.bad('by-frozen', 'by a frozen device', 'device-frozen', stopped, await set(stopped, phone, provision));
  const waiting = await recovered(alice, kit);
  const found = waiting.devices[3]!;
  to.bad(
    'by-probation',
    'by a device on probation',
    'device-on-probation',
    waiting,
    await set(waiting, found, provision),
  );
  to.bad(
    'undecided',
    'while a recovery is not decided',
    'log-invalid',
    waiting,
    await set(waiting, laptop, provision),
  );
  const undone = await extended(waiting, await undoEntry(waiting, phone, found.kid));
  await to.good('after-undone', 'after it was undone', undone, await set(undone, phone, provision));
  to.bad(
    'device-key',
    'the key of a device',
    'log-invalid',
    alice,
    await set(alice, laptop, { ...provision, key: publicOf(phone) }),
  );
  const gone = await withoutDevice(alice, tablet.kid);
  to.bad(
    'revoked-key',
    'the key of a device that was revoked',
    'log-invalid',
    gone,
    await set(gone, laptop, { ...provision, key: publicOf(tablet) }),
  );
  const after = await extended(alice, await set(alice, phone, provision));
  to.bad(
    'old-code',
    'the old code lets nobody in',
    'device-unknown',
    after,
    await recoveryEntry(after, kit.code, found),
  );
  await to.good('new-code', 'the new one does', after, await recoveryEntry(after, next.code, found));
  await to.misshapen(alice, laptop, await set(alice, laptop, provision), [
    ['undo-short', 'less than an hour to undo', { recovery: { ...provision, undo: 3599 } }],
    ['undo-long', 'more than 30 days', { recovery: { ...provision, undo: 2_592_001 } }],
    ['undo-half', 'no whole number', { recovery: { ...provision, undo: 7200.5 } }],
    ['key-private', 'a private key', { recovery: { ...provision, key: { ...provision.key, d: 'A' } } }],
    ['key-sealing', 'a sealing key', { recovery: { ...provision, key: publicSealing('x') } }],
    ['provision-more', 'a further member of the provision', { recovery: { ...provision, url: 'x' } }],
  ]);
  return to.file;
}

function publicSealing(label: string): object {
  const { kty, crv, x } = sealingJwk(label);
  return { kty, crv, x };
}
