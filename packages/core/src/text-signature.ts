/**
 * Signatures of an organisation on a text or a link: whoever has the text checks that the organisation stands by
 * it. The text is in no statement: short ones could be guessed from a plain hash, so what is signed is a digest by
 * Argon2id under a salt of this signature alone.
 * @module
 */
import * as v from 'valibot';
import { AccountName, parseAccountName } from './account-name.ts';
import { BASE64URL_16_BYTES, BASE64URL_32_BYTES, decodeBase64url, encodeBase64url } from './base64url.ts';
import { type CryptoProvider, constantTimeEqual, type Signer } from './crypto-provider.ts';
import {
  activeDevice,
  checkKnownHead,
  checkRight,
  checkWordsStand,
  type DeviceLog,
  deviceAt,
} from './device-log.ts';
import { utf8Length } from './display-text.ts';
import { CountersignError } from './errors.ts';
import { Hash, Seconds } from './keys.ts';
import { lvCat } from './length-value.ts';
import { checkRole, type MemberList } from './members.ts';
import { isOrigin } from './origin.ts';
import { CLOCK_SKEW } from './request.ts';
import { checkSeat, type Seat } from './seat-standing.ts';
import {
  parseStatement,
  type Statement,
  signStatement,
  statementKind,
  type Verified,
  verifyStatement,
} from './statement.ts';

/** How long a signature on a text holds, in seconds; one without an end holds for good. */
export const TEXT_SIGNATURE_LIFE = { least: 30, most: 92 * 86_400 } as const;
export const MAX_SIGNED_TEXT_BYTES = 65_536;

const TEXT = 'countersign text signature 1';
const COST = { memory: 65_536, passes: 3, lanes: 1, length: 32 } as const;
const WHITE_SPACE = /\p{White_Space}+/gu;
const PATH = '/v/';

export const TextSignatureStatement = statementKind(
  'text-signature',
  v.strictObject({
    iss: AccountName,
    iss_id: Hash,
    /** The organisation's log as the signing device knew it. */
    head: v.strictObject({ seq: v.pipe(v.number(), v.integer(), v.minValue(0)), hash: Hash }),
    iat: Seconds,
    /** Absent where it holds for good. */
    exp: v.optional(Seconds),
    salt: v.pipe(v.string(), v.regex(BASE64URL_16_BYTES)),
    digest: v.pipe(v.string(), v.regex(BASE64URL_32_BYTES)),
    /** Of the member who signed, where no device of the organisation did. */
    seat: v.optional(Hash),
  }),
);
export type TextSignature = v.InferOutput<typeof TextSignatureStatement.schema>;

/** What was found of a text: an expired signature is on this very text. */
export type TextVerdict = 'valid' | 'expired' | 'invalid';

export interface NewTextSignature {
  readonly text: string;
  /** In seconds, 30 to three months; absent for good. */
  readonly lifetime?: number;
  readonly now: number;
  /** The seat of the member who signs, where it is no device of the organisation. */
  readonly seat?: string | undefined;
}

/**
 * Signs a text.
 * @param lifetime in seconds, 30 to three months; absent for good
 * @throws `text-refused`, `text-too-long`, `signature-lifetime`
 */
export async function createTextSignature(
  crypto: CryptoProvider,
  signer: Signer,
  log: Pick<DeviceLog, 'name' | 'identity' | 'head'>,
  { text, lifetime, now, seat }: NewTextSignature,
): Promise<Verified<TextSignature>> {
  checkLife(lifetime);
  const salt = encodeBase64url(crypto.randomBytes(16));
  return signStatement(crypto, TextSignatureStatement, signer, {
    iss: log.name,
    iss_id: log.identity,
    head: { seq: log.head.seq, hash: log.head.hash },
    iat: now,
    ...(lifetime === undefined ? {} : { exp: now + lifetime }),
    salt,
    digest: encodeBase64url(await digestText(crypto, log.identity, salt, text)),
    ...(seat === undefined ? {} : { seat }),
  });
}

