/**
 * A device log as lines: what became of which device, when, and by whose signature.
 * @module
 */
import {
  type CryptoProvider,
  DeviceAddEntry,
  DeviceFreezeEntry,
  type DeviceLog,
  DeviceRevokeEntry,
  DeviceRightsEntry,
  DeviceRotateEntry,
  DeviceStatement,
  DeviceThawEntry,
  EpochEntry,
  LOG_ENTRIES,
  type LogEntry,
  type PayloadOf,
  parseStatement,
  RecoveryCompleteEntry,
  RecoveryEntry,
  RecoverySetEntry,
  type Statement,
  type StatementKind,
} from '@countersign/core';
import { time } from './device-text.ts';

/** One line for each entry, oldest first. */
export function entryLines(crypto: CryptoProvider, log: DeviceLog): Promise<string[]> {
  return Promise.all(
    log.entries.map(async (jws, seq) => {
      const entry = await parseStatement<(typeof LOG_ENTRIES)[number]>(crypto, LOG_ENTRIES, jws);
      const by = log.devices.get(entry.kid)?.name ?? 'the recovery code';
      const what = await meaning(crypto, log, entry);
      return `${String(seq).padStart(4)}  ${time(entry.payload.iat)}  ${what}, signed by ${by}`;
    }),
  );
}

async function meaning(crypto: CryptoProvider, log: DeviceLog, entry: Statement<LogEntry>): Promise<string> {
  const named = (kid: string) => `${log.devices.get(kid)?.name ?? 'a device'} (${kid.slice(0, 9)})`;
  const inside = async (jws: string) => (await parseStatement(crypto, DeviceStatement, jws)).payload.name;
  const of = <K extends StatementKind>(kind: K): PayloadOf<K> | undefined =>
    entry.typ === kind.typ ? (entry.payload as PayloadOf<K>) : undefined;
  const add = of(DeviceAddEntry);
  if (add) return `${await inside(add.device)} is let in: ${add.rights.join(', ')}`;
  const revoke = of(DeviceRevokeEntry);
  if (revoke) return `${named(revoke.kid)} is shown out: ${revoke.reason}`;
  const freeze = of(DeviceFreezeEntry);
  if (freeze) return `${named(freeze.kid)} is frozen`;
  const thaw = of(DeviceThawEntry);
  if (thaw) return `${named(thaw.kid)} is thawed`;
  const rights = of(DeviceRightsEntry);
  if (rights) return `${named(rights.kid)} may: ${rights.rights.join(', ')}`;
  const rotate = of(DeviceRotateEntry);
  if (rotate) return `${await inside(rotate.device)} has new keys`;
  const epoch = of(EpochEntry);
  if (epoch) return `epoch ${epoch.epoch.n} begins`;
  const recovery = of(RecoveryEntry);
  if (recovery) return `${await inside(recovery.device)} comes in by the recovery code, on probation`;
  if (of(RecoveryCompleteEntry)) return 'the recovery is complete';
  if (of(RecoverySetEntry)) return 'another recovery code holds';
  return 'the account is made';
}
