/**
 * What the vectors of all entries of a device log share.
 * @module
 */
import {
  type Device,
  type DeviceLog,
  type ErrorCode,
  isFrozen,
  keyFingerprint,
  statementId,
} from '@countersign/core';
import { webCrypto } from '@countersign/core/webcrypto';
import type { TestAccount } from './accounts.ts';
import { flipMembers, invalid, type Vector, valid } from './vector.ts';

export const ALICE = 'alice@example.com';

export const OTHER_HASH = 'AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA';

/** What a replay finds, as readers in every language print it. */
export async function foundIn({ log }: { readonly log: DeviceLog }) {
  const { recovery } = log;
  return {
    name: log.name,
    identity: log.identity,
    fingerprint: await statementId(webCrypto, log.identity),
    head: log.head,
    devices: [...log.devices.values()].map(foundDevice),
    epoch: log.epoch.n,
    sealed_to: Object.keys(log.epoch.sealed).sort(),
    ...(recovery === undefined
      ? {}
      : {
          recovery: {
            key: await keyFingerprint(webCrypto, recovery.key),
            undo: recovery.undo,
            broker: await keyFingerprint(webCrypto, recovery.broker),
          },
        }),
  };
}

function foundDevice(device: Device) {
  const { kid, name, rights, addedAt, revokedAt, freezes, probation } = device;
  return {
    kid,
    name,
    rights,
    state: stateOf(device),
    added_seq: addedAt.seq,
    ...(isFrozen(device) ? { frozen_seq: freezes!.at(-1)!.seq } : {}),
    ...(probation === undefined ? {} : { probation }),
    ...(revokedAt === undefined ? {} : { revoked_seq: revokedAt.seq, reason: revokedAt.reason }),
  };
}

function stateOf(device: Device): 'revoked' | 'frozen' | 'on probation' | 'active' {
  if (device.revokedAt !== undefined) return 'revoked';
  if (isFrozen(device)) return 'frozen';
  return device.probation === undefined ? 'active' : 'on probation';
}

export async function goodLog(name: string, comment: string, account: TestAccount): Promise<Vector> {
  return valid(name, comment, { entries: account.log.entries }, await foundIn(account));
}

/** Each member of the last entry changed under its old signature. */
export function flippedLast(
  prefix: string,
  entries: readonly string[],
  codes: Readonly<Record<string, ErrorCode>>,
  special: Readonly<Record<string, unknown>> = {},
): Vector[] {
  return flipMembers(entries.at(-1)!, special).map(({ path, jws }) =>
    invalid(
      `${prefix}-${path}-flipped`,
      `${path} changed under the old signature`,
      codes[path] ?? 'signature-invalid',
      { entries: entries.with(-1, jws) },
    ),
  );
}

export const REPLAYED = '`entries` are replayed from the first on.';

/** What the entries after the first fail by where their place in the log is changed, before any signature. */
export const PLACE = { sub: 'log-invalid', seq: 'log-invalid', prev: 'log-invalid' } as const;