/**
 * Checks a signature that is being made, by a device that counts now and may ask, or by a seat that may act now.
 * @param seat of a member, where no device of the organisation signs; the caller has checked its time and its list
 * @throws `account-mismatch`, `device-not-entitled`, `seat-invalid`, `role-missing`, `signature-invalid`, `signature-lifetime`, and what
 *   `parseStatement` and `activeDevice` throw
 */
export async function verifyNewTextSignature(
  crypto: CryptoProvider,
  jws: string,
  log: Pick<DeviceLog, 'name' | 'identity' | 'devices'>,
  seat?: Pick<Seat, 'hash' | 'key' | 'role'>,
): Promise<Verified<TextSignature>> {
  const statement = await parseOwn(crypto, jws, log);
  if (seat !== undefined || statement.payload.seat !== undefined)
    return verifyBySeat(crypto, statement, seat);
  const device = activeDevice(log, statement.kid);
  checkRight(device, 'ask');
  return verifyStatement(crypto, statement, device.sig);
}

/**
 * Checks a signature by the organisation's log, whenever it was made: by a device that might ask at the head that it
 * knew. A device that was lost or undone, or is frozen, takes its signatures with it; one that was retired does not.
 * @param by the seat that the signature names, and the organisation's members as they were when it was made
 * @throws `account-mismatch`, `device-not-entitled`, `device-unknown`, `device-revoked`, `device-frozen`,
 *   `seat-invalid`, `seat-over`, `role-missing`, `log-rollback`, `log-fork`, `signature-invalid`, `signature-lifetime`, and what `parseStatement` throws
 */
export async function verifyTextSignature(
  crypto: CryptoProvider,
  jws: string,
  log: Pick<DeviceLog, 'name' | 'identity' | 'devices' | 'hashes'>,
  by?: { readonly seat: Seat; readonly members: MemberList },
): Promise<Verified<TextSignature>> {
  const statement = await parseOwn(crypto, jws, log);
  const { head, iat } = statement.payload;
  checkKnownHead(head, (seq) => log.hashes[seq]);
  if (by !== undefined || statement.payload.seat !== undefined) {
    const verified = await verifyBySeat(crypto, statement, by?.seat);
    if (iat < by!.seat.iat - CLOCK_SKEW) {
      throw new CountersignError('seat-invalid', 'signed before the member had signed in');
    }
    checkSeat(by!.seat, by!.members, iat);
    return verified;
  }
  const device = deviceAt(log, statement.kid, head.seq);
  checkRight(device, 'ask');
  checkWordsStand(log, device);
  return verifyStatement(crypto, statement, device.sig);
}

async function verifyBySeat(
  crypto: CryptoProvider,
  statement: Statement<TextSignature>,
  seat: Pick<Seat, 'hash' | 'key' | 'role'> | undefined,
): Promise<Verified<TextSignature>> {
  if (seat === undefined || statement.payload.seat !== seat.hash) {
    throw new CountersignError('seat-invalid', 'signed by another seat than it names');
  }
  checkRole(seat.role, 'signatures');
  return verifyStatement(crypto, statement, seat.key);
}

async function parseOwn(
  crypto: CryptoProvider,
  jws: string,
  log: Pick<DeviceLog, 'name' | 'identity'>,
): Promise<Statement<TextSignature>> {
  const statement = await parseStatement(crypto, TextSignatureStatement, jws);
  const { iss, iss_id, iat, exp } = statement.payload;
  if (iss !== log.name || iss_id !== log.identity) {
    throw new CountersignError('account-mismatch', 'a signature of another organisation');
  }
  checkLife(exp === undefined ? undefined : exp - iat);
  return statement;
}

