/**
 * Mutual sessions, what of them is signed: an organisation's card, and a session that one of its devices opens for
 * somebody who has nothing but a link. The values that both sides hold are in neither.
 * @module
 */
import * as v from 'valibot';
import { AccountName } from './account-name.ts';
import { BASE64URL_16_BYTES, encodeBase64url } from './base64url.ts';
import type { CryptoProvider, Signer } from './crypto-provider.ts';
import { activeDevice, checkRight, type DeviceLog } from './device-log.ts';
import { isDisplayLine } from './display-text.ts';
import { CountersignError } from './errors.ts';
import { Hash, Seconds } from './keys.ts';
import { type SessionField, SessionTerms } from './session-terms.ts';
import { parseStatement, signStatement, statementKind, type Verified, verifyStatement } from './statement.ts';

/** How long a session stands, in seconds. */
export const SESSION_LIFE = { least: 30, most: 900, usual: 300 } as const;

const TICKET = 'countersign session ticket 1';

const Line = (max: number) =>
  v.pipe(
    v.string(),
    v.check((text) => isDisplayLine(text, max), 'a text that may not be shown'),
  );

/** What an organisation says of itself: what the customer is shown above the fields. */
export const CardStatement = statementKind(
  'card',
  v.strictObject({
    sub: AccountName,
    sub_id: Hash,
    iat: Seconds,
    /** Counts the cards of an account from 1; the newest holds. */
    seq: v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(Number.MAX_SAFE_INTEGER)),
    name: Line(64),
    description: Line(256),
    /** ISO 3166-1 alpha-2. */
    country: v.pipe(v.string(), v.regex(/^[A-Z]{2}$/, 'expected a country like DE')),
  }),
);
export type Card = v.InferOutput<typeof CardStatement.schema>;

/** A session, as a device of the organisation opens it. */
export const SessionStatement = statementKind(
  'session',
  v.strictObject({
    sid: v.pipe(v.string(), v.regex(BASE64URL_16_BYTES)),
    iss: AccountName,
    iss_id: Hash,
    iat: Seconds,
    exp: Seconds,
    /** SHA-256 of the ticket that the link carries. */
    ticket: Hash,
    /** By which the values are hardened. */
    salt: v.pipe(v.string(), v.regex(BASE64URL_16_BYTES)),
    fields: SessionTerms.entries.fields,
    subject: SessionTerms.entries.subject,
    template: v.optional(
      v.strictObject({ name: Line(64), version: v.pipe(v.number(), v.integer(), v.minValue(1)) }),
    ),
    prefilled: v.boolean(),
  }),
);
export type SessionPayload = v.InferOutput<typeof SessionStatement.schema>;

export interface NewSession {
  readonly fields: readonly SessionField[];
  readonly subject?: string;
  readonly template?: { readonly name: string; readonly version: number };
  readonly prefilled?: boolean;
  /** In seconds, 30 to 900. */
  readonly lifetime: number;
  readonly now: number;
}

/**
 * Opens a session.
 * @returns the statement, and the token that the link carries, which nobody but its holder knows
 * @throws `session-invalid` where it stands too short or too long; `statement-malformed`
 */
export async function createSession(
  crypto: CryptoProvider,
  signer: Signer,
  log: Pick<DeviceLog, 'name' | 'identity'>,
  { fields, subject, template, prefilled = false, lifetime, now }: NewSession,
): Promise<{ statement: Verified<SessionPayload>; token: string }> {
  checkLife(lifetime);
  const token = encodeBase64url(crypto.randomBytes(16));
  const statement = await signStatement(crypto, SessionStatement, signer, {
    sid: encodeBase64url(crypto.randomBytes(16)),
    iss: log.name,
    iss_id: log.identity,
    iat: now,
    exp: now + lifetime,
    ticket: await sessionTicket(crypto, token),
    salt: encodeBase64url(crypto.randomBytes(16)),
    fields: [...fields],
    ...(subject === undefined ? {} : { subject }),
    ...(template === undefined ? {} : { template }),
    prefilled,
  });
  return { statement, token };
}

/**
 * Checks a session by the organisation's log: by a device that counts now and may ask.
 * @throws `account-mismatch`, `device-not-entitled`, `signature-invalid`, `session-invalid`, and what
 *   `activeDevice` throws
 */
export async function verifySession(
  crypto: CryptoProvider,
  jws: string,
  log: Pick<DeviceLog, 'name' | 'identity' | 'devices'>,
): Promise<Verified<SessionPayload>> {
  const statement = await parseStatement(crypto, SessionStatement, jws);
  const { iss, iss_id, iat, exp } = statement.payload;
  if (iss !== log.name || iss_id !== log.identity) {
    throw new CountersignError('account-mismatch', 'a session of another organisation');
  }
  checkLife(exp - iat);
  const device = activeDevice(log, statement.kid);
  checkRight(device, 'ask');
  return verifyStatement(crypto, statement, device.sig);
}

export function createCard(
  crypto: CryptoProvider,
  signer: Signer,
  log: Pick<DeviceLog, 'name' | 'identity'>,
  card: Pick<Card, 'seq' | 'name' | 'description' | 'country'>,
  now: number,
): Promise<Verified<Card>> {
  const { name: sub, identity: sub_id } = log;
  return signStatement(crypto, CardStatement, signer, { sub, sub_id, iat: now, ...card });
}

/** @throws `account-mismatch`, `device-not-entitled`, `signature-invalid`, and what `activeDevice` throws */
export async function verifyCard(
  crypto: CryptoProvider,
  jws: string,
  log: Pick<DeviceLog, 'name' | 'identity' | 'devices'>,
): Promise<Verified<Card>> {
  const statement = await parseStatement(crypto, CardStatement, jws);
  const { sub, sub_id } = statement.payload;
  if (sub !== log.name || sub_id !== log.identity) {
    throw new CountersignError('account-mismatch', 'a card of another organisation');
  }
  const device = activeDevice(log, statement.kid);
  checkRight(device, 'admit');
  return verifyStatement(crypto, statement, device.sig);
}

/** What the server keeps of a link's token. @throws `session-invalid` for what is no token */
export async function sessionTicket(crypto: CryptoProvider, token: string): Promise<string> {
  if (!BASE64URL_16_BYTES.test(token))
    throw new CountersignError('session-invalid', 'this link is not valid');
  return encodeBase64url(await crypto.sha256(new TextEncoder().encode(`${TICKET} ${token}`)));
}

function checkLife(seconds: number): void {
  if (seconds < SESSION_LIFE.least || seconds > SESSION_LIFE.most) {
    throw new CountersignError(
      'session-lifetime',
      `a session stands ${SESSION_LIFE.least} to ${SESSION_LIFE.most} seconds`,
    );
  }
}
