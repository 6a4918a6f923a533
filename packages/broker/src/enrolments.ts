/**
 * New devices before an account's door. The broker keeps the door: who comes without a good ticket is not let
 * wait, who waits may do nothing else, and who was let in may do nothing until it has signed that it is in.
 * @module
 */
import {
  activeDevice,
  CHALLENGE_LIFE,
  CountersignError,
  checkRight,
  createChallenge,
  DeviceAddEntry,
  type DeviceLog,
  DeviceStatement,
  EnrolmentAcceptStatement,
  EnrolmentCompleteStatement,
  type EnrolmentPayload,
  EnrolmentRejectStatement,
  EnrolmentStatement,
  parseStatement,
  ticketHash,
  verifyEnrolment,
  verifyStatement,
} from '@countersign/core';
import { appendToLog, findAccount } from './accounts.ts';
import type { BrokerContext } from './context.ts';
import { checkInviter } from './invitations.ts';
import type { AccountRow, EnrolmentRow } from './store/store.ts';
import { checkTime } from './times.ts';

/** Seconds for which a push service keeps an alert for a device that is off. */
const ALERT_STANDS = 86_400;

/** A fresh challenge for a new device, with what it needs to know of the account. */
export async function challengeDevice(context: BrokerContext, name: string, address: string) {
  const { crypto, signer, origins, now } = context;
  const account = await findAccount(context, name);
  const challenge = await createChallenge(crypto, signer, origins[0], account, address, now());
  return { challenge, identity: account.identity };
}

/** Lets a new device wait, if it came with a good ticket; the same again is a safe retry. */
export async function postEnrolment(
  context: BrokerContext,
  name: string,
  jws: string,
  ticket: string,
): Promise<{ enrolment: EnrolmentRow; created: boolean }> {
  const { crypto, store, now, origins, publicKey, streams } = context;
  const account = await findAccount(context, name);
  const { hash } = await parseStatement(crypto, EnrolmentStatement, jws);
  // Whoever lost the answer may come back late, and learn then that it was let in.
  const known = await store.findEnrolment(account.id, hash);
  if (known?.jws === jws) return { enrolment: known, created: false };
  const own = { broker: origins[0], key: publicKey, now: now() };
  const { facts } = await verifyEnrolment(crypto, jws, account, own);
  const { kid, expiresAt: exp } = facts;
  if (now() - facts.askedAt > CHALLENGE_LIFE) {
    throw new CountersignError('challenge-invalid', 'the challenge is too old', {
      hint: 'ask for a fresh one',
    });
  }
  const hashed = await ticketHash(crypto, ticket);
  await checkInviter(context, account, hashed);
  const posted = await store.postEnrolment({ accountId: account.id, hash, kid, jws, exp }, hashed, now());
  if ('event' in posted && posted.event !== undefined) {
    streams.publish(account.id, posted.event, undefined);
    if (posted.outcome === 'pin-used' || posted.outcome === 'pin-cancelled') {
      context.push.notify(account, hash, now() + ALERT_STANDS);
      context.mail?.alert(account, posted.outcome);
    }
  }
  switch (posted.outcome) {
    case 'posted':
      context.push.notify(account, hash, exp);
      return { enrolment: posted.enrolment, created: true };
    case 'same':
      return { enrolment: posted.enrolment, created: false };
    case 'too-many-enrolments':
      throw new CountersignError(
        'too-many-enrolments',
        'too many devices wait before this account, or came',
        {
          hint: 'try again in an hour; a device of the account can see how many were kept from it',
          retryAfter: 3600,
        },
      );
    case 'pin-wrong':
      throw new CountersignError('pin-wrong', 'this account gave no such PIN', {
        hint: 'compare it with the screen of the device that gave it; `countersign device pin` gives a new one',
      });
    case 'pin-used':
      throw new CountersignError('pin-used', 'this PIN was used before', {
        hint: 'if that was not you, a device that you do not know may be before the door: look at `countersign device pending` and `device list` on your other device',
      });
    case 'pin-cancelled':
      throw new CountersignError('pin-cancelled', 'this PIN was taken back', {
        hint: '`countersign device pin` on another device of the account gives a new one',
      });
    case 'pin-expired':
      throw new CountersignError('pin-expired', 'this PIN has expired', {
        hint: '`countersign device pin` on another device of the account gives a new one',
      });
  }
}

/** @throws `enrolment-unknown` */
export async function findEnrolment(
  context: BrokerContext,
  name: string,
  hash: string,
): Promise<{ account: AccountRow; enrolment: EnrolmentRow }> {
  const account = await findAccount(context, name);
  const enrolment = await context.store.findEnrolment(account.id, hash);
  if (enrolment === undefined) throw new CountersignError('enrolment-unknown', 'no such device waits here');
  return { account, enrolment };
}

