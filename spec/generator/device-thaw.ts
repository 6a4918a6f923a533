/**
 * Vectors of the entries that end a freeze.
 * @module
 */
import { createThaw } from '@countersign/core';
import { extended, newAccount, revokeEntry, type TestAccount, withDevice } from './accounts.ts';
import { threeDevices } from './device-freeze.ts';
import { EntryVectors } from './entry-vectors.ts';
import { ALICE } from './log-vectors.ts';
import type { Memory } from './memory.ts';
import {
  freezeEntry,
  frozen,
  type Kit,
  proofFor,
  recovered,
  signing,
  testKit,
  undoEntry,
} from './recoverable.ts';
import { flipSignature, strayBits, type VectorFile, withPart } from './vector.ts';
import { signLoose, type TestDevice, testDevice } from './world.ts';

export async function deviceThaw(memory: Memory): Promise<VectorFile> {
  const to = new EntryVectors({ kind: 'device-thaw', what: 'Entries that end a freeze.' });
  const thaw = async (account: TestAccount, by: TestDevice, kid: string, proof?: string) =>
    (await createThaw(account.crypto, signing(account, by), kid, proof)).jws;
  await to.altered(
    async (algorithm) => {
      const kit = await testKit(memory, algorithm);
      const alice = await threeDevices(memory, kit, algorithm);
      const [laptop, phone] = alice.devices as [TestDevice, TestDevice];
      const account = await frozen(alice, laptop, phone.kid);
      const entry = await thaw(account, phone, phone.kid, await proofFor(account, kit, phone));
      return { account, entry, comment: 'a device thaws itself, with the code at hand' };
    },
    { kid: (await testDevice(memory, 'another')).kid },
  );
  const kit = await testKit(memory);
  const alice = await threeDevices(memory, kit);
  const [laptop, phone, tablet] = alice.devices as [TestDevice, TestDevice, TestDevice];
  const stopped = await frozen(alice, laptop, phone.kid);
  await to.good(
    'by-another',
    'by another device that may admit',
    stopped,
    await thaw(stopped, tablet, phone.kid),
  );
  await to.good(
    'proof-needless',
    'a proof that is not needed is not looked at',
    stopped,
    await thaw(stopped, laptop, phone.kid, 'x'),
  );
  const waiting = await recovered(alice, kit);
  const found = waiting.devices[3]!;
  const held = await frozen(waiting, laptop, found.kid);
  await to.good(
    'on-probation',
    'a device on probation, by another',
    held,
    await thaw(held, laptop, found.kid),
  );
  to.bad(
    'on-probation-itself',
    'not by itself: it came in by that very code',
    'device-on-probation',
    held,
    await thaw(held, found, found.kid, await proofFor(held, kit, found)),
  );
  to.bad(
    'not-frozen',
    'a device that is not frozen',
    'log-invalid',
    alice,
    await thaw(alice, laptop, phone.kid),
  );
  const again = await extended(stopped, await thaw(stopped, laptop, phone.kid));
  to.bad('again', 'a device that was thawed', 'log-invalid', again, await thaw(again, laptop, phone.kid));
  await to.good(
    'and-frozen-again',
    'a device that was thawed is frozen again',
    again,
    await freezeEntry(again, laptop, phone.kid),
  );
  to.bad(
    'by-code',
    'by the code, without the device',
    'device-not-entitled',
    stopped,
    await thaw(stopped, kit.code, phone.kid),
  );
  const limited = await withDevice(stopped, 'watch');
  to.bad(
    'admit-missing',
    'by a device without the right to admit',
    'device-not-entitled',
    limited,
    await thaw(limited, limited.devices[3]!, phone.kid),
  );
  const both = await frozen(stopped, laptop, tablet.kid);
  to.bad(
    'by-frozen',
    'by another device that is frozen',
    'device-frozen',
    both,
    await thaw(both, tablet, phone.kid),
  );
  const gone = await extended(stopped, await revokeEntry(stopped, phone.kid));
  to.bad('revoked', 'a device that was revoked', 'device-revoked', gone, await thaw(gone, laptop, phone.kid));
  to.bad(
    'stranger',
    'by a device that is not in the account',
    'device-unknown',
    stopped,
    await thaw(stopped, await testDevice(memory, 'broker'), phone.kid),
  );
  to.bad(
    'proof-missing',
    'itself, without the code',
    'recovery-invalid',
    stopped,
    await thaw(stopped, phone, phone.kid),
  );
  const withoutCode = await withDevice(await newAccount(memory, ALICE), 'phone');
  const stuck = await frozen(withoutCode, laptop, phone.kid);
  to.bad(
    'proof-without-provision',
    'where there is no code',
    'recovery-invalid',
    stuck,
    await thaw(stuck, phone, phone.kid, await proofFor(stuck, kit, phone)),
  );
  await badProofs(to, memory, kit, alice, stopped);
  await to.misshapen(stopped, phone, await thaw(stopped, phone, phone.kid, 'x'), [
    ['kid-without-dashes', 'a kid stands as it is printed', { kid: phone.kid.replaceAll('-', '') }],
    ['proof-too-long', 'a proof of more than 4096 characters', { proof: 'A'.repeat(4097) }],
    ['proof-null', 'a proof is absent or a text', { proof: null }],
  ]);
  await undoneProof(to, kit, stopped, phone);
  return to.file;
}

