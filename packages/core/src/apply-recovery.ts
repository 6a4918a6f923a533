/**
 * What the printed code may do to a device log, and what may be done only with it at hand.
 * @module
 */
import { CheckpointStatement } from './checkpoint.ts';
import type { CryptoProvider } from './crypto-provider.ts';
import { activeDevice, checkRight, counts, type Device, type DeviceLog, isFrozen } from './device-log.ts';
import { type Author, at, type Change, entitled, refuse, withDevice } from './entry-author.ts';
import { CountersignError } from './errors.ts';
import {
  type RecoveryCompleteEntry,
  type RecoveryEntry,
  RecoveryProof,
  type RecoveryProvision,
  type RecoverySetEntry,
  RIGHTS,
  type Right,
} from './log-entries.ts';
import { newcomer } from './new-device.ts';
import {
  keyFingerprint,
  type PayloadOf,
  parseStatement,
  type Statement,
  verifyStatement,
} from './statement.ts';

/** Of an entry, what a proof in it is judged by. */
interface Proven {
  readonly seq: number;
  readonly prev: string;
  readonly proof?: string | undefined;
}

export async function recover(
  crypto: CryptoProvider,
  log: DeviceLog,
  author: Author,
  { payload }: Statement<PayloadOf<typeof RecoveryEntry>>,
): Promise<Change> {
  if (author.device !== undefined) refuse('a recovery that is not signed by the recovery key');
  checkDecided(log);
  const device = await newcomer(crypto, log, payload.device, payload.rights, at(payload));
  return { devices: withDevice(log, { ...device, probation: true }) };
}

export async function completeRecovery(
  crypto: CryptoProvider,
  log: DeviceLog,
  author: Author,
  { payload }: Statement<PayloadOf<typeof RecoveryCompleteEntry>>,
): Promise<Change> {
  const { device } = author;
  if (device?.probation === undefined) refuse('the end of a probation by a device that is on none');
  if (isFrozen(device)) activeDevice(log, device.kid);
  const from = await checkpointTime(crypto, log, payload.from, device.addedAt.seq);
  const to = await checkpointTime(crypto, log, payload.to, device.addedAt.seq);
  const { undo } = log.recovery!;
  if (to - from < undo) {
    throw new CountersignError('recovery-early', `a recovery can be undone for ${undo} s: that is not over`, {
      retryAfter: undo - (to - from),
    });
  }
  const { probation: _, ...counting } = device;
  return { devices: withDevice(log, { ...counting, addedAt: at(payload) }) };
}

export async function setRecovery(
  crypto: CryptoProvider,
  log: DeviceLog,
  author: Author,
  { payload: { recovery } }: Statement<PayloadOf<typeof RecoverySetEntry>>,
): Promise<Change> {
  const signer = entitled(log, author, 'recover');
  // Who names the clock, or shortens the time, decides when a recovery counts; and that one has any right.
  if (!(await keepsUndo(crypto, log.recovery, recovery))) {
    for (const right of RIGHTS) checkRight(signer, right);
  }
  checkDecided(log);
  const kid = await keyFingerprint(crypto, recovery.key);
  if (log.devices.has(kid)) refuse('a device’s key as the recovery key');
  return { recovery };
}

/** Whether a provision leaves who measures the undo period, and gives no less time. */
async function keepsUndo(
  crypto: CryptoProvider,
  before: RecoveryProvision | undefined,
  after: RecoveryProvision,
): Promise<boolean> {
  if (before === undefined || after.undo < before.undo) return false;
  return (await keyFingerprint(crypto, before.broker)) === (await keyFingerprint(crypto, after.broker));
}

/** One recovery at a time; and none is decided by another provision than it began under. */
function checkDecided(log: DeviceLog): void {
  if ([...log.devices.values()].some(({ probation, revokedAt }) => probation && revokedAt === undefined)) {
    refuse('a recovery is not decided yet: undo it, or let it end');
  }
}

/** The time of a checkpoint over this log, at its entry of a number or later. */
async function checkpointTime(
  crypto: CryptoProvider,
  log: DeviceLog,
  jws: string,
  notBefore: number,
): Promise<number> {
  const statement = await parseStatement(crypto, CheckpointStatement, jws);
  const { payload } = await verifyStatement(crypto, statement, log.recovery!.broker);
  const { sub, sub_id, head, iat } = payload;
  if (
    sub !== log.name ||
    sub_id !== log.identity ||
    log.hashes[head.seq] !== head.hash ||
    head.seq < notBefore
  ) {
    throw new CountersignError('recovery-invalid', 'a checkpoint that is not over this recovery');
  }
  return iat;
}

/** Which devices stand in for which: a frozen one does nothing, but one that may admit can be thawed by the code. */
const STAND_INS = [
  ['admit', counts],
  ['recover', counts],
  ['admit', isIn],
] as const;

/**
 * The last device that may admit or recover goes only with the printed code at hand: else nobody could come in
 * again.
 */
export async function checkNotLast(
  crypto: CryptoProvider,
  log: DeviceLog,
  { device }: Author,
  devices: DeviceLog['devices'],
  payload: Proven,
): Promise<void> {
  const last = STAND_INS.find(
    ([right, among]) => mayStill(log.devices, right, among) && !mayStill(devices, right, among),
  );
  if (last === undefined) return;
  if (payload.proof === undefined) {
    throw new CountersignError('last-device', `no other device has the right “${last[0]}”`, {
      hint: 'let in or entitle another device first, or give the printed recovery code',
    });
  }
  await checkProof(crypto, log, device!, payload);
}

/** Whether one of some devices has a right. */
export function mayStill(
  devices: DeviceLog['devices'],
  right: Right,
  among: (device: Device) => boolean,
): boolean {
  return [...devices.values()].some((device) => among(device) && device.rights.includes(right));
}

/** Whether a device is in the account, frozen or not: neither shown out nor on probation. */
function isIn({ revokedAt, probation }: Device): boolean {
  return revokedAt === undefined && probation === undefined;
}

/** @throws `recovery-invalid`, and what reading and verifying a statement throws */
export async function checkProof(
  crypto: CryptoProvider,
  log: DeviceLog,
  signer: Device,
  { proof, seq, prev }: Proven,
): Promise<void> {
  if (proof === undefined || log.recovery === undefined) {
    throw new CountersignError('recovery-invalid', 'this needs the printed recovery code');
  }
  const statement = await parseStatement(crypto, RecoveryProof, proof);
  const { payload } = await verifyStatement(crypto, statement, log.recovery.key);
  const { sub_id, kid } = payload;
  if (sub_id !== log.identity || payload.seq !== seq || payload.prev !== prev || kid !== signer.kid) {
    throw new CountersignError('recovery-invalid', 'a proof of the recovery code for something else');
  }
}
