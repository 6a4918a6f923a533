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
  InvitationStatement,
  LONGEST_INVITATION,
  parseStatement,
  ticketHash,
  verifyEnrolment,
  verifyInvitation,
  verifyStatement,
} from '@countersign/core';
import { appendToLog, findAccount } from './accounts.ts';
import type { BrokerContext } from './context.ts';
import type { AccountRow, EnrolmentRow } from './store/store.ts';
import { checkTime } from './times.ts';

/** A fresh challenge for a new device, with what it needs to know of the account. */
export async function challengeDevice(context: BrokerContext, name: string, address: string) {
  const { crypto, signer, origins, now } = context;
  const account = await findAccount(context, name);
  const challenge = await createChallenge(crypto, signer, origins[0], account, address, now());
  return { challenge, identity: account.identity };
}

/** Takes a device's invitation. @throws `too-often` where it stands for too long */
export async function invite(context: BrokerContext, name: string, jws: string): Promise<void> {
  const { crypto, store, now } = context;
  const account = await findAccount(context, name);
  const { payload } = await verifyInvitation(crypto, jws, account);
  const { iat, exp, use, ticket } = payload;
  checkTime(context, iat);
  if (exp <= iat || exp - iat > LONGEST_INVITATION[use]) {
    throw new CountersignError(
      'statement-malformed',
      `${InvitationStatement.typ}: exp: it stands for too long`,
    );
  }
  if (exp <= now()) throw new CountersignError('pin-expired', 'the PIN has expired already');
  const uses = use === 'admit' ? 'one' : 'many';
  await store.createInvitation({ accountId: account.id, ticket, uses, exp, jws });
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
  const own = { broker: origins[0], key: publicKey, now: now() };
  const { facts } = await verifyEnrolment(crypto, jws, account, own);
  const { hash, kid, expiresAt: exp } = facts;
  const known = await store.findEnrolment(account.id, hash);
  if (known !== undefined) return { enrolment: known, created: false };
  if (now() - facts.askedAt > CHALLENGE_LIFE) {
    throw new CountersignError('challenge-invalid', 'the challenge is too old', {
      hint: 'ask for a fresh one',
    });
  }
  const hashed = await ticketHash(crypto, ticket);
  await checkInviter(context, account, hashed);
  const posted = await store.postEnrolment({ accountId: account.id, hash, kid, jws, exp }, hashed, now());
  if ('event' in posted) streams.publish(account.id, posted.event, undefined);
  switch (posted.outcome) {
    case 'posted':
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
    case 'pin-expired':
      throw new CountersignError('pin-expired', 'this PIN has expired', {
        hint: '`countersign device pin` on another device of the account gives a new one',
      });
  }
}

/** A PIN is worth nothing once the device that gave it is gone, or may let nobody in. */
async function checkInviter(context: BrokerContext, account: AccountRow, ticket: string): Promise<void> {
  const jws = await context.store.findInvitation(account.id, ticket);
  if (jws === undefined) return;
  try {
    await verifyInvitation(context.crypto, jws, account);
  } catch (cause) {
    throw new CountersignError('pin-expired', 'the device that gave this PIN is no longer in the account', {
      cause,
      hint: 'another device of the account can give one: `countersign device pin`, `device link`',
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
  const waiting = context.waitingDevices.wait(hash, Math.max(0, left));
  onGone(waiting.leave);
  try {
    const enrolment = (await context.store.findEnrolment(accountId, hash))!;
    if (enrolment.state !== 'waiting' || left <= 0) return enrolment;
    await waiting.settled;
    return (await context.store.findEnrolment(accountId, hash))!;
  } finally {
    waiting.leave();
  }
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
