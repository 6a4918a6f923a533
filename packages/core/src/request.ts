/**
 * A request: an enquirer's signed question to an account. Who asks whom, when and until when stay in clear, so
 * that the broker can filter; the question itself is sealed to the account, unless the enquirer says otherwise.
 * @module
 */
import * as v from 'valibot';
import { AccountName } from './account-name.ts';
import { type AskingMember, ByMember, checkAskingMember } from './asking-member.ts';
import { BASE64URL_16_BYTES, encodeBase64url } from './base64url.ts';
import type { CryptoProvider, Opener, PublicSigningJwk, Signer } from './crypto-provider.ts';
import { activeDevice, checkRight, type Device, type DeviceLog, sealingEpoch } from './device-log.ts';
import { CountersignError } from './errors.ts';
import { Hash, PublicSigningKey, Seconds } from './keys.ts';
import type { Right } from './log-entries.ts';
import { Role } from './members.ts';
import { Origin } from './origin.ts';
import { checkFields, checkParts, DEFAULT_LIFETIME, type Kind, MAX_LIFETIME, Question } from './question.ts';
import { drawSalt, openContent, parseContent, SealedContent, sealContent, sealedOrClear } from './sealing.ts';
import { checkSeatQuestion } from './seat-question.ts';
import {
  keyFingerprint,
  parseStatement,
  type Statement,
  signStatement,
  statementKind,
  type Verified,
  verifyStatement,
} from './statement.ts';
import { checkTwoWayQuestion } from './two-way-question.ts';

const PURPOSE = 'countersign request 1';
/** How far two honest clocks may differ, in seconds. */
export const CLOCK_SKEW = 60;
/** No request stands longer, whatever it decides, in seconds. */
export const LONGEST_LIFETIME = 86_400;

const clear = {
  /** 16 random bytes, the enquirer's own id of the request: posting it twice is posting it once. */
  jti: v.pipe(v.string(), v.regex(BASE64URL_16_BYTES, 'expected 16 bytes in base64url')),
  /** The enquirer, by name and identity. */
  iss: AccountName,
  iss_id: Hash,
  /** The account that is asked, by name and identity. */
  sub: AccountName,
  sub_id: Hash,
  /** Origin of the broker that is meant. */
  aud: Origin,
  iat: Seconds,
  exp: Seconds,
};

export const RequestStatement = statementKind(
  'request',
  sealedOrClear(
    v.strictObject({
      ...clear,
      sealed: SealedContent,
      /** A member asks, who signs by their seat, in the place of a device of the enquirer's. */
      member: v.optional(ByMember),
    }),
    v.strictObject({
      ...clear,
      content: Question,
      /**
       * A browser that is no device asks for a seat at the enquirer's console: it signs with this key, in words that
       * are fixed.
       */
      seat: v.optional(v.strictObject({ key: PublicSigningKey, role: Role })),
    }),
  ),
);
export type RequestPayload = v.InferOutput<typeof RequestStatement.schema>;
export type RequestStatement = Statement<RequestPayload>;

/** An enquirer's cancelling of its own request. */
export const CancelStatement = statementKind('cancel', v.strictObject({ req: Hash, iat: Seconds }));

/** A request with the question in it, as its enquirer keeps it and its device shows it. */
export interface OpenRequest {
  readonly statement: Verified<RequestPayload>;
  readonly question: Question;
  /** What was sealed, to be kept for the receipt; absent where nothing was. */
  readonly plaintext?: string;
}

/** What an asker says; the rest is filled in. */
export type Asked = Pick<Question, 'parts' | 'fields' | 'passcode' | 'uv'> & {
  kind: Kind;
  /** In seconds; by default what the kind allows. */
  lifetime?: number;
  /** Say false only where the broker is to read the question. */
  sealed?: boolean;
};

export interface Asking {
  readonly signer: Signer;
  readonly enquirer: DeviceLog;
  readonly account: DeviceLog;
  readonly broker: string;
  /** Seconds since 1970. */
  readonly now: number;
  /** The seat that asks, where it is no device of the enquirer's, and the key for the answer. */
  readonly member?: ByMember | undefined;
}

