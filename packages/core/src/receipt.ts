/**
 * A receipt: a request, its response, and the parts of both logs that prove who asked and that the device was
 * entitled to answer at that time. It verifies offline, years later, with nothing but itself and the two
 * fingerprints that the reader trusts.
 * @module
 */
import * as v from 'valibot';
import type { AskingMember } from './asking-member.ts';
import { CHECKPOINT_AGE, type CheckpointPayload, CheckpointStatement, isForHead } from './checkpoint.ts';
import type { CryptoProvider } from './crypto-provider.ts';
import type { DeviceLog } from './device-log.ts';
import { CountersignError } from './errors.ts';
import { PublicSigningKey } from './keys.ts';
import { NO_MEMBERS, replayMembers } from './members.ts';
import { Question } from './question.ts';
import { replayLog } from './replay.ts';
import {
  CLOCK_SKEW,
  checkLifetime,
  checkMemberAsks,
  memberWhoAsks,
  type OpenRequest,
  parseRequest,
  type RequestPayload,
  verifyRequest,
} from './request.ts';
import { type OpenResponse, verifyResponse } from './response.ts';
import { checkDisclosed, parseContent } from './sealing.ts';
import { verifySeat } from './seat.ts';
import type { Seat } from './seat-standing.ts';
import { describeIssue, parseStatement, type Verified, verifyStatement } from './statement.ts';

const Jws = v.pipe(v.string(), v.maxLength(65_536));
const Log = v.pipe(v.array(Jws), v.minLength(1), v.maxLength(10_000));

export const Receipt = v.strictObject({
  countersign: v.literal('receipt/1'),
  request: Jws,
  response: Jws,
  /** Plaintexts of what was sealed; absent where nothing was. */
  disclosed: v.optional(v.strictObject({ request: v.string(), response: v.string() })),
  /** Device logs, up to the heads that stood when the answer was verified. */
  enquirer_log: Log,
  account_log: Log,
  /** Where a member asked: the proof of their seat, their own log, and the changes of the enquirer's members. */
  seat: v.optional(
    v.strictObject({
      request: Jws,
      response: Jws,
      member_log: Log,
      members: Log,
    }),
  ),
  /** The broker's word for the time at which `account_log` was the newest, and its key. */
  checkpoint: v.strictObject({ statement: Jws, key: PublicSigningKey }),
});
export type Receipt = v.InferOutput<typeof Receipt>;

export interface VerifiedReceipt {
  readonly request: OpenRequest;
  readonly response: OpenResponse;
  readonly enquirer: DeviceLog;
  readonly account: DeviceLog;
  readonly checkpoint: Verified<CheckpointPayload>;
  /** Who asked, where it was a member and no device of the enquirer's. */
  readonly seat?: Seat;
}

/**
 * Verifies a receipt. What it proves is about two identities and a broker's key: the caller
 * compares them with those it trusts.
 * @throws `receipt-invalid`; `checkpoint-stale` where the checkpoint is older than the answer by more than the
 *   kind allows; and all that verifying a log, a request and a response throws
 */
export async function verifyReceipt(crypto: CryptoProvider, input: unknown): Promise<VerifiedReceipt> {
  const read = v.safeParse(Receipt, input);
  if (!read.success) throw new CountersignError('receipt-invalid', describeIssue(read.issues));
  const receipt = read.output;
  const enquirer = await replayLog(crypto, receipt.enquirer_log);
  const account = await replayLog(crypto, receipt.account_log);
  const statement = await parseRequest(crypto, receipt.request);
  const { payload } = statement;
  const member = await readMember(crypto, receipt.seat, payload, enquirer);
  const verified = await verifyRequest(crypto, statement, enquirer, {
    now: payload.iat,
    brokers: [payload.aud],
    member,
  });
  const request = await discloseRequest(crypto, verified, receipt.disclosed?.request);
  checkLifetime(request.question.kind, payload.exp - payload.iat);
  checkMemberAsks(payload, request.question, member);
  const response = await verifyResponse(crypto, request, account, receipt.response, async (sealed) => {
    const plaintext = disclosed(receipt.disclosed?.response);
    await checkDisclosed(crypto, sealed, plaintext);
    return plaintext;
  });
  const checkpoint = await parseStatement(crypto, CheckpointStatement, receipt.checkpoint.statement);
  const word = await verifyStatement(crypto, checkpoint, receipt.checkpoint.key);
  if (!isForHead(word.payload, account)) {
    throw new CountersignError('receipt-invalid', 'the checkpoint is for another log than the receipt holds');
  }
  if (word.payload.iss !== payload.aud) {
    throw new CountersignError(
      'receipt-invalid',
      'the checkpoint is by another broker than the request names',
    );
  }
  // without this, a device that was revoked could answer today with the log of an older day
  const oldest = response.statement.payload.iat - CHECKPOINT_AGE[request.question.kind] - CLOCK_SKEW;
  if (word.payload.iat < oldest) {
    throw new CountersignError('checkpoint-stale', 'the checkpoint is too old for the answer');
  }
  return {
    request,
    response,
    enquirer,
    account,
    checkpoint: word,
    ...(member === undefined ? {} : { seat: member.seat }),
  };
}

/** The member who asked, by the proof of their seat, and the members as they were at that time. */
async function readMember(
  crypto: CryptoProvider,
  proof: Receipt['seat'],
  payload: RequestPayload,
  enquirer: DeviceLog,
): Promise<(AskingMember & { readonly seat: Seat }) | undefined> {
  if ((memberWhoAsks(payload) === undefined) !== (proof === undefined)) {
    throw new CountersignError('receipt-invalid', 'the proof of a seat stands where a member asked');
  }
  if (proof === undefined) return undefined;
  const log = await replayLog(crypto, proof.member_log);
  const seat = await verifySeat(crypto, proof, enquirer, log);
  return { seat, members: await replayMembers(crypto, proof.members, enquirer, NO_MEMBERS, payload.iat) };
}

async function discloseRequest(
  crypto: CryptoProvider,
  statement: OpenRequest['statement'],
  plaintext: string | undefined,
): Promise<OpenRequest> {
  if ('content' in statement.payload) {
    if (plaintext !== undefined) {
      throw new CountersignError('receipt-invalid', 'a plaintext where nothing was sealed: nobody signed it');
    }
    return { statement, question: statement.payload.content };
  }
  const shown = disclosed(plaintext);
  await checkDisclosed(crypto, statement.payload.sealed, shown);
  return { statement, question: parseContent(Question, shown), plaintext: shown };
}

function disclosed(plaintext: string | undefined): string {
  if (plaintext === undefined) {
    throw new CountersignError('receipt-invalid', 'a sealed statement without its plaintext');
  }
  return plaintext;
}
