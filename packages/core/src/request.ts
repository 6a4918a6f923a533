/**
 * A request: an enquirer's signed question to an account. Who asks whom, when and until when stay in clear, so
 * that the broker can filter; the question itself is sealed to the account, unless the enquirer says otherwise.
 * @module
 */
import * as v from 'valibot';
import { AccountName } from './account-name.ts';
import { BASE64URL_16_BYTES, encodeBase64url } from './base64url.ts';
import type { CryptoProvider, Opener, Signer } from './crypto-provider.ts';
import { activeDevice, checkRight, type Device, type DeviceLog, sealingEpoch } from './device-log.ts';
import { CountersignError } from './errors.ts';
import { Hash, Seconds } from './keys.ts';
import type { Right } from './log-entries.ts';
import { Origin } from './origin.ts';
import { checkFields, checkParts, DEFAULT_LIFETIME, type Kind, MAX_LIFETIME, Question } from './question.ts';
import { drawSalt, openContent, parseContent, SealedContent, sealContent, sealedOrClear } from './sealing.ts';
import {
  parseStatement,
  type Statement,
  signStatement,
  statementKind,
  type Verified,
  verifyStatement,
} from './statement.ts';

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
    v.strictObject({ ...clear, sealed: SealedContent }),
    v.strictObject({ ...clear, content: Question }),
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
    jti: encodeBase64url(crypto.randomBytes(16)),
    iss: asking.enquirer.name,
    iss_id: asking.enquirer.identity,
    sub: asking.account.name,
    sub_id: asking.account.identity,
    aud: asking.broker,
    iat: asking.now,
    exp: asking.now + lifetime,
  };
  if (!seal) {
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
  const statement = await signStatement(crypto, RequestStatement, asking.signer, { ...base, sealed });
  return { statement, question, plaintext };
}

/**
 * Checks all of a request that can be read without opening it: form, signature, the asker's right, the times.
 * The broker does this when a request is posted, and a device again, for itself.
 * @param now seconds since 1970
 * @throws `account-mismatch`, `device-unknown`, `device-revoked`, `device-not-entitled`, `signature-invalid`,
 *   `request-audience`, `request-early`, `request-expired`, `request-lifetime`
 */
export async function verifyRequest(
  crypto: CryptoProvider,
  statement: Statement<RequestPayload>,
  enquirer: Pick<DeviceLog, 'name' | 'identity' | 'devices'>,
  { now, brokers }: { now: number; brokers: readonly string[] },
): Promise<Verified<RequestPayload>> {
  const { iss, iss_id, aud, iat, exp } = statement.payload;
  if (iss !== enquirer.name || iss_id !== enquirer.identity) {
    throw new CountersignError('account-mismatch', 'the request is by another enquirer than it says');
  }
  const device = activeDevice(enquirer as DeviceLog, statement.kid);
  checkRight(device, 'ask');
  const verified = await verifyStatement(crypto, statement, device.sig);
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

/**
 * Reads the question of a verified request.
 * @param opener the account's epoch key that the request was sealed to
 * @throws `seal-broken`, `digest-mismatch`, `epoch-unknown`, `statement-malformed`, `request-lifetime`
 */
export async function openRequest(
  crypto: CryptoProvider,
  statement: Verified<RequestPayload>,
  epochs: (n: number) => Promise<Opener | undefined>,
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
  return { statement, question, plaintext };
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
