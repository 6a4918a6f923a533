/**
 * Statements that name the log's head that their device knew: they are judged by the log as it was there, and stay good
 * whatever becomes of the device.
 * @module
 */
import type { CryptoProvider } from './crypto-provider.ts';
import { checkKnownHead, checkRight, type DeviceLog, deviceAt, type Head } from './device-log.ts';
import type { Right } from './log-entries.ts';
import { type Statement, type Verified, verifyStatement } from './statement.ts';

/**
 * Checks a statement by its account's log: its device was in the account at the head that it names, with a right.
 * @param hashAt hash of the log's entry of a number, if there is one
 * @throws `log-rollback`, `log-fork`, `device-unknown`, `device-revoked`, `device-frozen`, `device-not-entitled`,
 *   `signature-invalid`
 */
export async function verifyAtHead<P extends { readonly head: Head }>(
  crypto: CryptoProvider,
  statement: Statement<P>,
  account: Pick<DeviceLog, 'name' | 'devices'>,
  hashAt: (seq: number) => string | undefined,
  right: Right,
): Promise<Verified<P>> {
  const { head } = statement.payload;
  checkKnownHead(head, hashAt);
  const device = deviceAt(account, statement.kid, head.seq);
  checkRight(device, right);
  return verifyStatement(crypto, statement, device.sig);
}
