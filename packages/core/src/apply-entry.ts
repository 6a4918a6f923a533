/**
 * What one entry does to a device log: who may sign it, and what is so after it.
 * @module
 */
import { CheckpointStatement } from './checkpoint.ts';
import type { CryptoProvider } from './crypto-provider.ts';
import {
  type At,
  activeDevice,
  activeDevices,
  checkRight,
  counts,
  type Device,
  type DeviceLog,
  isFrozen,
} from './device-log.ts';
import { CountersignError } from './errors.ts';
import {
  DeviceAddEntry,
  DeviceFreezeEntry,
  DeviceRevokeEntry,
  DeviceRightsEntry,
  DeviceRotateEntry,
  DeviceStatement,
  DeviceThawEntry,
  EpochEntry,
  type EpochKey,
  GenesisEntry,
  type LOG_ENTRIES,
  type LogEntry,
  RecoveryCompleteEntry,
  RecoveryEntry,
  RecoveryProof,
  RecoverySetEntry,
  type Right,
} from './log-entries.ts';
import {
  keyFingerprint,
  type PayloadOf,
  parseStatement,
  type Statement,
  verifyStatement,
} from './statement.ts';

/** Most devices that an account may have at a time. */
export const MAX_DEVICES = 20;

/** Who signed an entry: a device, whatever has become of it, or the holder of the printed code. */
type Author = { readonly device: Device } | { readonly device?: undefined };

/** What an entry changes. */
type Change = Partial<Pick<DeviceLog, 'devices' | 'epoch' | 'epochs' | 'epochSince' | 'recovery'>>;

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

async function verifyAuthor(
  crypto: CryptoProvider,
  log: DeviceLog,
  entry: Statement<LogEntry>,
): Promise<Author> {
  const device = log.devices.get(entry.kid);
  const byCode =
    device === undefined &&
    log.recovery !== undefined &&
    (await keyFingerprint(crypto, log.recovery.key)) === entry.kid;
  if (byCode) {
    await verifyStatement(crypto, entry, log.recovery!.key);
    return {};
  }
  // Says so where there is no such device, or it was shown out; a frozen one may still do this or that.
  if (device === undefined || device.revokedAt !== undefined) activeDevice(log, entry.kid);
  await verifyStatement(crypto, entry, device!.sig);
  return { device: device! };
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
  if (isKind(entry, RecoverySetEntry)) return setRecovery(log, author, entry);
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
  const device = presentDevice(log, payload.kid);
  const signer = author.device ?? refuse('a device is not shown out by the printed code: freeze it');
  const undoes = device.probation !== undefined && signer.probation === undefined;
  if (device.kid !== signer.kid && !undoes) entitled(log, author, 'admit');
  const devices = withDevice(log, {
    ...device,
    revokedAt: { ...at(payload), reason: payload.reason },
  });
  await checkNotLast(crypto, log, devices, payload);
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
  return { devices: withDevice(log, { ...device, freezes }) };
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
  else await checkProof(crypto, log, payload);
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
  await checkNotLast(crypto, log, devices, payload);
  return { devices };
}

