/**
 * Test accounts, and the entries of their device logs, good and bad.
 * @module
 */
import {
  type CryptoProvider,
  createCheckpoint,
  createEpoch,
  createGenesis,
  createRevocation,
  createRotation,
  DeviceAddEntry,
  type DeviceLog,
  DeviceStatement,
  extendLog,
  type RecoveryProvision,
  RIGHTS,
  type Right,
  replayLog,
  type SignatureAlgorithm,
  type Signer,
  sealEpoch,
  signStatement,
} from '@countersign/core';
import { importOpener, webCrypto } from '@countersign/core/webcrypto';
import type { Memory } from './memory.ts';
import { BROKER, NOW, type PrivateJwk, sealingJwk, seeded, type TestDevice, testDevice } from './world.ts';

export interface TestAccount {
  readonly log: DeviceLog;
  /** In the order in which they came in, the revoked ones too. */
  readonly devices: readonly TestDevice[];
  /** Private keys of the epochs, by number. */
  readonly epochs: readonly PrivateJwk[];
  readonly memory: Memory;
  readonly crypto: CryptoProvider;
}

/** An account with one device, which may do all. */
export async function newAccount(
  memory: Memory,
  name: string,
  algorithm: SignatureAlgorithm = 'EdDSA',
  rights: readonly Right[] = RIGHTS,
  recovery?: RecoveryProvision,
): Promise<TestAccount> {
  const crypto = seeded(`account ${name}, ${algorithm}`);
  const device = await testDevice(memory, `${name} laptop`, algorithm);
  const epoch = sealingJwk(`${name} epoch 0`);
  const genesis = await createGenesis(crypto, {
    name,
    signer: device.signer,
    enc: device.opener.publicKey,
    deviceName: 'laptop',
    rights,
    epoch: newEpoch(epoch),
    recovery,
    now: NOW - 100_000,
  });
  const log = await replayLog(webCrypto, [genesis.jws]);
  return { log, devices: [device], epochs: [epoch], memory, crypto };
}

export interface Admission {
  readonly algorithm?: SignatureAlgorithm;
  readonly rights?: readonly Right[];
  readonly by?: TestDevice;
  /** Members of the entry that replace the honest ones. */
  readonly changed?: object;
}

/** The account with one more device. */
export async function withDevice(
  account: TestAccount,
  label: string,
  admission: Admission = {},
): Promise<TestAccount> {
  const device = await testDevice(
    account.memory,
    `${account.log.name} ${label}`,
    admission.algorithm ?? account.devices[0]!.signer.algorithm,
  );
  const entry = await addEntry(account, device, label, admission);
  const log = await extendLog(webCrypto, account.log, [entry]);
  return { ...account, log, devices: [...account.devices, device] };
}

/** The entry that lets a device in. */
export async function addEntry(
  account: TestAccount,
  device: TestDevice,
  name: string,
  { rights = ['answer', 'pay'], by = account.devices[0]!, changed = {} }: Admission = {},
): Promise<string> {
  const { log, crypto } = account;
  const to = { kid: device.kid, enc: device.opener.publicKey };
  const entry = await signStatement(crypto, DeviceAddEntry, by.signer, {
    sub: log.name,
    iat: NOW - 90_000,
    seq: log.head.seq + 1,
    prev: log.head.hash,
    device: await deviceWord(log, device, name),
    rights: [...rights],
    sealed: await sealEpoch(crypto, log.name, log.epoch.n, newEpoch(account.epochs.at(-1)!), to),
    ...changed,
  });
  return entry.jws;
}

/** A device's own statement that it wants to belong to an account. */
export async function deviceWord(
  { name: sub, identity: sub_id }: Pick<DeviceLog, 'name' | 'identity'>,
  device: TestDevice,
  name: string,
  signer: Signer = device.signer,
): Promise<string> {
  const { jws } = await signStatement(webCrypto, DeviceStatement, signer, {
    sub,
    sub_id,
    iat: NOW - 90_010,
    sig: device.signer.publicKey,
    enc: device.opener.publicKey,
    name,
  });
  return jws;
}

/** The entry that shows a device out. */
export async function revokeEntry(
  { crypto, log, devices }: TestAccount,
  kid: string,
  by: TestDevice = devices[0]!,
  reason: 'retired' | 'lost' | 'undone' = 'lost',
  now = NOW - 80_000,
): Promise<string> {
  return (await createRevocation(crypto, log, by.signer, kid, reason, now)).jws;
}

/** The entry by which a device takes new keys. */
export async function rotateEntry(
  account: TestAccount,
  by: TestDevice,
  to: TestDevice,
  word?: string,
  now = NOW - 70_000,
): Promise<string> {
  const { log, crypto, epochs } = account;
  const jws = word ?? (await deviceWord(log, to, 'renewed'));
  const device = { jws, kid: to.kid, enc: to.opener.publicKey };
  const signing = { signer: by.signer, log, now };
  return (await createRotation(crypto, signing, device, newEpoch(epochs.at(-1)!))).jws;
}

/** The account after some more entries. */
export async function extended(account: TestAccount, ...entries: string[]): Promise<TestAccount> {
  return { ...account, log: await extendLog(webCrypto, account.log, entries) };
}

/** The account with a new epoch. */
export async function withEpoch(account: TestAccount): Promise<TestAccount> {
  const { log, crypto, devices } = account;
  const key = sealingJwk(`${log.name} epoch ${log.epoch.n + 1}`);
  const entry = await createEpoch(crypto, log, devices[0]!.signer, newEpoch(key), NOW - 79_990);
  return { ...(await extended(account, entry.jws)), epochs: [...account.epochs, key] };
}

/** The account without a device, and with the new epoch that follows. */
export async function withoutDevice(account: TestAccount, kid: string): Promise<TestAccount> {
  return withEpoch(await extended(account, await revokeEntry(account, kid)));
}

/** The account as it was when its log had so many entries. */
export async function atLength(account: TestAccount, length: number): Promise<TestAccount> {
  return { ...account, log: await replayLog(webCrypto, account.log.entries.slice(0, length)) };
}

/** Reads what is sealed to an account's epochs. */
export function openerOf(account: Pick<TestAccount, 'epochs'>) {
  return async (n: number) => {
    const key = account.epochs[n];
    return key === undefined ? undefined : importOpener(key as JsonWebKey);
  };
}

/** A broker's word for an account's head. */
export async function checkpointFor(
  signer: Signer,
  log: Pick<DeviceLog, 'name' | 'identity' | 'head'>,
  at: number,
  broker = BROKER,
): Promise<string> {
  return (await createCheckpoint(webCrypto, signer, broker, log, at)).jws;
}

/** A private key as an epoch's sealed text holds it. */
export function newEpoch({ d, ...key }: PrivateJwk) {
  return { key, privateKey: JSON.stringify({ ...key, d }) };
}
