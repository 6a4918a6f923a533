/**
 * A response: one device's signed answer to exactly one request. It is sealed to the enquirer where the
 * request was sealed, so that the broker knows that it was answered and not how.
 * @module
 */
import * as v from 'valibot';
import { AccountName } from './account-name.ts';
import type { CryptoProvider, Opener, Signer } from './crypto-provider.ts';
import {
  activeDevice,
  checkKnownHead,
  type Device,
  type DeviceLog,
  deviceAt,
  sealingEpoch,
} from './device-log.ts';
import { CountersignError } from './errors.ts';
import { Hash, KnownHead, Seconds, wholeFrom } from './keys.ts';
import { checkPasscode, normalizePasscode, PASSCODE_DIGITS } from './passcode.ts';
import { Salt } from './question.ts';
import {
  CLOCK_SKEW,
  checkMayAnswer,
  memberWhoAsks,
  type OpenRequest,
  type RequestPayload,
} from './request.ts';
import {
  drawSalt,
  openContent,
  parseContent,
  type SealedContent,
  SealedSomehow,
  type SealedToKey,
  sealContent,
  sealedOrClear,
  sealToKey,
} from './sealing.ts';
import {
  parseStatement,
  type Statement,
  signStatement,
  statementKind,
  type Verified,
  verifyStatement,
} from './statement.ts';

const PURPOSE = 'countersign response 1';

const common = { salt: Salt };
const person = {
  /** By which way the person was shown the question: on a screen, by its hash, or by the caller's word. */
  shown: v.picklist(['screen', 'hash', 'caller']),
  /** The device checked that the person was there. */
  uv: v.optional(v.literal(true)),
};

/** What was decided. `fraud` is a reject by a person who did not start this. */
export const Decision = v.variant('decision', [
  v.strictObject({
    ...common,
    ...person,
    decision: v.literal('accept'),
    passcode: v.optional(v.pipe(v.string(), v.regex(new RegExp(`^\\d{${PASSCODE_DIGITS}}$`)))),
  }),
  v.strictObject({
    ...common,
    ...person,
    decision: v.picklist(['reject', 'fraud']),
  }),
  /** Too many wrong passcodes: the device ends the request by itself. */
  v.strictObject({
    ...common,
    decision: v.literal('passcode-failed'),
    failures: wholeFrom(1),
  }),
]);
export type Decision = v.InferOutput<typeof Decision>;
type Unsalted<T> = T extends unknown ? Omit<T, 'salt'> : never;
export type Decided = Unsalted<Decision>;

const clear = {
  /** Hash of the request that is answered. */
  req: Hash,
  iss: AccountName,
  iss_id: Hash,
  iat: Seconds,
  /** The newest entry of its own log that the device knew. */
  head: KnownHead,
};

export const ResponseStatement = statementKind(
  'response',
  sealedOrClear(
    v.strictObject({ ...clear, sealed: SealedSomehow }),
    v.strictObject({ ...clear, content: Decision }),
  ),
);
export type ResponsePayload = v.InferOutput<typeof ResponseStatement.schema>;

export interface OpenResponse {
  readonly statement: Verified<ResponsePayload>;
  readonly decision: Decision;
  readonly device: Device;
  readonly plaintext?: string;
}

export interface Answering {
  readonly signer: Signer;
  /** The log of the account that answers, and of the enquirer that is answered. */
  readonly account: DeviceLog;
  readonly enquirer: DeviceLog;
  /** Seconds since 1970. */
  readonly now: number;
}

/**
 * Makes a response; the caller has shown the question and judged the time.
 * @param decided with its salt where it is sealed anew: then its plaintext is the same as before
 * @throws `epoch-stale`
 */