async function rotate(
  crypto: CryptoProvider,
  log: DeviceLog,
  author: Author,
  { kid, payload }: Statement<PayloadOf<typeof DeviceRotateEntry>>,
): Promise<Change> {
  const old = activeDevice(log, kid);
  if (author.device === undefined) refuse('new keys for a device by another than itself');
  const own = await ownStatement(crypto, log, payload.device);
  const { sig, enc, name } = own.payload;
  if (own.kid !== kid && log.devices.has(own.kid)) refuse('a key that was in the account before');
  const { [kid]: _, ...others } = log.epoch.sealed;
  const epoch = { ...log.epoch, sealed: { ...others, [own.kid]: payload.sealed } };
  const devices = new Map(log.devices);
  if (own.kid === kid) devices.set(kid, { ...old, enc, name });
  else {
    devices.set(kid, { ...old, revokedAt: { ...at(payload), reason: 'rotated' } });
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

async function recover(
  crypto: CryptoProvider,
  log: DeviceLog,
  author: Author,
  { payload }: Statement<PayloadOf<typeof RecoveryEntry>>,
): Promise<Change> {
  if (author.device !== undefined) refuse('a recovery that is not signed by the recovery key');
  if ([...log.devices.values()].some(({ probation, revokedAt }) => probation && revokedAt === undefined)) {
    refuse('a second recovery while one is not decided');
  }
  const device = await newcomer(crypto, log, payload.device, payload.rights, at(payload));
  return { devices: withDevice(log, { ...device, probation: true }) };
}

async function completeRecovery(
  crypto: CryptoProvider,
  log: DeviceLog,
  author: Author,
  { payload }: Statement<PayloadOf<typeof RecoveryCompleteEntry>>,
): Promise<Change> {
  const { device } = author;
  if (device?.probation === undefined) refuse('the end of a probation by a device that is on none');
  if (isFrozen(device)) activeDevice(log, device.kid);
  const from = await checkpointTime(crypto, log, payload.from, device.addedAt.seq);
  const to = await checkpointTime(crypto, log, payload.to, device.addedAt.seq);
  const { undo } = log.recovery!;
  if (to - from < undo) {
    throw new CountersignError(
      'recovery-early',
      `a recovery can be undone for ${undo} s, and that is not over`,
      {
        retryAfter: undo - (to - from),
      },
    );
  }
  const { probation: _, ...counting } = device;
  return { devices: withDevice(log, { ...counting, addedAt: at(payload) }) };
}

function setRecovery(
  log: DeviceLog,
  author: Author,
  { payload }: Statement<PayloadOf<typeof RecoverySetEntry>>,
): Change {
  entitled(log, author, 'recover');
  return { recovery: payload.recovery };
}

/** The time of a checkpoint over this log, at its entry of a number or later. */
async function checkpointTime(
  crypto: CryptoProvider,
  log: DeviceLog,
  jws: string,
  notBefore: number,
): Promise<number> {
  const statement = await parseStatement(crypto, CheckpointStatement, jws);
  const { payload } = await verifyStatement(crypto, statement, log.recovery!.broker);
  const { sub, sub_id, head, iat } = payload;
  if (
    sub !== log.name ||
    sub_id !== log.identity ||
    log.hashes[head.seq] !== head.hash ||
    head.seq < notBefore
  ) {
    throw new CountersignError('recovery-invalid', 'a checkpoint that is not over this recovery');
  }
  return iat;
}

/** A device that was never in the account, by its own statement. */
async function newcomer(
  crypto: CryptoProvider,
  log: DeviceLog,
  statement: string,
  rights: readonly Right[],
  addedAt: At,
): Promise<Device> {
  const present = [...log.devices.values()].filter(({ revokedAt }) => revokedAt === undefined);
  if (present.length >= MAX_DEVICES) refuse(`more than ${MAX_DEVICES} devices`);
  const own = await ownStatement(crypto, log, statement);
  if (log.devices.has(own.kid)) refuse('a device that was in the account before: a key comes in once');
  const { sig, enc, name } = own.payload;
  return { kid: own.kid, sig, enc, name, rights, addedAt };
}

/** A device's own statement of its keys, which proves that it holds the signing key. */
async function ownStatement(crypto: CryptoProvider, log: DeviceLog, jws: string) {
  const own = await parseStatement(crypto, DeviceStatement, jws);
  await verifyStatement(crypto, own, own.payload.sig);
  if (own.payload.sub !== log.name || own.payload.sub_id !== log.identity) {
    throw new CountersignError('account-mismatch', 'the device asked to belong to another account');
  }
  return own;
}

/** The author as a device that counts and has a right. */
function entitled(log: DeviceLog, { device }: Author, right: Right): Device {
  if (device === undefined) {
    throw new CountersignError('device-not-entitled', 'the printed code alone may not do this');
  }
  const signer = activeDevice(log, device.kid);
  checkRight(signer, right);
  return signer;
}

/** A device that was not shown out, be it frozen or on probation. */
function presentDevice(log: DeviceLog, kid: string): Device {
  const device = log.devices.get(kid);
  if (device === undefined || device.revokedAt !== undefined) return activeDevice(log, kid);
  return device;
}

/**
 * The last device that may admit or recover goes only with the printed code at hand: else nobody could come in
 * again.
 */
async function checkNotLast(
  crypto: CryptoProvider,
  log: DeviceLog,
  devices: DeviceLog['devices'],
  payload: { readonly seq: number; readonly prev: string; readonly proof?: string | undefined },
): Promise<void> {
  const has = (among: DeviceLog['devices'], right: Right) =>
    [...among.values()].some((device) => counts(device) && device.rights.includes(right));
  const last = (['admit', 'recover'] as const).find(
    (right) => has(log.devices, right) && !has(devices, right),
  );
  if (last === undefined) return;
  if (payload.proof === undefined) {
    throw new CountersignError('last-device', `no other device has the right “${last}”`, {
      hint: 'let in or entitle another device first, or give the printed recovery code',
    });
  }
  await checkProof(crypto, log, payload);
}

/** @throws `recovery-invalid` */
async function checkProof(
  crypto: CryptoProvider,
  log: DeviceLog,
  { proof, seq, prev }: { readonly seq: number; readonly prev: string; readonly proof?: string | undefined },
): Promise<void> {
  if (proof === undefined || log.recovery === undefined) {
    throw new CountersignError('recovery-invalid', 'this needs the printed recovery code');
  }
  const statement = await parseStatement(crypto, RecoveryProof, proof);
  const { payload } = await verifyStatement(crypto, statement, log.recovery.key);
  if (payload.sub_id !== log.identity || payload.seq !== seq || payload.prev !== prev) {
    throw new CountersignError('recovery-invalid', 'a proof of the recovery code for another place');
  }
}

/** An epoch is sealed to the devices that count, each of them, and to no other. */
export function checkSealedTo(epoch: EpochKey, kids: readonly string[]): void {
  const sealed = Object.keys(epoch.sealed);
  if (sealed.length !== kids.length || !kids.every((kid) => Object.hasOwn(epoch.sealed, kid))) {
    refuse('an epoch key that is not sealed to exactly the devices of the account');
  }
}

function withDevice(log: DeviceLog, device: Device): DeviceLog['devices'] {
  return new Map([...log.devices, [device.kid, device]]);
}

function withBox(epoch: EpochKey, kid: string, box: string): EpochKey {
  return { ...epoch, sealed: { ...epoch.sealed, [kid]: box } };
}

function at({ seq, iat }: At): At {
  return { seq, iat };
}

function isKind<K extends (typeof LOG_ENTRIES)[number]>(
  entry: Statement<unknown>,
  kind: K,
): entry is Statement<PayloadOf<K>> {
  return entry.typ === kind.typ;
}

function refuse(what: string): never {
  throw new CountersignError('log-invalid', what);
}
