/**
 * Test accounts with a printed code, and the entries that only such accounts have.
 * @module
 */
import {
  createFreeze,
  createRecovery,
  createRecoveryComplete,
  createRecoveryProof,
  createRevocation,
  type RecoveryProvision,
  RIGHTS,
  type Right,
  type SignatureAlgorithm,
} from '@countersign/core';
import { checkpointFor, deviceWord, extended, newAccount, type TestAccount } from './accounts.ts';
import { ALICE } from './log-vectors.ts';
import type { Memory } from './memory.ts';
import { NOW, type TestDevice, testDevice } from './world.ts';

/** Seconds in which these accounts' recoveries can be undone: a week. */
export const UNDO = 604_800;

export interface Kit {
  /** The recovery key, and the broker's; neither is a device's. */
  readonly code: TestDevice;
  readonly broker: TestDevice;
  readonly provision: RecoveryProvision;
}

export async function testKit(
  memory: Memory,
  algorithm: SignatureAlgorithm = 'EdDSA',
  label = 'recovery',
): Promise<Kit> {
  const code = await testDevice(memory, `${label} key`, algorithm);
  const broker = await testDevice(memory, 'broker key', algorithm);
  const provision = { key: code.signer.publicKey, undo: UNDO, broker: broker.signer.publicKey };
  return { code, broker, provision };
}

/** An account with one device, and a printed code. */
export function newRecoverable(
  memory: Memory,
  kit: Kit,
  algorithm: SignatureAlgorithm = 'EdDSA',
): Promise<TestAccount> {
  return newAccount(memory, ALICE, algorithm, RIGHTS, kit.provision);
}

/** Who signs an account's next entry. */
export function signing({ log }: TestAccount, { signer }: TestDevice, now = NOW - 70_000) {
  return { signer, log, now };
}

export async function recoveryEntry(
  account: TestAccount,
  by: TestDevice,
  device: TestDevice,
  rights: readonly Right[] = RIGHTS,
): Promise<string> {
  const word = await deviceWord(account.log, device, device.label);
  return (await createRecovery(account.crypto, signing(account, by), word, rights)).jws;
}

/** The account with one more device, on probation: the last of its devices. */
export async function recovered(
  account: TestAccount,
  { code }: Kit,
  label = 'found',
  rights: readonly Right[] = RIGHTS,
): Promise<TestAccount> {
  const device = await testDevice(account.memory, label, account.devices[0]!.signer.algorithm);
  const after = await extended(account, await recoveryEntry(account, code, device, rights));
  return { ...after, devices: [...account.devices, device] };
}

export async function freezeEntry(account: TestAccount, by: TestDevice, kid: string): Promise<string> {
  return (await createFreeze(account.crypto, signing(account, by), kid)).jws;
}

export async function frozen(account: TestAccount, by: TestDevice, kid: string): Promise<TestAccount> {
  return extended(account, await freezeEntry(account, by, kid));
}

export async function undoEntry(
  account: TestAccount,
  by: TestDevice,
  kid: string,
  proof?: string,
): Promise<string> {
  const { log, crypto } = account;
  return (await createRevocation(crypto, log, by.signer, kid, 'undone', NOW - 70_000, proof)).jws;
}

/** A proof of the code for a log's next entry, to be signed by a device. */
export function proofFor({ crypto, log }: TestAccount, { code }: Kit, { kid }: TestDevice): Promise<string> {
  return createRecoveryProof(crypto, code.signer, log, kid);
}

/** The broker's word for an account's head, some seconds after the probation began. */
export function checkpointAt(
  { log }: Pick<TestAccount, 'log'>,
  { broker }: Kit,
  later: number,
): Promise<string> {
  return checkpointFor(broker.signer, log, NOW - 70_000 + later);
}

export async function completeEntry(
  account: TestAccount,
  by: TestDevice,
  from: string,
  to: string,
): Promise<string> {
  return (await createRecoveryComplete(account.crypto, signing(account, by), from, to)).jws;
}
