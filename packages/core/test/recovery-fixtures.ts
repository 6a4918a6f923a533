/**
 * Accounts that can be recovered: a printed code's key, a broker that measures the time, a device on probation.
 * @module
 */
import { createRecovery } from '../src/account-entries.ts';
import { createCheckpoint } from '../src/checkpoint.ts';
import type { DeviceLog } from '../src/device-log.ts';
import { type RecoveryProvision, RIGHTS, type Right } from '../src/log-entries.ts';
import { generateSigner, type WebSigner, webCrypto } from '../src/webcrypto.ts';
import {
  BROKER,
  grown,
  NOW,
  newAccount,
  newDevice,
  ownWord,
  signing,
  type TestAccount,
  type TestDevice,
} from './fixtures.ts';

export const UNDO = 7200;

export interface Kit {
  readonly code: WebSigner;
  readonly broker: WebSigner;
  readonly provision: RecoveryProvision;
}

export async function newKit(undo = UNDO): Promise<Kit> {
  const [code, broker] = [await generateSigner('EdDSA'), await generateSigner('EdDSA')];
  return { code, broker, provision: { key: code.publicKey, undo, broker: broker.publicKey } };
}

export interface Recoverable {
  readonly account: TestAccount;
  readonly kit: Kit;
}

export async function newRecoverable(devices = 2): Promise<Recoverable> {
  const kit = await newKit();
  return { account: await newAccount('alice@example.com', { devices, recovery: kit.provision }), kit };
}

/** The account with one more device, on probation: the last of its devices. */
export async function recovered(
  account: TestAccount,
  { code }: Kit,
  rights: readonly Right[] = RIGHTS,
  device?: TestDevice,
): Promise<TestAccount> {
  const found = device ?? (await newDevice());
  const word = await ownWord(account.log, found);
  const after = await grown(account, await createRecovery(webCrypto, signing(account, code), word, rights));
  return { ...after, devices: [...account.devices, found] };
}

/** The broker's word for a log's head, some seconds from now. */
export async function checkpointAt(log: DeviceLog, { broker }: Kit, later: number): Promise<string> {
  return (await createCheckpoint(webCrypto, broker, BROKER, log, NOW + later)).jws;
}
