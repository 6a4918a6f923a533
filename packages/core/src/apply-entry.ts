/**
 * What one entry does to a device log: who may sign it, and what is so after it.
 * @module
 */
import {
  checkNotLast,
  checkProof,
  completeRecovery,
  mayStill,
  recover,
  setRecovery,
} from './apply-recovery.ts';
import type { CryptoProvider } from './crypto-provider.ts';
import { activeDevices, checkRight, counts, type DeviceLog, isFrozen } from './device-log.ts';
import {
  type Author,
  at,
  type Change,
  counting,
  entitled,
  presentDevice,
  refuse,
  verifyAuthor,
  withDevice,
} from './entry-author.ts';
import { CountersignError } from './errors.ts';
import {
  DeviceAddEntry,
  DeviceFreezeEntry,
  DeviceRevokeEntry,
  DeviceRightsEntry,
  DeviceRotateEntry,
  DeviceThawEntry,
  EpochEntry,
  type EpochKey,
  GenesisEntry,
  type LOG_ENTRIES,
  type LogEntry,
  RecoveryCompleteEntry,
  RecoveryEntry,
  RecoverySetEntry,
} from './log-entries.ts';
import { checkNewKey, newcomer, ownStatement } from './new-device.ts';
import type { PayloadOf, Statement } from './statement.ts';

/**
 * The log after one more entry.
 * @throws `log-invalid`, `signature-invalid`, `device-unknown`, `device-revoked`, `device-frozen`,
 *   `device-on-probation`, `device-not-entitled`, `account-mismatch`, `last-device`, `recovery-invalid`,
 *   `recovery-early`
 */
export async function applyEntry(
  crypto: CryptoProvider,
  log: DeviceLog,
  entry: Statement<LogEntry>,
): Promise<DeviceLog> {
  if (isKind(entry, GenesisEntry)) refuse('a second first entry');
  const { sub, seq, prev } = entry.payload as { sub: string; seq: number; prev: string };
  if (sub !== log.name) refuse(`an entry of ${sub} in the log of ${log.name}`);
  if (seq !== log.head.seq + 1) refuse(`entry ${seq} after entry ${log.head.seq}`);
  if (prev !== log.head.hash) refuse(`entry ${seq} follows another entry than the one before it`);
  const author = await verifyAuthor(crypto, log, entry);
  return {
    ...log,
    ...(await changeBy(crypto, log, author, entry)),
    head: { seq, hash: entry.hash },
    hashes: [...log.hashes, entry.hash],
    entries: [...log.entries, entry.jws],
  };
}

function changeBy(
  crypto: CryptoProvider,
  log: DeviceLog,
  author: Author,
  entry: Statement<LogEntry>,
): Change | Promise<Change> {
  if (isKind(entry, DeviceAddEntry)) return admit(crypto, log, author, entry);
  if (isKind(entry, DeviceRevokeEntry)) return revoke(crypto, log, author, entry);
  if (isKind(entry, DeviceFreezeEntry)) return freeze(log, author, entry);
  if (isKind(entry, DeviceThawEntry)) return thaw(crypto, log, author, entry);
  if (isKind(entry, DeviceRightsEntry)) return changeRights(crypto, log, author, entry);
  if (isKind(entry, DeviceRotateEntry)) return rotate(crypto, log, author, entry);
  if (isKind(entry, EpochEntry)) return beginEpoch(log, author, entry);
  if (isKind(entry, RecoveryEntry)) return recover(crypto, log, author, entry);
  if (isKind(entry, RecoveryCompleteEntry)) return completeRecovery(crypto, log, author, entry);
  if (isKind(entry, RecoverySetEntry)) return setRecovery(crypto, log, author, entry);
  return refuse('an entry of unknown kind');
}

async function admit(
  crypto: CryptoProvider,
  log: DeviceLog,
  author: Author,
  { payload }: Statement<PayloadOf<typeof DeviceAddEntry>>,
): Promise<Change> {
  const signer = entitled(log, author, 'admit');
  for (const right of payload.rights) checkRight(signer, right);
  const device = await newcomer(crypto, log, payload.device, payload.rights, at(payload));
  const epoch = withBox(log.epoch, device.kid, payload.sealed);
  return { devices: withDevice(log, device), epoch, epochs: log.epochs.with(-1, epoch) };
}

async function revoke(
  crypto: CryptoProvider,
  log: DeviceLog,
  author: Author,
  { payload }: Statement<PayloadOf<typeof DeviceRevokeEntry>>,
): Promise<Change> {
  const gone = log.devices.get(payload.kid)?.revokedAt;
  if (payload.reason === 'lost' && (gone?.reason === 'retired' || gone?.reason === 'rotated')) {
    // A thief retires the device, or rotates its key, so that what they signed stands. It stays out since it went.
    entitled(log, author, 'admit');
    const device = log.devices.get(payload.kid)!;
    return { devices: withDevice(log, { ...device, revokedAt: { ...gone, reason: 'lost' } }) };
  }
  const device = presentDevice(log, payload.kid);
  // One on probation goes by the word of any other device, or of the code that let it in.
  const undoes = device.probation !== undefined;
  if (author.device?.kid !== device.kid && !undoes) entitled(log, author, 'admit');
  const devices = withDevice(log, {
    ...device,
    revokedAt: { ...at(payload), reason: payload.reason },
  });
  await checkNotLast(crypto, log, author, devices, payload);
  return { devices };
}

