/**
 * Mutual sessions, what of them is signed: a session that one of an organisation's devices opens for somebody who has
 * nothing but a link. The values that both sides hold are not in it.
 * @module
 */
import * as v from 'valibot';
import { AccountName } from './account-name.ts';
import { BASE64URL_16_BYTES, BASE64URL_32_BYTES, encodeBase64url } from './base64url.ts';
import type { CryptoProvider, Signer } from './crypto-provider.ts';
import { activeDevice, checkRight, type DeviceLog } from './device-log.ts';
import { DisplayLine } from './display-line.ts';
import { CountersignError } from './errors.ts';
import { Hash, Seconds } from './keys.ts';
import { checkRole } from './members.ts';
import type { Seat } from './seat-standing.ts';
import { type SessionField, SessionTerms } from './session-terms.ts';
import { parseStatement, signStatement, statementKind, type Verified, verifyStatement } from './statement.ts';

/** How long a session stands, in seconds. */
export const SESSION_LIFE = { least: 30, most: 900, usual: 300 } as const;

const TICKET = 'countersign session ticket 1';

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
      v.strictObject({ name: DisplayLine(64), version: v.pipe(v.number(), v.integer(), v.minValue(1)) }),
    ),
    prefilled: v.boolean(),
    /** Of a session of mode `digest`: to the nonce, and so to the passcode. */
    commitment: v.optional(v.pipe(v.string(), v.regex(BASE64URL_32_BYTES))),
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
  /** Of a session of mode `digest`, whose digest was made before it. */
  readonly drawn?: { readonly sid: string; readonly salt: string; readonly commitment: string };
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
  { fields, subject, template, prefilled = false, lifetime, now, drawn }: NewSession,
): Promise<{ statement: Verified<SessionPayload>; token: string }> {
  checkLife(lifetime);
  const token = encodeBase64url(crypto.randomBytes(16));
  const statement = await signStatement(crypto, SessionStatement, signer, {
    sid: drawn?.sid ?? encodeBase64url(crypto.randomBytes(16)),
    iss: log.name,
    iss_id: log.identity,
    iat: now,
    exp: now + lifetime,
    ticket: await sessionTicket(crypto, token),
    salt: drawn?.salt ?? encodeBase64url(crypto.randomBytes(16)),
    fields: [...fields],
    ...(subject === undefined ? {} : { subject }),
    ...(template === undefined ? {} : { template }),
    prefilled,
    ...(drawn === undefined ? {} : { commitment: drawn.commitment }),
  });
  return { statement, token };
}

/**
 * Checks a session by the organisation's log: by a device that counts now and may ask, or by a seat that may act now.
 * @param seat of a member, where no device of the organisation signs; the caller has checked its time and its list
 * @throws `account-mismatch`, `device-not-entitled`, `role-missing`, `signature-invalid`, `session-invalid`, and what
 *   `activeDevice` throws
 */
export async function verifySession(
  crypto: CryptoProvider,
  jws: string,
  log: Pick<DeviceLog, 'name' | 'identity' | 'devices'>,
  seat?: Pick<Seat, 'key' | 'role'>,
): Promise<Verified<SessionPayload>> {
  const statement = await parseStatement(crypto, SessionStatement, jws);
  const { iss, iss_id, iat, exp } = statement.payload;
  if (iss !== log.name || iss_id !== log.identity) {
    throw new CountersignError('account-mismatch', 'a session of another organisation');
  }
  checkLife(exp - iat);
  if (seat !== undefined) {
    checkRole(seat.role, 'sessions');
    return verifyStatement(crypto, statement, seat.key);
  }
  const device = activeDevice(log, statement.kid);
  checkRight(device, 'ask');
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
