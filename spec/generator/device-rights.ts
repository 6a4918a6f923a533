/**
 * Vectors of the entries that change what a device may do.
 * @module
 */
import { createRightsChange, RIGHTS, type Right } from '@countersign/core';
import { newAccount, type TestAccount, withDevice, withoutDevice } from './accounts.ts';
import { EntryVectors } from './entry-vectors.ts';
import { ALICE } from './log-vectors.ts';
import type { Memory } from './memory.ts';
import { frozen, type Kit, newRecoverable, proofFor, recovered, signing, testKit } from './recoverable.ts';
import type { VectorFile } from './vector.ts';
import { type TestDevice, testDevice } from './world.ts';

const change = async (
  account: TestAccount,
  by: TestDevice,
  kid: string,
  rights: readonly Right[],
  proof?: string,
) => (await createRightsChange(account.crypto, signing(account, by), kid, rights, proof)).jws;

export async function deviceRights(memory: Memory): Promise<VectorFile> {
  const to = new EntryVectors({ kind: 'device-rights', what: 'Entries that change what a device may do.' });
  await to.altered(
    async (algorithm) => {
      const kit = await testKit(memory, algorithm);
      const account = await withDevice(await newRecoverable(memory, kit, algorithm), 'phone');
      const [laptop, phone] = account.devices as [TestDevice, TestDevice];
      const entry = await change(account, laptop, phone.kid, ['ask', 'recover']);
      return { account, entry, comment: 'other rights for a device' };
    },
    {
      kid: (await testDevice(memory, 'another')).kid,
      'rights.0': 'admit',
      'rights.1': 'pay',
    },
  );
  const kit = await testKit(memory);
  const alice = await withDevice(await withDevice(await newRecoverable(memory, kit), 'phone'), 'tablet', {
    rights: ['answer', 'admit'],
  });
  const [laptop, phone, tablet] = alice.devices as [TestDevice, TestDevice, TestDevice];
  await to.good(
    'itself',
    'its own, which may be fewer',
    alice,
    await change(alice, tablet, tablet.kid, ['admit']),
  );
  await to.good(
    'same',
    'those that it has',
    alice,
    await change(alice, laptop, phone.kid, ['pay', 'answer']),
  );
  await to.good(
    'leaves-what-signer-lacks',
    'it keeps a right that the one who changes it lacks',
    alice,
    await change(alice, tablet, phone.kid, ['pay']),
  );
  await to.good(
    'takes-what-signer-lacks',
    'it loses rights that the one who changes it lacks',
    alice,
    await change(alice, tablet, phone.kid, ['answer']),
  );
  await to.good(
    'of-a-frozen-device',
    'of a frozen device, which stays frozen',
    await frozen(alice, laptop, phone.kid),
    await change(await frozen(alice, laptop, phone.kid), laptop, phone.kid, ['ask']),
  );
  const waiting = await recovered(alice, kit);
  const found = waiting.devices[3]!;
  await to.good(
    'of-a-device-on-probation',
    'of a device on probation, which stays so',
    waiting,
    await change(waiting, laptop, found.kid, ['ask']),
  );
  to.bad(
    'beyond',
    'a right that the one who gives it has not',
    'device-not-entitled',
    alice,
    await change(alice, tablet, phone.kid, ['answer', 'ask']),
  );
  to.bad(
    'beyond-itself',
    'so to oneself',
    'device-not-entitled',
    alice,
    await change(alice, tablet, tablet.kid, ['answer', 'admit', 'pay']),
  );
  to.bad(
    'admit-missing',
    'by a device without the right to admit',
    'device-not-entitled',
    alice,
    await change(alice, phone, tablet.kid, ['answer']),
  );
  to.bad(
    'admit-missing-itself',
    'of itself too',
    'device-not-entitled',
    alice,
    await change(alice, phone, phone.kid, ['answer']),
  );
  to.bad(
    'by-code',
    'by the recovery key',
    'device-not-entitled',
    alice,
    await change(alice, kit.code, phone.kid, ['answer']),
  );
  to.bad(
    'by-probation',
    'by a device on probation',
    'device-on-probation',
    waiting,
    await change(waiting, found, phone.kid, ['answer']),
  );
  const stopped = await frozen(alice, laptop, tablet.kid);
  to.bad(
    'by-frozen',
    'by a frozen device',
    'device-frozen',
    stopped,
    await change(stopped, tablet, phone.kid, ['answer']),
  );
  const stranger = await testDevice(memory, 'broker');
  to.bad(
    'stranger',
    'by a device that is not in the account',
    'device-unknown',
    alice,
    await change(alice, stranger, phone.kid, ['answer']),
  );
  to.bad(
    'unknown',
    'of a device that is not in the account',
    'device-unknown',
    alice,
    await change(alice, laptop, stranger.kid, ['answer']),
  );
  const gone = await withoutDevice(alice, phone.kid);
  to.bad(
    'revoked',
    'of a device that was revoked',
    'device-revoked',
    gone,
    await change(gone, laptop, phone.kid, ['answer']),
  );
  await lastRights(to, kit, memory);
  await to.misshapen(alice, laptop, await change(alice, laptop, phone.kid, ['answer']), [
    ['rights-empty', 'no rights', { rights: [] }],
    ['rights-twice', 'a right twice', { rights: ['ask', 'ask'] }],
    ['rights-unknown', 'a right that there is not', { rights: ['fly'] }],
    ['kid-without-dashes', 'a kid stands as it is printed', { kid: phone.kid.replaceAll('-', '') }],
    ['proof-too-long', 'a proof of more than 4096 characters', { proof: 'A'.repeat(4097) }],
  ]);
  return to.file;
}

