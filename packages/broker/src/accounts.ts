/**
 * Accounts and their device logs, as the broker keeps them: it refuses what no reader would accept, and
 * nobody takes its word for the rest.
 * @module
 */
import {
  CountersignError,
  counts,
  createCheckpoint,
  type DeviceLog,
  extendLog,
  isSealable,
  LOG_ENTRIES,
  parseStatement,
  replayLog,
} from '@countersign/core';
import type { BrokerContext } from './context.ts';
import type { Accepted, AccountRow } from './store/store.ts';

/** Checkpoints are signed at most this often per account, in seconds. */
const CHECKPOINT_LIFE = 15;

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
  context.registrations.count(address, context.now());
  return context.store.createAccount({ ...log, epoch: sealableEpoch(log) }, context.now());
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
 * Appends entries, if they follow from the log as it is.
 * @param accepted the waiting device that they let in
 */
export async function appendToLog(
  context: BrokerContext,
  name: string,
  entries: readonly string[],
  accepted?: Accepted,
): Promise<DeviceLog> {
  const account = await findAccount(context, name);
  const log = await replayLog(context.crypto, await context.store.readLog(account.id, 0));
  const first = await parseStatement(context.crypto, LOG_ENTRIES, entries[0]!);
  if (first.payload.seq <= log.head.seq) {
    throw new CountersignError('log-conflict', 'the log has grown since you read it', {
      hint: 'read it again, and repeat on the new head',
    });
  }
  const next = await extendLog(context.crypto, log, entries);
  for (const jws of entries) await checkInside(context, account, log, jws);
  const { head, devices } = next;
  const changed = { head, devices, epoch: sealableEpoch(next), entries };
  const event = await context.store.appendLog(account.id, log.head, changed, accepted);
  context.streams.publish(account.id, event, undefined);
  for (const device of devices.values()) {
    if (!counts(device)) context.streams.cut(account.id, device.kid);
  }
  return next;
}

/** A device that was let in, and has not signed that it is in, changes nothing. */
async function checkInside(
  context: BrokerContext,
  account: AccountRow,
  log: DeviceLog,
  jws: string,
): Promise<void> {
  const { kid } = await parseStatement(context.crypto, LOG_ENTRIES, jws);
  if (log.devices.has(kid) && !account.devices.has(kid)) {
    throw new CountersignError('enrolment-incomplete', 'this device has yet to say that it is in', {
      hint: 'run `countersign device complete` on it',
    });
  }
}

/**
 * Entries from a number on, with the broker's word that these are the newest, and the proof that their head
 * stands in its tree.
 * @param known size of the tree that the reader saw last, 0 for none
 */
export async function readLog(context: BrokerContext, name: string, from: number, known: number) {
  const account = await findAccount(context, name);
  const entries = await context.store.readLog(account.id, from);
  const checkpoint = await checkpointOf(context, account);
  const transparency = await proveLogged(context, account, known);
  return { name, identity: account.identity, entries, checkpoint, transparency };
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
