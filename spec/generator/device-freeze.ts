/**
 * Vectors of the entries that stop a device.
 * @module
 */
import type { SignatureAlgorithm } from '@countersign/core';
import { newAccount, withDevice, withoutDevice } from './accounts.ts';
import { EntryVectors } from './entry-vectors.ts';
import { ALICE } from './log-vectors.ts';
import type { Memory } from './memory.ts';
import { freezeEntry, frozen, type Kit, newRecoverable, recovered, testKit } from './recoverable.ts';
import type { VectorFile } from './vector.ts';
import { type TestDevice, testDevice } from './world.ts';

/** An account of a laptop that may do all, a phone that answers, and a tablet that may do all. */
export async function threeDevices(memory: Memory, kit: Kit, algorithm: SignatureAlgorithm = 'EdDSA') {
  const alice = await withDevice(await newRecoverable(memory, kit, algorithm), 'phone');
  return withDevice(alice, 'tablet', { rights: ['answer', 'admit', 'recover'] });
}

export async function deviceFreeze(memory: Memory): Promise<VectorFile> {
  const to = new EntryVectors({ kind: 'device-freeze', what: 'Entries that stop a device.' });
  await to.altered(
    async (algorithm) => {
      const account = await threeDevices(memory, await testKit(memory, algorithm), algorithm);
      const [laptop, phone] = account.devices as [TestDevice, TestDevice];
      const entry = await freezeEntry(account, laptop, phone.kid);
      return { account, entry, comment: 'a device frozen by one that may admit' };
    },
    { kid: (await testDevice(memory, 'another')).kid },
  );
  const kit = await testKit(memory);
  const alice = await threeDevices(memory, kit);
  const [laptop, phone, tablet] = alice.devices as [TestDevice, TestDevice, TestDevice];
  const stranger = await testDevice(memory, 'broker');
  const freeze = (by: TestDevice, kid = phone.kid, account = alice) => freezeEntry(account, by, kid);
  await to.good('itself', 'by the device itself, with no right to admit', alice, await freeze(phone));
  await to.good('by-code', 'by the recovery key alone', alice, await freeze(kit.code));
  const waiting = await recovered(alice, kit);
  const found = waiting.devices[3]!;
  await to.good('on-probation', 'a device on probation', waiting, await freeze(laptop, found.kid, waiting));
  await to.good(
    'on-probation-itself',
    'a device on probation freezes itself',
    waiting,
    await freeze(found, found.kid, waiting),
  );
  const lone = await newRecoverable(memory, kit);
  await to.good(
    'last',
    'the last device that may admit: the code can thaw it',
    lone,
    await freeze(laptop, laptop.kid, lone),
  );
  const without = await withDevice(await newAccount(memory, ALICE), 'phone');
  to.bad(
    'last-for-good',
    'so where there is no code: nobody could thaw it',
    'last-device',
    without,
    await freeze(laptop, laptop.kid, without),
  );
  await to.good(
    'not-last',
    'another device, where there is no code',
    without,
    await freeze(laptop, phone.kid, without),
  );
  to.bad(
    'admit-missing',
    'another device, by one without the right to admit',
    'device-not-entitled',
    alice,
    await freeze(phone, laptop.kid),
  );
  to.bad(
    'stranger',
    'by a device that is not in the account',
    'device-unknown',
    alice,
    await freeze(stranger),
  );
  to.bad(
    'code-of-another',
    'by the recovery key of another account',
    'device-unknown',
    alice,
    await freeze((await testKit(memory, 'EdDSA', 'other')).code),
  );
  to.bad(
    'unknown',
    'a device that is not in the account',
    'device-unknown',
    alice,
    await freeze(laptop, stranger.kid),
  );
  const after = await frozen(alice, laptop, phone.kid);
  to.bad('again', 'a device that is frozen', 'log-invalid', after, await freeze(laptop, phone.kid, after));
  to.bad(
    'by-frozen',
    'another device, by one that is frozen',
    'device-frozen',
    await frozen(alice, laptop, tablet.kid),
    await freeze(tablet, phone.kid, await frozen(alice, laptop, tablet.kid)),
  );
  to.bad(
    'by-probation',
    'another device, by one on probation',
    'device-on-probation',
    waiting,
    await freeze(found, phone.kid, waiting),
  );
  const gone = await withoutDevice(alice, phone.kid);
  to.bad(
    'revoked',
    'a device that was revoked',
    'device-revoked',
    gone,
    await freeze(laptop, phone.kid, gone),
  );
  to.bad(
    'by-revoked',
    'by a device that was revoked',
    'device-revoked',
    gone,
    await freeze(phone, tablet.kid, gone),
  );
  await to.misshapen(alice, laptop, await freeze(laptop), [
    ['kid-without-dashes', 'a kid stands as it is printed', { kid: phone.kid.replaceAll('-', '') }],
    ['proof', 'it takes no proof', { proof: 'x' }],
  ]);
  return to.file;
}
