/**
 * Shares of a recovery code, for contacts to keep: so many of them make the code again, fewer tell nothing
 * (Shamir's secret sharing, by a library). Each is typed like the code itself, with a check of its own.
 * @module
 */
import { createHash } from 'node:crypto';
import {
  CountersignError,
  type CryptoProvider,
  decodeBase32,
  encodeBase32,
  groupBase32,
  readRecoveryCode,
  recoveryCodeOf,
  ungroupBase32,
} from '@countersign/core';
import { combine, split } from 'shamir-secret-sharing';

/** The secret's 16 bytes and one that numbers the share. */
const SHARE_BYTES = 17;
const CHECK_BYTES = 3;
const LABEL = 'countersign recovery share 1';

export async function splitCode(
  crypto: CryptoProvider,
  code: string,
  shares: number,
  quorum: number,
): Promise<string[]> {
  const parts = await split(await readRecoveryCode(crypto, code), shares, quorum);
  return parts.map((part) => groupBase32(encodeBase32(Buffer.concat([part, checkOf(part)]))));
}

/**
 * The code that some shares make. Too few of them, or of different codes, make a code that is no account's.
 * @throws `recovery-invalid` for one that was mistyped
 */
export async function joinShares(crypto: CryptoProvider, typed: readonly string[]): Promise<string> {
  const parts = typed.map(parseShare);
  try {
    return await recoveryCodeOf(crypto, await combine(parts));
  } catch (cause) {
    throw new CountersignError('recovery-invalid', 'these shares do not go together', {
      cause,
      hint: 'give as many different ones as the account’s owner said',
    });
  }
}

function parseShare(typed: string, i: number): Uint8Array {
  const bytes = decodeBase32(ungroupBase32(typed));
  const part = bytes?.slice(0, SHARE_BYTES);
  const check = bytes?.slice(SHARE_BYTES);
  if (part?.length !== SHARE_BYTES || Buffer.compare(check!, checkOf(part)) !== 0) {
    throw new CountersignError('recovery-invalid', `share ${i + 1} is mistyped, or none`, {
      hint: 'it has 32 letters in eight groups of four',
    });
  }
  return part;
}

function checkOf(part: Uint8Array): Buffer {
  return createHash('sha256').update(LABEL).update(part).digest().subarray(0, CHECK_BYTES);
}