/**
 * Makes a request.
 * @throws `request-lifetime`, `epoch-stale`; `text-refused`, `text-too-long` where the question may not be shown;
 *   `statement-malformed` where it has not the form of one
 */
export async function createRequest(
  crypto: CryptoProvider,
  asking: Asking,
  asked: Asked,
): Promise<OpenRequest> {
  const { lifetime = DEFAULT_LIFETIME[asked.kind], sealed: seal = true, ...rest } = asked;
  checkLifetime(asked.kind, lifetime);
  checkParts(asked.parts);
  checkFields(asked.fields ?? []);
  const question = parseContent(Question, JSON.stringify({ ...rest, salt: drawSalt(crypto) }));
  const base = {
    jti: drawRequestId(crypto),
    iss: asking.enquirer.name,
    iss_id: asking.enquirer.identity,
    sub: asking.account.name,
    sub_id: asking.account.identity,
    aud: asking.broker,
    iat: asking.now,
    exp: asking.now + lifetime,
  };
  const { member } = asking;
  if (!seal) {
    if (member !== undefined) throw new TypeError('what a member asks is sealed');
    const payload = { ...base, content: question };
    return { statement: await signStatement(crypto, RequestStatement, asking.signer, payload), question };
  }
  const { sealed, plaintext } = await sealContent(
    crypto,
    sealingEpoch(asking.account),
    PURPOSE,
    bindingOf(base),
    question,
  );
  const payload = { ...base, sealed, ...(member === undefined ? {} : { member }) };
  const statement = await signStatement(crypto, RequestStatement, asking.signer, payload);
  return { statement, question, plaintext };
}

/** 16 random bytes, by which an enquirer names a request. */
export function drawRequestId(crypto: CryptoProvider): string {
  return encodeBase64url(crypto.randomBytes(16));
}

export interface RequestCircumstances {
  /** Seconds since 1970. */
  readonly now: number;
  readonly brokers: readonly string[];
  readonly member?: AskingMember | undefined;
}

/**
 * Checks all of a request that can be read without opening it: form, signature, the asker's right, the times.
 * The broker does this when a request is posted, and a device again, for itself.
 * @param member who asks by their seat: verified by its proof, for this enquirer
 * @throws `account-mismatch`, `device-unknown`, `device-revoked`, `device-not-entitled`, `seat-invalid`, `seat-over`,
 *   `role-missing`, `signature-invalid`, `request-audience`, `request-early`, `request-expired`, `request-lifetime`
 */
export async function verifyRequest(
  crypto: CryptoProvider,
  statement: Statement<RequestPayload>,
  enquirer: Pick<DeviceLog, 'name' | 'identity' | 'devices'>,
  { now, brokers, member }: RequestCircumstances,
): Promise<Verified<RequestPayload>> {
  const { iss, iss_id, aud, iat, exp } = statement.payload;
  if (iss !== enquirer.name || iss_id !== enquirer.identity) {
    throw new CountersignError('account-mismatch', 'the request is by another enquirer than it says');
  }
  const verified = await verifyStatement(crypto, statement, await keyOf(crypto, statement, enquirer, member));
  if (!brokers.includes(aud)) {
    throw new CountersignError('request-audience', 'the request is meant for another broker', {
      hint: `this broker is ${brokers.join(', ')}`,
    });
  }
  if (exp <= iat || exp - iat > LONGEST_LIFETIME) {
    throw new CountersignError(
      'request-lifetime',
      `a request must end within ${LONGEST_LIFETIME} s of its time`,
    );
  }
  if (iat > now + CLOCK_SKEW) {
    throw new CountersignError('request-early', 'the request comes from the future', {
      hint: 'set the clock of the machine that asks',
    });
  }
  if (exp <= now) throw new CountersignError('request-expired', 'the request has expired');
  return verified;
}

