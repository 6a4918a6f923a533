/**
 * Signing in to an organisation's console by confirm. A browser with a key of its own asks a member's account, in the
 * organisation's name and in words that are fixed; the member's signed yes makes that key a **seat**, which acts for
 * the organisation in the role that was named, for eight hours. Question and answer together are the proof, and need
 * nobody's word; whether the member has that role is for the list of members to say, at the time of each act.
 * @module
 */
import type { CryptoProvider, Signer } from './crypto-provider.ts';
import { checkWordsStand, type DeviceLog } from './device-log.ts';
import { CountersignError } from './errors.ts';
import type { Role } from './members.ts';
import { commitPasscode } from './passcode.ts';
import { checkParts } from './question.ts';
import { replayLog } from './replay.ts';
import {
  CLOCK_SKEW,
  checkLifetime,
  drawRequestId,
  type OpenRequest,
  parseRequest,
  RequestStatement,
  verifyRequest,
} from './request.ts';
import { type Decision, parseResponse, verifyResponse } from './response.ts';
import { drawSalt } from './sealing.ts';
import { type SeatLanguage, seatQuestion } from './seat-question.ts';
import { type Named, SEAT_LIFE, type Seat } from './seat-standing.ts';
import { keyFingerprint, signStatement } from './statement.ts';

/** How long the question stands, in seconds. */
export const SIGN_IN_LIFE = 120;

/** The question and the answer, as they were signed. */
export interface SeatEvidence {
  readonly request: string;
  readonly response: string;
}

export interface SeatWanted {
  /** The browser's key. */
  readonly signer: Signer;
  readonly organisation: Named;
  readonly member: Named;
  readonly role: Role;
  readonly language: SeatLanguage;
  /** Six digits, which the browser shows. */
  readonly passcode: string;
  /** Origin of the broker. */
  readonly broker: string;
  /** Seconds since 1970. */
  readonly now: number;
}

/** Asks a member's account for a seat. It is in clear: the broker has to see what it enforces. */
export async function createSeatRequest(crypto: CryptoProvider, wanted: SeatWanted): Promise<OpenRequest> {
  const { signer, organisation, member, role, language, passcode, broker, now } = wanted;
  const kid = await keyFingerprint(crypto, signer.publicKey);
  const words = seatQuestion(language, { organisation: organisation.name, role, kid });
  checkParts(words.parts);
  const question = {
    kind: 'login' as const,
    ...words,
    passcode: await commitPasscode(crypto, passcode),
    salt: drawSalt(crypto),
  };
  const statement = await signStatement(crypto, RequestStatement, signer, {
    jti: drawRequestId(crypto),
    iss: organisation.name,
    iss_id: organisation.identity,
    sub: member.name,
    sub_id: member.identity,
    aud: broker,
    iat: now,
    exp: now + SIGN_IN_LIFE,
    content: question,
    seat: { key: signer.publicKey, role },
  });
  return { statement, question };
}

/**
 * Verifies a seat by its evidence, trusting nobody but the member's log.
 * @throws `seat-invalid` for what was not accepted, and what `judgeSignIn` throws
 */
export async function verifySeat(
  crypto: CryptoProvider,
  evidence: SeatEvidence,
  organisation: Named,
  member: DeviceLog,
): Promise<Seat> {
  const { decision, seat } = await judgeSignIn(crypto, evidence, organisation, member);
  if (decision !== 'accept') throw new CountersignError('seat-invalid', 'the member did not accept');
  return seat;
}

/**
 * What a member answered to a browser that asked for a seat; `seat` is one only where they accepted. The answer is
 * judged by the member's log as its device knew it. A device that was lost or undone since, or is frozen, takes its
 * seats with it; one that was shown out for another reason makes none from then on.
 * @throws `account-mismatch` for another organisation's, or another member's; `seat-invalid` for what asks for no
 *   seat; `device-revoked`, `device-frozen`; and what `verifyRequest` and `verifyResponse` throw
 */
export async function judgeSignIn(
  crypto: CryptoProvider,
  { request: jws, response }: SeatEvidence,
  organisation: Named,
  member: DeviceLog,
): Promise<{ readonly decision: Decision['decision']; readonly seat: Seat }> {
  const parsed = await parseRequest(crypto, jws);
  const { payload } = parsed;
  if (!('content' in payload) || payload.seat === undefined) {
    throw new CountersignError('seat-invalid', 'a question that asks for no seat');
  }
  // No device of the organisation signs it, so none is looked for.
  const enquirer = { ...organisation, devices: new Map() };
  const statement = await verifyRequest(crypto, parsed, enquirer, {
    now: payload.iat,
    brokers: [payload.aud],
  });
  checkLifetime(payload.content.kind, payload.exp - payload.iat);
  const request: OpenRequest = { statement, question: payload.content };
  const { head } = (await parseResponse(crypto, response)).payload;
  const then = await logAt(crypto, member, head.seq);
  const answer = await verifyResponse(crypto, request, then, response, sealedNever);
  const device = member.devices.get(answer.device.kid)!;
  checkWordsStand(member, device);
  const { iat } = answer.statement.payload;
  // It names the log that it likes; a seat of today is of no device that went before.
  if (device.revokedAt !== undefined && iat > device.revokedAt.iat + CLOCK_SKEW) {
    throw new CountersignError('device-revoked', 'the device that answered had been shown out before');
  }
  const seat: Seat = {
    hash: statement.hash,
    kid: statement.kid,
    key: payload.seat.key,
    organisation: { name: organisation.name, identity: organisation.identity },
    member: { name: member.name, identity: member.identity },
    role: payload.seat.role,
    device: device.kid,
    iat,
    exp: iat + SEAT_LIFE,
  };
  return { decision: answer.decision.decision, seat };
}

/** A log as it was when its entry of a number was its newest. */
async function logAt(crypto: CryptoProvider, log: DeviceLog, seq: number): Promise<DeviceLog> {
  return seq >= log.head.seq ? log : replayLog(crypto, log.entries.slice(0, seq + 1));
}

async function sealedNever(): Promise<string> {
  throw new CountersignError('seal-broken', 'the answer to a question in clear is in clear');
}