/** The last device that may admit or recover gives that up. */
async function lastRights(to: EntryVectors, kit: Kit, memory: Memory): Promise<void> {
  const alice = await withDevice(await newRecoverable(memory, kit), 'phone');
  const [laptop] = alice.devices as [TestDevice];
  const without = (right: Right) => RIGHTS.filter((one) => one !== right);
  for (const right of ['admit', 'recover'] as const) {
    to.bad(
      `last-${right}`,
      `the last right to ${right} given up`,
      'last-device',
      alice,
      await change(alice, laptop, laptop.kid, without(right)),
    );
    await to.good(
      `last-${right}-with-proof`,
      'with the code at hand',
      alice,
      await change(alice, laptop, laptop.kid, without(right), await proofFor(alice, kit, laptop)),
    );
  }
  const other = await proofFor(alice, await testKit(memory, 'EdDSA', 'other'), laptop);
  to.bad(
    'last-with-other-code',
    'with the code of another account',
    'signature-invalid',
    alice,
    await change(alice, laptop, laptop.kid, ['ask'], other),
  );
  const lone = await newAccount(memory, ALICE);
  to.bad(
    'last-without-provision',
    'where there is no code, it is not given up',
    'recovery-invalid',
    lone,
    await change(lone, laptop, laptop.kid, ['ask'], await proofFor(lone, kit, laptop)),
  );
  const two = await withDevice(alice, 'tablet', { rights: ['admit', 'recover'] });
  const tablet = two.devices[2]!;
  await to.good(
    'not-last',
    'where another device has it',
    two,
    await change(two, laptop, laptop.kid, ['ask']),
  );
  const stopped = await frozen(two, laptop, tablet.kid);
  to.bad(
    'last-beside-frozen',
    'where the other one is frozen',
    'last-device',
    stopped,
    await change(stopped, laptop, laptop.kid, ['ask']),
  );
  const waiting = await recovered(alice, kit);
  to.bad(
    'last-beside-probation',
    'where the other one is on probation',
    'last-device',
    waiting,
    await change(waiting, laptop, laptop.kid, ['ask']),
  );
}
