/**
 * The terms of a mutual session: what both pages are told of it before anything is typed. Both bind them, so
 * that a server which tells the one page something else than the other makes no match.
 * @module
 */
import * as v from 'valibot';
import { AccountName } from './account-name.ts';
import { BASE64URL_16_BYTES, decodeBase64url } from './base64url.ts';
import { DisplayLine } from './display-line.ts';
import { Hash } from './keys.ts';
import { lvCat } from './length-value.ts';
import type { SessionPayload } from './mutual-session.ts';
import { Origin } from './origin.ts';

export const MAX_SESSION_FIELDS = 3;
/** A link gives this many tries; both pages hold to it, whatever the server says. */
export const SESSION_TRIES = 5;
const MAX_FIELD_NAME_BYTES = 64;
const MAX_DESCRIPTION_BYTES = 256;
const CHANNEL = 'countersign session 1';

const Bytes16 = v.pipe(v.string(), v.regex(BASE64URL_16_BYTES, 'expected 16 bytes in base64url'));

export const SessionField = v.strictObject({
  name: DisplayLine(MAX_FIELD_NAME_BYTES),
  type: v.picklist(['text', 'number', 'date']),
  description: v.optional(DisplayLine(MAX_DESCRIPTION_BYTES)),
});
export type SessionField = v.InferOutput<typeof SessionField>;

export const SessionTerms = v.strictObject({
  /** The session's id: 128 random bits. */
  session: Bytes16,
  /** `cpace` between two open pages; `digest`, which is weaker, where nobody is live on the organisation's side. */
  mode: v.picklist(['cpace', 'digest']),
  /** Origin of the broker. */
  broker: Origin,
  organisation: AccountName,
  /** Hash of the first entry of the organisation's device log. */
  organisation_id: Hash,
  /** Drawn for this session alone. */
  salt: Bytes16,
  subject: v.optional(DisplayLine(MAX_DESCRIPTION_BYTES)),
  fields: v.pipe(
    v.array(SessionField),
    v.minLength(1),
    v.maxLength(MAX_SESSION_FIELDS),
    v.check(
      (fields) => new Set(fields.map(({ name }) => name)).size === fields.length,
      'two fields of one name',
    ),
  ),
});
export type SessionTerms = v.InferOutput<typeof SessionTerms>;

/** The terms that both pages bind, from the session as the organisation's device signed it. */
export function termsOf(
  {
    sid,
    iss,
    iss_id,
    salt,
    subject,
    fields,
    commitment,
  }: Pick<SessionPayload, 'sid' | 'iss' | 'iss_id' | 'salt' | 'subject' | 'fields' | 'commitment'>,
  broker: string,
): SessionTerms {
  return {
    session: sid,
    mode: commitment === undefined ? 'cpace' : 'digest',
    broker,
    organisation: iss,
    organisation_id: iss_id,
    salt,
    ...(subject === undefined ? {} : { subject }),
    fields,
  };
}

/** `CI` of CPace: all terms but the salt, which the hardened values depend on. */
export function sessionChannel(terms: SessionTerms): Uint8Array {
  const { session, mode, broker, organisation, organisation_id, subject, fields } = terms;
  return lvCat(
    CHANNEL,
    mode,
    decodeBase64url(session),
    broker,
    organisation,
    decodeBase64url(organisation_id),
    subject ?? '',
    ...fields.flatMap(({ name, type, description }) => [name, type, description ?? '']),
  );
}