/** What has become of a waiting device, once that is decided or the wait is over. */
export async function awaitEnrolment(
  context: BrokerContext,
  { accountId, hash, exp }: EnrolmentRow,
  waitMs: number,
  onGone: (leave: () => void) => void,
): Promise<EnrolmentRow> {
  const left = Math.min(waitMs, (exp - context.now()) * 1000);
  let row: EnrolmentRow | undefined;
  await context.waitingDevices.look(hash, left, onGone, async () => {
    row = await context.store.findEnrolment(accountId, hash);
    return row?.state === 'waiting' ? undefined : row;
  });
  return row!;
}

/** Lets a waiting device in: the log's entries that do so, the accepting device's word, and room keys for it. */
export async function acceptEnrolment(
  context: BrokerContext,
  name: string,
  hash: string,
  jws: string,
  entries: readonly string[],
  share: string | undefined,
): Promise<DeviceLog> {
  const { crypto } = context;
  const { account, enrolment } = await findEnrolment(context, name, hash);
  const statement = await parseStatement(crypto, EnrolmentAcceptStatement, jws);
  const by = activeDevice(account, statement.kid);
  checkRight(by, 'admit');
  checkAbout(context, account, hash, statement.payload);
  await verifyStatement(crypto, statement, by.sig);
  checkWaiting(context, enrolment);
  const asked = (await parseEnrolment(context, enrolment)).device;
  const last = await parseStatement(crypto, DeviceAddEntry, entries.at(-1)!);
  if (last.payload.device !== asked) {
    throw new CountersignError(
      'enrolment-mismatch',
      'the entry lets in another device than the one that waits',
    );
  }
  const log = await appendToLog(context, name, entries, { enrolment, statement: jws, share });
  context.waitingDevices.wake(hash, true);
  return log;
}

/** Turns a waiting device away. */
export async function rejectEnrolment(
  context: BrokerContext,
  name: string,
  hash: string,
  jws: string,
): Promise<void> {
  const { account, enrolment } = await findEnrolment(context, name, hash);
  const statement = await parseStatement(context.crypto, EnrolmentRejectStatement, jws);
  checkAbout(context, account, hash, statement.payload);
  await verifyStatement(context.crypto, statement, activeDevice(account, statement.kid).sig);
  if (enrolment.state === 'rejected') return;
  checkWaiting(context, enrolment);
  await settle(context, account, enrolment, 'rejected', jws);
}

/** Takes a new device's word that it has opened what was sealed to it: now it is in. */
export async function completeEnrolment(
  context: BrokerContext,
  name: string,
  hash: string,
  jws: string,
): Promise<void> {
  const { crypto } = context;
  const { account, enrolment } = await findEnrolment(context, name, hash);
  const statement = await parseStatement(crypto, EnrolmentCompleteStatement, jws);
  checkAbout(context, account, hash, statement.payload);
  const { device } = await parseEnrolment(context, enrolment);
  const { sig } = (await parseStatement(crypto, DeviceStatement, device)).payload;
  await verifyStatement(crypto, statement, sig);
  if (enrolment.state === 'complete') return;
  if (enrolment.state !== 'accepted') {
    throw new CountersignError('enrolment-settled', `the device was ${enrolment.state}, not accepted`);
  }
  await settle(context, account, enrolment, 'complete', jws);
}

async function settle(
  context: BrokerContext,
  account: AccountRow,
  enrolment: EnrolmentRow,
  state: 'rejected' | 'complete',
  jws: string,
): Promise<void> {
  const event = await context.store.settleEnrolment(enrolment, state, jws, context.now());
  if (event === undefined) {
    throw new CountersignError('enrolment-settled', 'this device was decided on already');
  }
  context.streams.publish(account.id, event, undefined);
  context.waitingDevices.wake(enrolment.hash, true);
}

async function parseEnrolment({ crypto }: BrokerContext, { jws }: EnrolmentRow): Promise<EnrolmentPayload> {
  return (await parseStatement(crypto, EnrolmentStatement, jws)).payload;
}

function checkWaiting(context: BrokerContext, { state, exp }: EnrolmentRow): void {
  if (state !== 'waiting') {
    throw new CountersignError('enrolment-settled', 'this device was decided on already');
  }
  if (exp <= context.now()) {
    throw new CountersignError('enrolment-expired', 'the device has waited too long', {
      hint: 'begin again on the new device',
    });
  }
}

/** A statement that settles an enrolment is about this one, and of this minute. */
function checkAbout(
  context: BrokerContext,
  account: AccountRow,
  hash: string,
  about: { readonly sub_id: string; readonly enrolment: string; readonly iat: number },
): void {
  if (about.sub_id !== account.identity || about.enrolment !== hash) {
    throw new CountersignError('enrolment-mismatch', 'the statement is about another device');
  }
  checkTime(context, about.iat);
}