/** The key that may sign a request: of a device that may ask, of a browser that asks for a seat, or of a seat. */
async function keyOf(
  crypto: CryptoProvider,
  { payload, kid }: Statement<RequestPayload>,
  enquirer: Pick<DeviceLog, 'name' | 'devices'>,
  by: AskingMember | undefined,
): Promise<PublicSigningJwk> {
  const { iat, exp } = payload;
  const member = memberWhoAsks(payload);
  if (member !== undefined) {
    return checkAskingMember({ member, iat, exp }, by, CLOCK_SKEW).key;
  }
  if ('content' in payload && payload.seat !== undefined) {
    const { key, role } = payload.seat;
    // The fingerprint that the member is shown is of the key that gets the seat, whatever the header says.
    const wish = { organisation: enquirer.name, role, kid: await keyFingerprint(crypto, key) };
    checkSeatQuestion(payload.content, wish);
    return key;
  }
  const device = activeDevice(enquirer, kid);
  checkRight(device, 'ask');
  return device.sig;
}

/**
 * Reads the question of a verified request.
 * @param opener the account's epoch key that the request was sealed to
 * @param member who asks by their seat, as the request was verified with
 * @throws `seal-broken`, `digest-mismatch`, `epoch-unknown`, `statement-malformed`, `request-lifetime`; `seat-invalid`
 *   where a member asks anything but what a member may
 */
export async function openRequest(
  crypto: CryptoProvider,
  statement: Verified<RequestPayload>,
  epochs: (n: number) => Promise<Opener | undefined>,
  member?: AskingMember,
): Promise<OpenRequest> {
  const { payload } = statement;
  const lifetime = payload.exp - payload.iat;
  if ('content' in payload) {
    checkLifetime(payload.content.kind, lifetime);
    return { statement, question: payload.content };
  }
  const opener = await epochs(payload.sealed.epoch);
  if (opener === undefined) {
    throw new CountersignError('epoch-unknown', `this device has no key of epoch ${payload.sealed.epoch}`, {
      hint: 'the question was sealed before this device came in: answer it on another device',
    });
  }
  const plaintext = await openContent(crypto, opener, PURPOSE, bindingOf(payload), payload.sealed);
  const question = parseContent(Question, plaintext);
  checkLifetime(question.kind, lifetime);
  checkMemberAsks(payload, question, member);
  return { statement, question, plaintext };
}

/**
 * Checks that a member asks no more than a member may, in their own name; of other requests, nothing.
 * @throws `seat-invalid`
 */
export function checkMemberAsks(
  payload: RequestPayload,
  question: Question,
  by: AskingMember | undefined,
): void {
  const member = memberWhoAsks(payload);
  if (member === undefined) return;
  if (by?.seat.hash !== member.seat) {
    throw new CountersignError('seat-invalid', 'asked by another seat than it names');
  }
  checkTwoWayQuestion(question, { organisation: payload.iss, agent: by.seat.member.name });
}

/** The member that a request is by, as it says itself; nothing where a device asks. */
export function memberWhoAsks(payload: RequestPayload): ByMember | undefined {
  return 'sealed' in payload ? payload.member : undefined;
}

/** The right that a device needs to answer a question. */
export function rightToAnswer(kind: Kind): Right {
  return kind === 'payment' ? 'pay' : 'answer';
}

/** @throws `device-not-entitled` */
export function checkMayAnswer(device: Device, kind: Kind): void {
  checkRight(device, rightToAnswer(kind));
}

export function parseRequest(crypto: CryptoProvider, jws: string): Promise<Statement<RequestPayload>> {
  return parseStatement(crypto, RequestStatement, jws);
}

/**
 * Checks how long a request stands, in seconds, by what it decides.
 * @throws `request-lifetime`
 */
export function checkLifetime(kind: Kind, lifetime: number): void {
  if (!Number.isInteger(lifetime) || lifetime < 1 || lifetime > MAX_LIFETIME[kind]) {
    throw new CountersignError(
      'request-lifetime',
      `a ${kind} may stand for 1 to ${MAX_LIFETIME[kind]} s, not ${lifetime}`,
    );
  }
}

function bindingOf(clear: { jti: string; iss_id: string; sub_id: string }): string[] {
  return [clear.jti, clear.iss_id, clear.sub_id];
}
