/**
 * What all devices of an account asked: for an organisation that looks over what its services do. Each request, answer
 * and report is checked by the log of whoever signed it, and what is not good is left out.
 * @module
 */
import {
  CountersignError,
  type Decision,
  type DeviceLog,
  parseRequest,
  parseStatement,
  ReportStatement,
  type RequestPayload,
  readAnswer,
  readWithKeys,
  type Statement,
  statementId,
  verifyStatement,
} from '@countersign/core';
import type { Session } from './session.ts';
import type { WireAsked } from './wire.ts';

/** Age of the asked accounts' logs, in seconds: what they signed before is judged as of then. */
const LOG_AGE = 86_400;

export interface AskedRequest {
  readonly hash: string;
  /** As people see it. */
  readonly id: string;
  readonly account: string;
  /** Fingerprint of the key that asked. */
  readonly kid: string;
  /** Seconds since 1970. */
  readonly postedAt: number;
  readonly settledAt?: number;
  readonly state: WireAsked['state'];
  /** Of one that was answered: how; nothing where this device has no key to read that, or it isn't good. */
  readonly decision?: Decision['decision'];
  /** When the account reported that it was not of its making. */
  readonly reportedAt?: number;
}

export interface AskedPage {
  readonly requests: readonly AskedRequest[];
  /** Where the next page begins, if there may be one. */
  readonly next?: number;
}

/** As many as a broker gives where nothing is said. */
const PAGE = 50;

/** A page of what was asked, newest first. @param before only those before this place */
export async function readAsked(session: Session, before?: number): Promise<AskedPage> {
  const { api, keys } = session;
  const [rows, own] = await Promise.all([api.listAsked(keys.signer, keys.name, before), session.ownLog(0)]);
  const read = await Promise.all(rows.map((row) => good(readRow(session, own, row))));
  const requests = read.filter((row) => row !== undefined);
  return rows.length < PAGE ? { requests } : { requests, next: rows.at(-1)!.cursor };
}

async function readRow(session: Session, own: DeviceLog, row: WireAsked): Promise<AskedRequest | undefined> {
  const { crypto, book } = session;
  const request = await parseRequest(crypto, row.request);
  const asker = own.devices.get(request.kid);
  const { iss_id, sub, sub_id } = request.payload;
  if (asker === undefined || iss_id !== own.identity || request.hash !== row.hash) return undefined;
  await verifyStatement(crypto, request, asker.sig);
  const { response, report } = row;
  const found =
    response === undefined && report === undefined ? undefined : await book.find(sub, LOG_AGE, sub_id);
  const [decision, reported] = await Promise.all([
    response === undefined ? undefined : good(decisionOf(session, request, found!.log, response)),
    report === undefined ? undefined : good(isReport(session, request, found!.log, report.statement)),
  ]);
  return {
    hash: row.hash,
    id: await statementId(crypto, row.hash),
    account: sub,
    kid: request.kid,
    postedAt: row.posted_at,
    ...(row.settled_at === undefined ? {} : { settledAt: row.settled_at }),
    state: row.state,
    ...(decision === undefined ? {} : { decision }),
    ...(reported ? { reportedAt: report!.reported_at } : {}),
  };
}

async function decisionOf(
  session: Session,
  request: Statement<RequestPayload>,
  account: DeviceLog,
  response: string,
): Promise<Decision['decision']> {
  const { crypto, epochOpener } = session;
  const read = readWithKeys(crypto, epochOpener);
  return (await readAnswer(crypto, request, account, response, read)).decision;
}

async function isReport(
  { crypto }: Session,
  request: Statement<RequestPayload>,
  account: DeviceLog,
  jws: string,
): Promise<boolean> {
  const report = await parseStatement(crypto, ReportStatement, jws);
  const device = account.devices.get(report.kid);
  if (report.payload.req !== request.hash || device === undefined) return false;
  await verifyStatement(crypto, report, device.sig);
  return true;
}

/** What was refused is nothing. */
async function good<T>(work: Promise<T>): Promise<T | undefined> {
  try {
    return await work;
  } catch (error) {
    if (error instanceof CountersignError && error.code !== 'broker-unreachable') return undefined;
    throw error;
  }
}