export async function createResponse(
  crypto: CryptoProvider,
  answering: Answering,
  request: OpenRequest,
  decided: Decided | Decision,
): Promise<{ statement: Verified<ResponsePayload>; plaintext?: string }> {
  const salt = 'salt' in decided ? decided.salt : drawSalt(crypto);
  const decision = parseContent(Decision, JSON.stringify({ ...decided, salt }));
  const base = {
    req: request.statement.hash,
    iss: answering.account.name,
    iss_id: answering.account.identity,
    iat: answering.now,
    head: answering.account.head,
  };
  if ('content' in request.statement.payload) {
    const payload = { ...base, content: decision };
    return { statement: await signStatement(crypto, ResponseStatement, answering.signer, payload) };
  }
  const binding = [base.req, base.iss_id];
  const member = memberWhoAsks(request.statement.payload);
  const { sealed, plaintext } =
    member === undefined
      ? await sealContent(crypto, sealingEpoch(answering.enquirer), PURPOSE, binding, decision)
      : await sealToKey(crypto, member.key, PURPOSE, binding, decision);
  const statement = await signStatement(crypto, ResponseStatement, answering.signer, { ...base, sealed });
  return { statement, plaintext };
}

/** How a sealed decision is read: with a key, or by the plaintext that a receipt discloses. */
export type ReadSealed = (sealed: SealedContent | SealedToKey, binding: readonly string[]) => Promise<string>;

/** Reads with the enquirer's epoch keys. @param own of a member's browser, which reads what was asked from it */
export function readWithKeys(
  crypto: CryptoProvider,
  epochs: (n: number) => Promise<Opener | undefined>,
  own?: Opener,
): ReadSealed {
  return async (sealed, binding) => {
    const opener = 'epoch' in sealed ? await epochs(sealed.epoch) : own;
    if (opener === undefined) {
      const what = 'epoch' in sealed ? `epoch ${sealed.epoch}` : 'the member’s browser that asked';
      throw new CountersignError('epoch-unknown', `no key of ${what} to read the answer with`);
    }
    return openContent(crypto, opener, PURPOSE, binding, sealed);
  };
}

/**
 * Verifies a response to a request, trusting nobody but the account's log.
 * @param account the asked account's log, as new as the caller wants revocations to be
 * @throws `request-mismatch` where it answers another request; `account-mismatch`; `device-unknown`,
 *   `device-revoked`, `device-frozen`, `device-on-probation`, `device-not-entitled`, by the log as it is and as the
 *   device knew it; `signature-invalid`; `log-fork` where the device knew another log;
 *   `response-early`, `response-late`; `seal-broken`, `digest-mismatch`; `passcode-missing`, `passcode-wrong`,
 *   `verification-missing`
 */
export async function verifyResponse(
  crypto: CryptoProvider,
  request: OpenRequest,
  account: DeviceLog,
  jws: string,
  read: ReadSealed,
): Promise<OpenResponse> {
  const statement = await parseStatement(crypto, ResponseStatement, jws);
  const { payload } = statement;
  const asked = request.statement.payload;
  if (payload.req !== request.statement.hash) {
    throw new CountersignError('request-mismatch', 'the answer is to another request');
  }
  if (
    payload.iss_id !== asked.sub_id ||
    payload.iss !== asked.sub ||
    account.identity !== asked.sub_id ||
    account.name !== asked.sub
  ) {
    throw new CountersignError('account-mismatch', 'the answer is by another account than was asked');
  }
  const device = activeDevice(account, statement.kid);
  const verified = await verifyStatement(crypto, statement, device.sig);
  checkKnownHead(payload.head, (seq) => account.hashes[seq]);
  if (device.addedAt.seq > payload.head.seq) {
    throw new CountersignError('log-invalid', 'the device answered before it was let in');
  }
  // What it signed while it was frozen, or lacked the right, does not become good when that is over.
  const then = deviceAt(account, device.kid, payload.head.seq);
  if (payload.iat < asked.iat - CLOCK_SKEW) {
    throw new CountersignError('response-early', 'the answer is older than the request');
  }
  // RFC 7519 section 4.1.4: at `exp` itself it is over
  if (payload.iat >= asked.exp) {
    throw new CountersignError('response-late', 'the answer was made after the request had expired');
  }
  const opened = await readDecision(statement, request.statement, read);
  for (const one of [then, device]) checkMayAnswer(one, request.question.kind);
  await checkDecision(crypto, request, opened.decision);
  return { statement: verified, device, ...opened };
}

