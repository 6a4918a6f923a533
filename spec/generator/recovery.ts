/**
 * Vectors of the entries by which the printed code lets a device in, and of those that end its probation.
 * @module
 */
import { createRecoverySet, RecoveryProof, signStatement } from '@countersign/core';
import { webCrypto } from '@countersign/core/webcrypto';
import {
  checkpointFor,
  deviceWord,
  extended,
  newAccount,
  type TestAccount,
  withDevice,
  withoutDevice,
} from './accounts.ts';
import { EntryVectors } from './entry-vectors.ts';
import { expectOf } from './kinds.ts';
import { ALICE } from './log-vectors.ts';
import type { Memory } from './memory.ts';
import {
  checkpointAt,
  completeEntry,
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
import {
  flipMembers,
  flipSignature,
  invalid,
  payloadOf,
  type Vector,
  type VectorFile,
  valid,
} from './vector.ts';
import { ALGORITHMS, NOW, publicOf, sealingJwk, signLoose, type TestDevice, testDevice } from './world.ts';

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

/** Proofs of the printed code, by themselves. */
export async function recoveryProof(memory: Memory): Promise<VectorFile> {
  const vectors: Vector[] = [];
  const { typ } = RecoveryProof;
  const { log, devices } = await newRecoverable(memory, await testKit(memory));
  const payload = { sub_id: log.identity, seq: 1, prev: log.head.hash, kid: devices[0]!.kid };
  for (const algorithm of ALGORITHMS) {
    const { code } = await testKit(memory, algorithm);
    const key = publicOf(code);
    const { jws } = await signStatement(webCrypto, RecoveryProof, code.signer, payload);
    vectors.push(
      valid(`${algorithm}-good`, 'a proof', { typ, key, statement: jws }, await expectOf(jws, code)),
      ...flipMembers(jws).map(({ path, jws: statement }) =>
        invalid(
          `${algorithm}-${path}-flipped`,
          `${path} changed under the old signature`,
          'signature-invalid',
          {
            typ,
            key,
            statement,
          },
        ),
      ),
    );
  }
  const { code } = await testKit(memory);
  const key = publicOf(code);
  for (const [name, comment, changed] of [
    ['seq-0', 'there is none for the first entry', { seq: 0 }],
    ['kid-missing', 'for no device', { kid: undefined }],
    ['prev-missing', 'for no place', { prev: undefined }],
    ['member-more', 'a further member', { more: 1 }],
  ] as const) {
    const statement = await signLoose(code, 'recovery-proof', { ...payload, ...changed });
    vectors.push(invalid(name, comment, 'statement-malformed', { typ, key, statement }));
  }
  return {
    description:
      'Proofs of the printed code, by themselves: `statement` is read as a statement of `typ`, and verified by `key`. As parts of entries they are in device-thaw, device-rights and device-revoke.',
    spec: 'device-log.md#recovery-proof',
    vectors,
  };
}
