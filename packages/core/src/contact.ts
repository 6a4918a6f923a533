/**
 * Who may ask: an account's own list of enquirers, each change a statement signed by one of its devices and
 * chained to the one before. The broker enforces the list, and so does every device, for itself. A `block`
 * stays until it is lifted; a change stays good when the device that made it is revoked later.
 * @module
 */
import * as v from 'valibot';
import { AccountName } from './account-name.ts';
import type { CryptoProvider, Signer } from './crypto-provider.ts';
import type { DeviceLog } from './device-log.ts';
import { CountersignError } from './errors.ts';
import { Hash, KnownHead, Seconds, wholeFrom } from './keys.ts';
import { parseStatement, type Statement, signStatement, statementKind, type Verified } from './statement.ts';
import { verifyAtHead } from './verify-at-head.ts';

/** `allow` lets it ask, `block` silences it, `forget` makes it a stranger again. */
export const Policy = v.picklist(['allow', 'block', 'forget']);
export type Policy = v.InferOutput<typeof Policy>;

export const ContactStatement = statementKind(
  'contact',
  v.strictObject({
    sub: AccountName,
    sub_id: Hash,
    /** Counts the changes of this list from 1, without a gap. */
    seq: wholeFrom(1),
    /** Hash of the change before; absent from the first. */
    prev: v.optional(Hash),
    iat: Seconds,
    /** The newest entry of the account's log that the device knew: it must have been in the account then. */
    head: KnownHead,
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
  /** Hash of the newest change. */
  readonly hash?: string;
  /** Length of the account's log that the newest change knew. */
  readonly headSeq: number;
  /** By identity. */
  readonly contacts: ReadonlyMap<string, Contact>;
}

export const NO_CONTACTS: ContactList = { seq: 0, headSeq: 0, contacts: new Map() };

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
    ...(list.hash === undefined ? {} : { prev: list.hash }),
    iat: now,
    head: account.head,
    contact: contact.name,
    contact_id: contact.identity,
    policy,
  });
}

/**
 * Checks one change by the account's log: its device was in the account at the head that it names, with the
 * right to answer.
 * @param hashAt hash of the log's entry of a number, if there is one
 * @throws `account-mismatch`, `log-rollback`, `log-fork`, `device-unknown`, `device-revoked`,
 *   `device-not-entitled`, `signature-invalid`
 */
export async function verifyContact(
  crypto: CryptoProvider,
  statement: Statement<ContactPayload>,
  account: Pick<DeviceLog, 'name' | 'identity' | 'devices'>,
  hashAt: (seq: number) => string | undefined,
): Promise<Verified<ContactPayload>> {
  const { sub, sub_id } = statement.payload;
  if (sub !== account.name || sub_id !== account.identity) {
    throw new CountersignError('account-mismatch', 'a change of another account’s contacts');
  }
  return verifyAtHead(crypto, statement, account, hashAt, 'answer');
}

/**
 * The list after one more verified change.
 * @throws `contact-conflict` where it does not follow the ones before
 */
export function applyContact(list: ContactList, { payload, hash }: Verified<ContactPayload>): ContactList {
  const { seq, prev, head, contact: name, contact_id: identity, policy } = payload;
  // A device that knew less of the log than the change before may have been revoked in between.
  if (seq !== list.seq + 1 || prev !== list.hash || head.seq < list.headSeq) {
    throw new CountersignError('contact-conflict', `change ${seq} does not follow change ${list.seq}`, {
      hint: 'another device changed the contacts: read them again and repeat',
    });
  }
  const contacts = new Map(list.contacts);
  if (policy === 'forget') contacts.delete(identity);
  else contacts.set(identity, { name, identity, policy });
  return { seq, hash, headSeq: head.seq, contacts };
}

export function parseContact(crypto: CryptoProvider, jws: string): Promise<Statement<ContactPayload>> {
  return parseStatement(crypto, ContactStatement, jws);
}
