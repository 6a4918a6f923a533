/**
 * Vectors of receipts whose device was frozen, limited, renewed or recovered, before it answered or after.
 * @module
 */
import {
  createRightsChange,
  createRotation,
  createThaw,
  type ErrorCode,
  type Right,
} from '@countersign/core';
import { checkpointFor, deviceWord, extended, newEpoch, type TestAccount, withDevice } from './accounts.ts';
import type { Memory } from './memory.ts';
import { make } from './receipt-making.ts';
import {
  checkpointAt,
  completeEntry,
  frozen,
  newRecoverable,
  recovered,
  signing,
  testKit,
  UNDO,
} from './recoverable.ts';
import { invalid, type Vector } from './vector.ts';
import { NOW, type TestDevice, testDevice } from './world.ts';

type Good = (
  name: string,
  comment: string,
  scene: { account: TestAccount; device: TestDevice },
) => Promise<void>;

export async function receiptsOfChangedDevices(memory: Memory, good: Good): Promise<Vector[]> {
  const vectors: Vector[] = [];
  const kit = await testKit(memory);
  const alice = await withDevice(await newRecoverable(memory, kit), 'phone');
  const [laptop, phone] = alice.devices as [TestDevice, TestDevice];
  const thawed = async (account: TestAccount) =>
    extended(account, (await createThaw(account.crypto, signing(account, laptop), phone.kid)).jws);
  const allowed = async (account: TestAccount, rights: Right[]) =>
    extended(
      account,
      (await createRightsChange(account.crypto, signing(account, laptop), phone.kid, rights)).jws,
    );

  /** A receipt of an answer that was made by an older log than the one that it holds. */
  const later = async (
    name: string,
    comment: string,
    code: ErrorCode,
    known: TestAccount,
    now: TestAccount,
    device = phone,
    asked = {},
  ) => {
    const { receipt } = await make(memory, name, {
      account: known,
      device,
      asked: { sealed: false, ...asked },
    });
    const statement = await checkpointFor(kit.broker.signer, now.log, NOW + 6);
    const checkpoint = { statement, key: kit.broker.signer.publicKey };
    vectors.push(
      invalid(name, comment, code, { receipt: { ...receipt, account_log: now.log.entries, checkpoint } }),
    );
  };

  const stopped = await frozen(alice, laptop, phone.kid);
  const again = await thawed(stopped);
  await later('frozen', 'by a device that is frozen', 'device-frozen', stopped, stopped);
  await later('frozen-then', 'by a device that was frozen then', 'device-frozen', stopped, again);
  await later('frozen-since', 'by a device that was frozen since', 'device-frozen', alice, stopped);
  await good('thawed', 'by a device that was thawed', { account: again, device: phone });
  const payment = { kind: 'payment' } as const;
  const less = await allowed(alice, ['answer']);
  const more = await allowed(less, ['answer', 'pay']);
  await later(
    'pay-missing-then',
    'a payment, without the right then',
    'device-not-entitled',
    less,
    more,
    phone,
    payment,
  );
  await later(
    'pay-taken-since',
    'a payment, the right taken since',
    'device-not-entitled',
    alice,
    less,
    phone,
    payment,
  );

  const renewed = await testDevice(memory, 'renewed');
  const word = await deviceWord(alice.log, renewed, 'renewed');
  const keys = { jws: word, kid: renewed.kid, enc: renewed.opener.publicKey };
  const epoch = newEpoch(alice.epochs[0]!);
  const rotation = await createRotation(alice.crypto, signing(alice, phone), keys, epoch);
  const rotated = await extended(alice, rotation.jws);
  await good('rotated', 'by a device with new keys', { account: rotated, device: renewed });
  await later('rotated-since', 'by its old keys', 'device-revoked', alice, rotated);

  const waiting = await recovered(alice, kit);
  const found = waiting.devices[2]!;
  const [from, to] = [await checkpointAt(waiting, kit, 0), await checkpointAt(waiting, kit, UNDO)];
  const whole = await extended(waiting, await completeEntry(waiting, found, from, to));
  await good('recovered', 'by a device whose probation is over', { account: whole, device: found });
  await later('on-probation', 'by a device on probation', 'device-on-probation', waiting, waiting, found);
  await later(
    'on-probation-then',
    'by a device that was on probation then',
    'log-invalid',
    waiting,
    whole,
    found,
  );
  return vectors;
}
