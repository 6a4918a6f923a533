/**
 * Accounts and their device logs, as the broker keeps them: it refuses what no reader would accept, and
 * nobody takes its word for the rest.
 * @module
 */

import {
  CountersignError,
  counts,
  createCheckpoint,
  type Device,
  DeviceFreezeEntry,
  type DeviceLog,
  DeviceRevokeEntry,
  EpochEntry,
  extendLog,
  isSealable,
  keyFingerprint,
  LOG_ENTRIES,
  type LogEntry,
  type PublicSigningJwk,
  parseStatement,
  RecoveryCompleteEntry,
  RecoveryEntry,
  replayLog,
  type Statement,
  verifyStatement,
} from '@countersign/core';
import { networkOf } from '@countersign/http/network';
import type { BrokerContext } from './context.ts';
import { judgeGrowth, MAX_EPOCH_BOX } from './limits.ts';
import type { Accepted, AccountRow } from './store/store.ts';

/** Checkpoints are signed at most this often per account, in seconds. */
const CHECKPOINT_LIFE = 15;

/** A page of a log: at most so many entries, and no further one past so many characters. */
const PAGE_ENTRIES = 200;
const PAGE_CHARACTERS = 512 * 1024;

/**
 * Registers an account.
 * @param address where the call came from
 * @throws `too-often`, `account-exists`, `name-invalid`, and what replaying its log throws
 */
export async function registerAccount(
  context: BrokerContext,
  entries: readonly string[],
  address: string,
): Promise<AccountRow> {
  const log = await replayLog(context.crypto, entries);
  const domain = log.name.slice(log.name.indexOf('@') + 1);
  if (context.domains.length > 0 && !context.domains.includes(domain)) {
    throw new CountersignError('name-invalid', `this broker keeps no accounts of ${domain}`, {
      hint: `it keeps those of ${context.domains.join(', ')}`,
    });
  }
  const known = await context.store.findAccount(log.name);
  // Whoever registers the same account again had lost the first answer.
  if (known?.identity === log.identity) return known;
  context.registrations.count(networkOf(address), context.now());
  judgeGrowth(undefined, log, false);
  return context.store.createAccount(rowOf(log), context.now());
}

/** @throws `account-unknown` */
export async function findAccount(context: BrokerContext, name: string): Promise<AccountRow> {
  const account = await context.store.findAccount(name);
  if (account === undefined) {
    throw new CountersignError('account-unknown', `there is no account ${name} here`, {
      hint: 'check the name; `countersign account create` makes a new one',
    });
  }
  return account;
}

/** An account found by name, which must be the one that a statement means. */
export async function findIdentified(
  context: BrokerContext,
  name: string,
  identity: string,
): Promise<AccountRow> {
  const account = await findAccount(context, name);
  if (account.identity !== identity) {
    throw new CountersignError('account-changed', `${name} is another account here than you mean`, {
      hint: 'compare fingerprints with its owner',
    });
  }
  return account;
}

/**
 * Appends entries, if they follow from the log as it is. What needs no replay is checked first: a post that no
 * key of the account signed costs as much as any other.
 * @param accepted the waiting device that they let in
 */
export async function appendToLog(
  context: BrokerContext,
  name: string,
  entries: readonly string[],
  accepted?: Accepted,
): Promise<DeviceLog> {
  const { crypto, store, streams, replayed } = context;
  const account = await findAccount(context, name);
  const parsed: Statement<LogEntry>[] = [];
  for (const jws of entries) parsed.push(await parseStatement(crypto, LOG_ENTRIES, jws));
  for (const entry of parsed) {
    checkInside(account, entry.kid);
    checkBoxes(entry);
  }
  await checkFollows(context, account, parsed[0]!);
  const log = await replayedLog(context, account);
  const next = await extendLog(crypto, log, entries);
  judgeGrowth(log, next, recovers(parsed));
  countEntries(context, parsed, next);
  const event = await store.appendLog(account.id, log.head, { ...rowOf(next), entries }, accepted);
  replayed.set(account.id, next);
  streams.publish(account.id, event, undefined);
  tell(context, account, parsed, next);
  for (const device of next.devices.values()) {
    if (!counts(device)) streams.cut(account.id, device.kid);
  }
  return next;
}