/** What a signature says of a text at a time. */
export async function judgeText(
  crypto: CryptoProvider,
  { payload }: Verified<TextSignature>,
  text: string,
  now: number,
): Promise<TextVerdict> {
  let digest: Uint8Array;
  try {
    digest = await digestText(crypto, payload.iss_id, payload.salt, text);
  } catch (error) {
    if (error instanceof CountersignError) return 'invalid';
    throw error;
  }
  if (!constantTimeEqual(digest, decodeBase64url(payload.digest))) return 'invalid';
  return payload.exp !== undefined && payload.exp <= now ? 'expired' : 'valid';
}

/**
 * A text in the form in which it is compared: as it was pasted, but for what chat and mail do to white space. Unicode
 * normal form C; each run of white space is one space; none at the ends. Nothing else is forgiven: capital letters
 * count, and so does what nobody sees.
 * @throws `text-refused` for an empty one, or a lone surrogate; `text-too-long`
 */
export function normalizeSignedText(text: string): string {
  if (!text.isWellFormed()) throw new CountersignError('text-refused', 'a text with a lone surrogate');
  const normal = text.normalize('NFC').replace(WHITE_SPACE, ' ').trim();
  if (normal === '') throw new CountersignError('text-refused', 'an empty text');
  if (utf8Length(normal) > MAX_SIGNED_TEXT_BYTES) {
    throw new CountersignError('text-too-long', `a text of more than ${MAX_SIGNED_TEXT_BYTES} bytes`);
  }
  return normal;
}

/** A link to a signature on a text. All that checks it is after the `#`, where no server sees it. */
export interface TextSignatureLink {
  /** Of the broker. */
  readonly origin: string;
  /** The organisation's account. */
  readonly name: string;
  /** Of its log's first entry: whoever shows another log is not it. */
  readonly identity: string;
  /** Of the statement: whoever shows another one is found out. */
  readonly hash: string;
  /** The text itself, if it was put into the link. */
  readonly text?: string;
}

export function formatTextSignatureLink({ origin, name, identity, hash, text }: TextSignatureLink): string {
  const fragment = new URLSearchParams({ s: hash, o: identity, ...(text === undefined ? {} : { t: text }) });
  return `${origin}${PATH}${encodeURIComponent(name)}#${fragment}`;
}

/** @throws `link-invalid`, `name-invalid` */
export function parseTextSignatureLink(link: string): TextSignatureLink {
  const url = URL.parse(link.trim());
  const fragment = new URLSearchParams(url?.hash.slice(1) ?? '');
  const hash = fragment.getAll('s');
  const identity = fragment.getAll('o');
  const [text] = fragment.getAll('t');
  const good =
    url !== null &&
    isOrigin(url.origin) &&
    url.pathname.startsWith(PATH) &&
    hash.length === 1 &&
    identity.length === 1 &&
    BASE64URL_32_BYTES.test(hash[0]!) &&
    BASE64URL_32_BYTES.test(identity[0]!);
  if (!good) throw new CountersignError('link-invalid', 'not a link to a signature');
  const name = parseAccountName(decodePath(url.pathname.slice(PATH.length)));
  const found = { origin: url.origin, name, identity: identity[0]!, hash: hash[0]! };
  return text === undefined ? found : { ...found, text };
}

function decodePath(encoded: string): string {
  try {
    return decodeURIComponent(encoded);
  } catch (cause) {
    throw new CountersignError('link-invalid', 'not a link to a signature', { cause });
  }
}

function digestText(
  crypto: Pick<CryptoProvider, 'argon2id'>,
  identity: string,
  salt: string,
  text: string,
): Promise<Uint8Array> {
  const secret = lvCat(TEXT, decodeBase64url(identity), normalizeSignedText(text));
  return crypto.argon2id(secret, { ...COST, salt: decodeBase64url(salt) });
}

function checkLife(seconds: number | undefined): void {
  const { least, most } = TEXT_SIGNATURE_LIFE;
  if (seconds === undefined || (seconds >= least && seconds <= most)) return;
  throw new CountersignError(
    'signature-lifetime',
    'a signature holds 30 seconds to three months (92 days), or for good',
  );
}
