/**
 * Who may ask: an account's own list of enquirers, each change a statement signed by one of its devices. The
 * broker enforces the list, and so does every device, for itself. A `block` stays until it is lifted.
 * @module
 */
import * as v from 'valibot';
import { AccountName } from './account-name.ts';
import type { CryptoProvider, Signer } from './crypto-provider.ts';
import { activeDevice, type DeviceLog } from './device-log.ts';
import { CountersignError } from './errors.ts';
import { Hash, Seconds } from './keys.ts';
import {
  parseStatement,
  type Statement,
  signStatement,
  statementKind,
  type Verified,
  verifyStatement,
} from './statement.ts';

/** `allow` lets it ask, `block` silences it, `forget` makes it a stranger again. */
export const Policy = v.picklist(['allow', 'block', 'forget']);
export type Policy = v.InferOutput<typeof Policy>;

export const ContactStatement = statementKind(
  'contact',
  v.strictObject({
    sub: AccountName,
    sub_id: Hash,
    /** Counts the changes of this list from 1, without a gap. */
    seq: v.pipe(v.number(), v.integer(), v.minValue(1)),
    iat: Seconds,
    contact: AccountName,
    contact_id: Hash,
    policy: Policy,
  }),
);
export type ContactPayload = v.InferOutput<typeof ContactStatement.schema>;

export interface Contact {
  readonly name: string;
  readonly identity: string;
  readonly policy: 'allow' | 'block';
}

/** The list after some changes. */
export interface ContactList {
  readonly seq: number;
  /** By identity. */
  readonly contacts: ReadonlyMap<string, Contact>;
}

export const NO_CONTACTS: ContactList = { seq: 0, contacts: new Map() };

/** Signs the next change of a list. */
export function createContact(
  crypto: CryptoProvider,
  signer: Signer,
  account: DeviceLog,
  list: ContactList,
  contact: { name: string; identity: string },
  policy: Policy,
  now: number,
): Promise<Verified<ContactPayload>> {
  return signStatement(crypto, ContactStatement, signer, {
    sub: account.name,
    sub_id: account.identity,
    seq: list.seq + 1,
    iat: now,
    contact: contact.name,
    contact_id: contact.identity,
    policy,
  });
}

/**
 * Checks one change by the account's log.
 * @throws `account-mismatch`, `device-unknown`, `device-revoked`, `signature-invalid`
 */
export async function verifyContact(
  crypto: CryptoProvider,
  statement: Statement<ContactPayload>,
  account: Pick<DeviceLog, 'name' | 'identity' | 'devices'>,
): Promise<Verified<ContactPayload>> {
  if (statement.payload.sub !== account.name || statement.payload.sub_id !== account.identity) {
    throw new CountersignError('account-mismatch', 'a change of another account’s contacts');
  }
  const device = activeDevice(account as DeviceLog, statement.kid);
  return verifyStatement(crypto, statement, device.sig);
}

/**
 * The list after one more verified change.
 * @throws `contact-conflict` where it does not follow the ones before
 */
export function applyContact(list: ContactList, { payload }: Verified<ContactPayload>): ContactList {
  if (payload.seq !== list.seq + 1) {
    throw new CountersignError('contact-conflict', `change ${payload.seq} after change ${list.seq}`, {
      hint: 'another device changed the contacts: read them again and repeat',
    });
  }
  const contacts = new Map(list.contacts);
  if (payload.policy === 'forget') contacts.delete(payload.contact_id);
  else {
    const { contact: name, contact_id: identity, policy } = payload;
    contacts.set(identity, { name, identity, policy });
  }
  return { seq: payload.seq, contacts };
}

export function parseContact(crypto: CryptoProvider, jws: string): Promise<Statement<ContactPayload>> {
  return parseStatement(crypto, ContactStatement, jws);
}
