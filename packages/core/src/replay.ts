/**
 * Replaying a device log, whole or onward from what was replayed before.
 * @module
 */
import { applyEntry, checkSealedTo } from './apply-entry.ts';
import type { CryptoProvider } from './crypto-provider.ts';
import type { Device, DeviceLog } from './device-log.ts';
import { CountersignError } from './errors.ts';
import { GenesisEntry, LOG_ENTRIES } from './log-entries.ts';
import { keyFingerprint, parseStatement, verifyStatement } from './statement.ts';

/**
 * Replays a whole log.
 * @throws what `applyEntry` and reading a statement throw
 */
export async function replayLog(crypto: CryptoProvider, entries: readonly string[]): Promise<DeviceLog> {
  const [first, ...rest] = entries;
  if (first === undefined) throw new CountersignError('log-invalid', 'a log without entries');
  const genesis = await parseStatement(crypto, GenesisEntry, first);
  const { device, epoch, sub, iat, recovery } = genesis.payload;
  const kid = await keyFingerprint(crypto, device.sig);
  await verifyStatement(crypto, genesis, device.sig);
  if (!device.rights.includes('admit')) {
    throw new CountersignError('log-invalid', 'the first device must have the right to admit others');
  }
  if (epoch.n !== 0) throw new CountersignError('log-invalid', 'the first epoch must be number 0');
  checkSealedTo(epoch, [kid]);
  if (recovery !== undefined && (await keyFingerprint(crypto, recovery.key)) === kid) {
    throw new CountersignError('log-invalid', 'the first device’s key as the recovery key');
  }
  const founder: Device = { kid, ...device, addedAt: { seq: 0, iat } };
  return extendLog(
    crypto,
    {
      name: sub,
      identity: genesis.hash,
      head: { seq: 0, hash: genesis.hash },
      devices: new Map([[kid, founder]]),
      epoch,
      epochs: [epoch],
      epochSince: iat,
      ...(recovery === undefined ? {} : { recovery }),
      hashes: [genesis.hash],
      entries: [first],
    },
    rest,
  );
}

/** Replays further entries onto a log; throws as `replayLog` does. */
export async function extendLog(
  crypto: CryptoProvider,
  log: DeviceLog,
  entries: readonly string[],
): Promise<DeviceLog> {
  let current = log;
  for (const jws of entries) {
    current = await applyEntry(crypto, current, await parseStatement(crypto, LOG_ENTRIES, jws));
  }
  return current;
}

/**
 * What a client makes of entries that a broker gave it for an account that it knows: the log that it pinned
 * and all that follows.
 * @param offered entries from number `from` on, which must be a number that the pinned log has
 * @throws `log-rollback` where the offered head is older than the pinned one; `log-fork` where the offered log
 *   is another one; `account-changed` where even its first entry is
 */
export async function followLog(
  crypto: CryptoProvider,
  pinned: DeviceLog,
  offered: readonly string[],
  from = 0,
): Promise<DeviceLog> {
  const known = pinned.hashes.slice(from);
  for (const [i, hash] of known.entries()) {
    const jws = offered[i];
    if (jws === undefined) {
      throw new CountersignError(
        'log-rollback',
        `the device log of ${pinned.name} is shorter than the one seen before`,
        {
          hint: 'the broker hides entries, perhaps a revocation: do not trust it until its operator has explained',
        },
      );
    }
    const entry = await parseStatement(crypto, LOG_ENTRIES, jws);
    if (entry.hash === hash) continue;
    if (from + i === 0) {
      throw new CountersignError('account-changed', `${pinned.name} shows another first entry than before`, {
        hint: 'somebody may be posing as this account; if its owner really began anew, remove the contact and add it from a new link',
      });
    }
    throw new CountersignError(
      'log-fork',
      `the device log of ${pinned.name} differs from the one seen before, at entry ${from + i}`,
      {
        hint: 'the broker shows different logs at different times: do not trust it until its operator has explained',
      },
    );
  }
  return extendLog(crypto, pinned, offered.slice(known.length));
}