/** What begins or ends a recovery; and the epoch that follows it. */
function recovers([first, ...others]: readonly Statement<LogEntry>[]): boolean {
  return (
    (first!.typ === RecoveryEntry.typ || first!.typ === RecoveryCompleteEntry.typ) &&
    others.length <= 1 &&
    others.every(({ typ }) => typ === EpochEntry.typ)
  );
}

/** Each happens once to a device, and nobody who has to do it is to wait. */
const UNCOUNTED: ReadonlySet<string> = new Set(
  [DeviceRevokeEntry, DeviceFreezeEntry, RecoveryEntry, RecoveryCompleteEntry].map(({ typ }) => typ),
);

/**
 * Counts what devices add to their log: a stolen one would fill it in minutes.
 * @throws `too-often` with `retryAfter`
 */
function countEntries(
  { appends, now }: BrokerContext,
  entries: readonly Statement<LogEntry>[],
  { devices }: DeviceLog,
): void {
  const counted = entries.filter(
    ({ typ }, i) =>
      !UNCOUNTED.has(typ) && !(typ === EpochEntry.typ && i > 0 && UNCOUNTED.has(entries[i - 1]!.typ)),
  );
  const replaced = new Map<number, Device>();
  for (const device of devices.values()) {
    if (device.revokedAt?.reason === 'rotated') replaced.set(device.revokedAt.seq, device);
  }
  // A device with new keys is the one that it was.
  const firstKid = (kid: string) => {
    for (let device = devices.get(kid); device !== undefined; device = replaced.get(device.addedAt.seq)) {
      kid = device.kid;
    }
    return kid;
  };
  const times = new Map<string, number>();
  for (const { kid } of counted) times.set(firstKid(kid), (times.get(firstKid(kid)) ?? 0) + 1);
  for (const [kid, n] of times) appends.count(kid, now(), n);
}

/** A box of more than a key would be somebody's way to fill the log. */
function checkBoxes({ payload }: Statement<LogEntry>): void {
  const boxes = [
    ...('sealed' in payload ? [payload.sealed] : []),
    ...('epoch' in payload ? Object.values(payload.epoch.sealed) : []),
  ];
  if (boxes.every(({ length }) => length <= MAX_EPOCH_BOX)) return;
  throw new CountersignError('input-invalid', `a sealed key of more than ${MAX_EPOCH_BOX} characters`);
}

/** Tells those whom no stream reaches: a recovery to every device, and what matters to the addresses. */
function tell(
  { push, mail, now }: BrokerContext,
  account: AccountRow,
  entries: readonly Statement<LogEntry>[],
  next: DeviceLog,
): void {
  const recovery = entries.find(({ typ }) => typ === RecoveryEntry.typ);
  const undoable = now() + (next.recovery?.undo ?? 0);
  if (recovery !== undefined) push.notify(account, recovery.hash, undoable);
  mail?.notify(account, entries, undoable);
}

/** What a store keeps of a log. */
function rowOf(log: DeviceLog) {
  return { ...log, epoch: sealableEpoch(log), recoveryKey: log.recovery?.key ?? ('none' as const) };
}

async function proveLogged({ store, tree }: BrokerContext, { id, head }: AccountRow, known: number) {
  const { index, leaf } = (await store.tree.findLeaf(id, head.seq))!;
  const { size, note } = await tree.head(Math.max(index + 1, Math.min(known, await tree.size())));
  return {
    tree_head: note,
    index,
    leaf,
    inclusion: await tree.inclusion(index, size),
    ...(known > 0 && known <= size ? { consistency: await tree.consistency(known, size) } : {}),
  };
}

