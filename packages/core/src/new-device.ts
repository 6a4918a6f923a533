/**
 * What a device log takes in: a key that is new to it, by the word of whoever holds it.
 * @module
 */
import type { CryptoProvider } from './crypto-provider.ts';
import type { At, Device, DeviceLog } from './device-log.ts';
import { refuse } from './entry-author.ts';
import { CountersignError } from './errors.ts';
import { DeviceStatement, type Right } from './log-entries.ts';
import { keyFingerprint, parseStatement, verifyStatement } from './statement.ts';

/** Most devices that an account may have at a time. */
export const MAX_DEVICES = 20;

/** A device that was never in the account, by its own statement. */
export async function newcomer(
  crypto: CryptoProvider,
  log: DeviceLog,
  statement: string,
  rights: readonly Right[],
  addedAt: At,
): Promise<Device> {
  const present = [...log.devices.values()].filter(({ revokedAt }) => revokedAt === undefined);
  if (present.length >= MAX_DEVICES) refuse(`more than ${MAX_DEVICES} devices`);
  const own = await ownStatement(crypto, log, statement);
  await checkNewKey(crypto, log, own.kid);
  const { sig, enc, name } = own.payload;
  return { kid: own.kid, sig, enc, name, rights, addedAt };
}

/** A key comes in once, and the recovery key never: each key has one role. */
export async function checkNewKey(crypto: CryptoProvider, log: DeviceLog, kid: string): Promise<void> {
  if (log.devices.has(kid)) refuse('a key that was in the account before: it comes in once');
  if (log.recovery !== undefined && (await keyFingerprint(crypto, log.recovery.key)) === kid) {
    refuse('the recovery key as a device’s key');
  }
}

/** A device's own statement of its keys, which proves that it holds the signing key. */
export async function ownStatement(crypto: CryptoProvider, log: DeviceLog, jws: string) {
  const own = await parseStatement(crypto, DeviceStatement, jws);
  await verifyStatement(crypto, own, own.payload.sig);
  if (own.payload.sub !== log.name || own.payload.sub_id !== log.identity) {
    throw new CountersignError('account-mismatch', 'the device asked to belong to another account');
  }
  return own;
}