function freeze(
  log: DeviceLog,
  author: Author,
  { payload }: Statement<PayloadOf<typeof DeviceFreezeEntry>>,
): Change {
  const device = presentDevice(log, payload.kid);
  if (isFrozen(device)) refuse('a device that is frozen already');
  if (author.device !== undefined && author.device.kid !== device.kid) entitled(log, author, 'admit');
  const freezes = [...(device.freezes ?? []), at(payload)];
  const devices = withDevice(log, { ...device, freezes });
  if (
    log.recovery === undefined &&
    mayStill(log.devices, 'admit', counts) &&
    !mayStill(devices, 'admit', counts)
  ) {
    throw new CountersignError('last-device', 'nobody could end this freeze: no other device may admit', {
      hint: 'let in or entitle another device first, or set a recovery code',
    });
  }
  return { devices };
}

async function thaw(
  crypto: CryptoProvider,
  log: DeviceLog,
  author: Author,
  { payload }: Statement<PayloadOf<typeof DeviceThawEntry>>,
): Promise<Change> {
  const device = presentDevice(log, payload.kid);
  if (!isFrozen(device)) refuse('a device that is not frozen');
  if (author.device?.kid !== device.kid) entitled(log, author, 'admit');
  else {
    // Who came in by the code has it anyway: the proof would prove nothing.
    if (device.probation !== undefined) {
      throw new CountersignError('device-on-probation', 'a device on probation does not thaw itself');
    }
    await checkProof(crypto, log, device, payload);
  }
  const last = device.freezes!.at(-1)!;
  const freezes = device.freezes!.with(-1, { ...last, until: payload.seq });
  return { devices: withDevice(log, { ...device, freezes }) };
}

async function changeRights(
  crypto: CryptoProvider,
  log: DeviceLog,
  author: Author,
  { payload }: Statement<PayloadOf<typeof DeviceRightsEntry>>,
): Promise<Change> {
  const signer = entitled(log, author, 'admit');
  const device = presentDevice(log, payload.kid);
  for (const right of payload.rights) if (!device.rights.includes(right)) checkRight(signer, right);
  const formerRights = [...(device.formerRights ?? []), { rights: device.rights, until: payload.seq }];
  const devices = withDevice(log, { ...device, rights: payload.rights, formerRights });
  await checkNotLast(crypto, log, author, devices, payload);
  return { devices };
}

async function rotate(
  crypto: CryptoProvider,
  log: DeviceLog,
  author: Author,
  { kid, payload }: Statement<PayloadOf<typeof DeviceRotateEntry>>,
): Promise<Change> {
  const old = counting(log, author);
  const own = await ownStatement(crypto, log, payload.device);
  const { sig, enc, name } = own.payload;
  if (own.kid !== kid) await checkNewKey(crypto, log, own.kid);
  const { [kid]: _, ...others } = log.epoch.sealed;
  const epoch = { ...log.epoch, sealed: { ...others, [own.kid]: payload.sealed } };
  const devices = new Map(log.devices);
  if (own.kid === kid) devices.set(kid, { ...old, enc, name });
  else {
    devices.set(kid, { ...old, revokedAt: { ...at(payload), reason: 'rotated' }, successor: own.kid });
    devices.set(own.kid, { kid: own.kid, sig, enc, name, rights: old.rights, addedAt: at(payload) });
  }
  return { devices, epoch, epochs: log.epochs.with(-1, epoch) };
}

function beginEpoch(
  log: DeviceLog,
  author: Author,
  { payload: { epoch, iat } }: Statement<PayloadOf<typeof EpochEntry>>,
): Change {
  entitled(log, author, 'admit');
  if (epoch.n !== log.epoch.n + 1) refuse(`epoch ${epoch.n} after epoch ${log.epoch.n}`);
  checkSealedTo(
    epoch,
    activeDevices(log).map(({ kid }) => kid),
  );
  return { epoch, epochs: [...log.epochs, epoch], epochSince: iat };
}

/** An epoch is sealed to the devices that count, each of them, and to no other. */
export function checkSealedTo(epoch: EpochKey, kids: readonly string[]): void {
  const sealed = Object.keys(epoch.sealed);
  if (sealed.length !== kids.length || !kids.every((kid) => Object.hasOwn(epoch.sealed, kid))) {
    refuse('an epoch key that is not sealed to exactly the devices of the account');
  }
}

function withBox(epoch: EpochKey, kid: string, box: string): EpochKey {
  return { ...epoch, sealed: { ...epoch.sealed, [kid]: box } };
}

function isKind<K extends (typeof LOG_ENTRIES)[number]>(
  entry: Statement<unknown>,
  kind: K,
): entry is Statement<PayloadOf<K>> {
  return entry.typ === kind.typ;
}