function sealableEpoch(log: DeviceLog): number {
  return isSealable(log) ? log.epoch.n : -1;
}

/** An entry that stands at the head, and is signed by a key of the account. */
async function checkFollows(
  { crypto }: BrokerContext,
  account: AccountRow,
  entry: Statement<LogEntry>,
): Promise<void> {
  const { seq } = entry.payload;
  if (seq <= account.head.seq) {
    throw new CountersignError('log-conflict', 'the log has grown since you read it', {
      hint: 'read it again, and repeat on the new head',
    });
  }
  if (
    !('prev' in entry.payload) ||
    seq !== account.head.seq + 1 ||
    entry.payload.prev !== account.head.hash
  ) {
    throw new CountersignError('log-invalid', `entry ${seq} does not follow entry ${account.head.seq}`);
  }
  const key = account.devices.get(entry.kid)?.sig ?? (await codeKey(crypto, account, entry.kid));
  if (key !== undefined) await verifyStatement(crypto, entry, key);
}

/**
 * The key of the printed code, where a kid names it; nothing where the row does not know.
 * @throws `device-unknown`
 */
async function codeKey(
  crypto: BrokerContext['crypto'],
  { name, recoveryKey }: AccountRow,
  kid: string,
): Promise<PublicSigningJwk | undefined> {
  if (recoveryKey === undefined) return undefined;
  if (recoveryKey !== 'none' && (await keyFingerprint(crypto, recoveryKey)) === kid) return recoveryKey;
  throw new CountersignError('device-unknown', `${name} has no device ${kid}`);
}

/** An account's log, from memory where it was replayed before. */
export async function replayedLog(
  { crypto, store, replayed }: BrokerContext,
  account: AccountRow,
): Promise<DeviceLog> {
  const known = replayed.get(account.id);
  if (known?.head.hash === account.head.hash) return known;
  const log = await replayLog(crypto, await store.readLog(account.id, 0));
  replayed.set(account.id, log);
  return log;
}

/** A device that was let in, and has not signed that it is in, changes nothing. */
function checkInside(account: AccountRow, kid: string): void {
  if (!account.incomplete.has(kid)) return;
  throw new CountersignError('enrolment-incomplete', 'this device has yet to say that it is in', {
    hint: 'run `countersign device complete` on it',
  });
}

/**
 * A page of entries from a number on, with the broker's word for the newest entry that there is, and the proof
 * that it stands in its tree.
 * @param known size of the tree that the reader saw last, 0 for none
 */
export async function readLog(context: BrokerContext, name: string, from: number, known: number) {
  const account = await findAccount(context, name);
  const found = await context.store.readLog(account.id, from, PAGE_ENTRIES);
  const entries = firstPage(found);
  return {
    name,
    identity: account.identity,
    entries,
    ...(from + entries.length <= account.head.seq ? { more: true as const } : {}),
    checkpoint: await checkpointOf(context, account),
    transparency: await proveLogged(context, account, known),
  };
}

function firstPage(entries: readonly string[]): string[] {
  let characters = 0;
  return entries.filter(({ length }, i) => {
    characters += length;
    return i === 0 || characters <= PAGE_CHARACTERS;
  });
}

const recent = new WeakMap<AccountRow, { jws: string; until: number }>();

/** A checkpoint for an account's head, at most some seconds old, and not older than `notBefore`. */
export async function checkpointOf(
  context: BrokerContext,
  account: AccountRow,
  notBefore = 0,
): Promise<string> {
  const now = context.now();
  const known = recent.get(account);
  if (known !== undefined && known.until > now && known.until - CHECKPOINT_LIFE >= notBefore)
    return known.jws;
  const { jws } = await createCheckpoint(context.crypto, context.signer, context.origins[0], account, now);
  recent.set(account, { jws, until: now + CHECKPOINT_LIFE });
  return jws;
}