/**
 * What was answered, for other devices of the enquirer: they have the request, and not the question that is sealed in
 * it. It says what a device signed that was in the account then; whether the passcode was right, and the device
 * entitled to answer a question of that kind, is for the asking device to judge.
 * @throws `request-mismatch`, `account-mismatch`, `device-unknown`, `device-revoked`, `device-frozen`, `log-rollback`,
 *   `log-fork`, `signature-invalid`, `response-late`, `seal-broken`, `digest-mismatch`, `epoch-unknown`
 */
export async function readAnswer(
  crypto: CryptoProvider,
  request: Statement<RequestPayload>,
  account: Pick<DeviceLog, 'name' | 'identity' | 'devices' | 'hashes'>,
  jws: string,
  read: ReadSealed,
): Promise<Decision> {
  const statement = await parseStatement(crypto, ResponseStatement, jws);
  const { req, iss, iss_id, iat, head } = statement.payload;
  const { sub, sub_id, exp } = request.payload;
  if (req !== request.hash) {
    throw new CountersignError('request-mismatch', 'the answer is to another request');
  }
  if (iss !== sub || iss_id !== sub_id || account.name !== sub || account.identity !== sub_id) {
    throw new CountersignError('account-mismatch', 'the answer is by another account than was asked');
  }
  checkKnownHead(head, (seq) => account.hashes[seq]);
  await verifyStatement(crypto, statement, deviceAt(account, statement.kid, head.seq).sig);
  if (iat >= exp) {
    throw new CountersignError('response-late', 'the answer was made after the request had expired');
  }
  return (await readDecision(statement, request, read)).decision;
}

/** Parses a response's outer form; for the broker, which can read no more. */
export function parseResponse(crypto: CryptoProvider, jws: string): Promise<Statement<ResponsePayload>> {
  return parseStatement(crypto, ResponseStatement, jws);
}

/**
 * Checks that an answer is sealed to whom the request wants it sealed: the member's browser, else the enquirer.
 * @throws `seal-broken`
 */
export function checkSealedFor(request: RequestPayload, sealed: SealedContent | SealedToKey): void {
  if ((memberWhoAsks(request) === undefined) === 'epoch' in sealed) return;
  throw new CountersignError('seal-broken', 'the answer is sealed to another key than the request wants');
}

async function readDecision(
  { payload }: Statement<ResponsePayload>,
  request: Statement<RequestPayload>,
  read: ReadSealed,
): Promise<{ decision: Decision; plaintext?: string }> {
  const sealedRequest = 'sealed' in request.payload;
  if (sealedRequest !== 'sealed' in payload) {
    throw new CountersignError('seal-broken', 'the answer must be sealed exactly where the request was');
  }
  if ('content' in payload) return { decision: payload.content };
  checkSealedFor(request.payload, payload.sealed);
  const plaintext = await read(payload.sealed, [payload.req, payload.iss_id]);
  return { decision: parseContent(Decision, plaintext), plaintext };
}

async function checkDecision(
  crypto: CryptoProvider,
  { question }: OpenRequest,
  decision: Decision,
): Promise<void> {
  if (decision.decision !== 'accept') return;
  if (question.uv && decision.uv !== true) {
    throw new CountersignError('verification-missing', 'the device did not check that the person was there');
  }
  if (question.passcode === undefined) return;
  if (decision.passcode === undefined) {
    throw new CountersignError('passcode-missing', 'the answer lacks the passcode that was asked for');
  }
  if (!(await checkPasscode(crypto, question.passcode, normalizePasscode(decision.passcode)))) {
    throw new CountersignError('passcode-wrong', 'the answer carries a wrong passcode');
  }
}