/** Proofs that a frozen device could show, and that prove nothing. */
async function badProofs(
  to: EntryVectors,
  memory: Memory,
  kit: Kit,
  before: TestAccount,
  stopped: TestAccount,
): Promise<void> {
  const [laptop, phone] = stopped.devices as [TestDevice, TestDevice];
  const good = await proofFor(stopped, kit, phone);
  const other = await testKit(memory, 'EdDSA', 'other');
  const place = { seq: stopped.log.head.seq + 1, prev: stopped.log.head.hash, kid: phone.kid };
  for (const [name, comment, code, proof] of [
    ['other-code', 'by another recovery key', 'signature-invalid', await proofFor(stopped, other, phone)],
    ['flipped', 'one bit of its signature turned', 'signature-invalid', flipSignature(good)],
    [
      'other-place',
      'for an earlier place of the log',
      'recovery-invalid',
      await proofFor(before, kit, phone),
    ],
    [
      'other-device',
      'for another device: a broker may have kept it back',
      'recovery-invalid',
      await proofFor(stopped, kit, laptop),
    ],
    [
      'other-account',
      'for another account',
      'recovery-invalid',
      await signLoose(kit.code, 'recovery-proof', { ...place, sub_id: before.log.hashes[1] }),
    ],
    [
      'other-prev',
      'for another entry before',
      'recovery-invalid',
      await signLoose(kit.code, 'recovery-proof', {
        ...place,
        prev: stopped.log.identity,
        sub_id: stopped.log.identity,
      }),
    ],
    [
      'without-kid',
      'for no device',
      'statement-malformed',
      await signLoose(kit.code, 'recovery-proof', {
        seq: place.seq,
        prev: place.prev,
        sub_id: stopped.log.identity,
      }),
    ],
    ['other-kind', 'a statement of another kind', 'statement-type', stopped.log.entries[1]!],
    [
      'stray-bits',
      'its signature in a text that is not canonical',
      'encoding-invalid',
      withPart(good, 2, strayBits(good.split('.')[2]!)),
    ],
    ['no-statement', 'no statement', 'statement-malformed', 'x'],
  ] as const) {
    const { jws } = await createThaw(stopped.crypto, signing(stopped, phone), phone.kid, proof);
    to.bad(`proof-${name}`, comment, code, stopped, jws);
  }
}

/** A proof that was good, and was used. */
async function undoneProof(
  to: EntryVectors,
  kit: Kit,
  stopped: TestAccount,
  phone: TestDevice,
): Promise<void> {
  const proof = await proofFor(stopped, kit, phone);
  const { jws } = await createThaw(stopped.crypto, signing(stopped, phone), phone.kid, proof);
  const thawed = await extended(stopped, jws);
  const again = await frozen(thawed, stopped.devices[0]!, phone.kid);
  const reused = await createThaw(again.crypto, signing(again, phone), phone.kid, proof);
  to.bad('proof-used', 'a proof that was used before', 'recovery-invalid', again, reused.jws);
  await to.good(
    'revokes-itself',
    'a frozen device shows itself out',
    again,
    await undoEntry(again, phone, phone.kid),
  );
}
