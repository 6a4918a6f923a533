/**
 * PINs and links by which new devices may come before an account's door: given by its devices, and taken back.
 * @module
 */
import {
  activeDevice,
  CountersignError,
  checkRight,
  InvitationCancelStatement,
  InvitationStatement,
  LONGEST_INVITATION,
  parseStatement,
  verifyInvitation,
  verifyStatement,
} from '@countersign/core';
import { findAccount } from './accounts.ts';
import type { BrokerContext } from './context.ts';
import type { AccountRow } from './store/store.ts';
import { checkTime } from './times.ts';

/** Takes a device's invitation; the same again is a safe retry. */
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

/** Takes an invitation back, by any device that may admit; the same again is a safe retry. */
export async function cancelInvitation(
  context: BrokerContext,
  name: string,
  ticket: string,
  jws: string,
): Promise<void> {
  const { crypto, store, now } = context;
  const account = await findAccount(context, name);
  const statement = await parseStatement(crypto, InvitationCancelStatement, jws);
  const by = activeDevice(account, statement.kid);
  checkRight(by, 'admit');
  const { sub_id, iat } = statement.payload;
  if (sub_id !== account.identity || statement.payload.ticket !== ticket) {
    throw new CountersignError('account-mismatch', 'the statement is about another PIN');
  }
  checkTime(context, iat);
  await verifyStatement(crypto, statement, by.sig);
  const outcome = await store.cancelInvitation(account.id, ticket, jws, now());
  if (outcome !== 'cancelled') throw NOT_CANCELLED[outcome]();
}

const NOT_CANCELLED = {
  'pin-wrong': () => new CountersignError('pin-wrong', 'this account gave no such PIN'),
  'pin-expired': () => new CountersignError('pin-expired', 'this PIN has expired already'),
  'pin-used': () =>
    new CountersignError('pin-used', 'a device came by this PIN already', {
      hint: 'turn it away: `countersign device reject`; if it is in, `countersign device revoke`',
    }),
} as const;

/** The invitations that still stand, as they were signed, oldest first. */
export async function listInvitations(context: BrokerContext, account: AccountRow): Promise<string[]> {
  const standing: string[] = [];
  for (const jws of await context.store.listInvitations(account.id, context.now())) {
    if ((await verifyInviter(context, account, jws)) === undefined) standing.push(jws);
  }
  return standing;
}

/** A PIN is worth nothing once the device that gave it is gone, or may let nobody in. */
export async function checkInviter(
  context: BrokerContext,
  account: AccountRow,
  ticket: string,
): Promise<void> {
  const jws = await context.store.findInvitation(account.id, ticket);
  const cause = jws === undefined ? undefined : await verifyInviter(context, account, jws);
  if (cause !== undefined) {
    throw new CountersignError('pin-expired', 'the device that gave this PIN is no longer in the account', {
      cause,
      hint: 'another device of the account can give one: `countersign device pin`, `device link`',
    });
  }
}

async function verifyInviter(
  { crypto }: BrokerContext,
  account: AccountRow,
  jws: string,
): Promise<CountersignError | undefined> {
  try {
    await verifyInvitation(crypto, jws, account);
    return undefined;
  } catch (error) {
    if (error instanceof CountersignError) return error;
    throw error;
  }
}
