/**
 * The member who asks by a seat, as whoever is asked verifies them: by the proof of the seat, the member's log, and the
 * organisation's list, none of which the broker can make.
 * @module
 */
import {
  type AskingMember,
  CountersignError,
  type CryptoProvider,
  type DeviceLog,
  memberWhoAsks,
  parseMember,
  parseRequest,
  type Receipt,
  type RequestPayload,
  type Seat,
  verifySeat,
} from '@countersign/core';
import { readMemberChanges } from './members.ts';
import type { Session } from './session.ts';

export interface KnownMember extends AskingMember {
  readonly seat: Seat;
  /** The organisation's log, as long as its list of members wants it. */
  readonly organisation: DeviceLog;
  /** All that it was verified by, for a receipt. */
  readonly proof: NonNullable<Receipt['seat']>;
}

type Reading = Pick<Session, 'api' | 'book' | 'crypto' | 'state'>;

/**
 * The member who asks, if one does.
 * @param known the enquirer's log
 * @param maxAge of the member's log, in seconds
 * @returns the seat with the members by now: whether it may still act is for `verifyRequest` to say
 * @throws `seat-invalid`, `account-mismatch`, `member-conflict`, and what reading the logs and `verifySeat` throw
 */
export async function readAskingMember(
  reading: Reading,
  known: DeviceLog,
  payload: RequestPayload,
  maxAge: number,
): Promise<KnownMember | undefined> {
  const named = memberWhoAsks(payload);
  if (named === undefined) return undefined;
  const { api, book, crypto } = reading;
  const { list, changes, log: organisation } = await readList(reading, known);
  const evidence = await api.readSeat(named.seat);
  const { sub, sub_id } = (await parseRequest(crypto, evidence.request)).payload;
  // Judged before the log is read: nobody whom the organisation never named is looked up, and so believed.
  if (!(await isNamed(crypto, changes, sub, sub_id))) {
    throw new CountersignError('seat-invalid', `${sub} never was a member of ${organisation.name}`);
  }
  const { log } = await book.find(sub, maxAge, sub_id);
  const seat = await verifySeat(crypto, evidence, organisation, log);
  if (seat.hash !== named.seat) throw new CountersignError('seat-invalid', 'the broker shows another seat');
  const proof = { ...evidence, member_log: [...log.entries], members: [...changes] };
  return { seat, members: list, organisation, proof };
}

async function isNamed(
  crypto: CryptoProvider,
  changes: readonly string[],
  name: string,
  identity: string,
): Promise<boolean> {
  for (const jws of changes) {
    const { member, member_id } = (await parseMember(crypto, jws)).payload;
    if (member === name && member_id === identity) return true;
  }
  return false;
}

/** The members by now; where a device that is new to us made a change, by the organisation's log as it is by now. */
async function readList(reading: Reading, known: DeviceLog) {
  try {
    return { ...(await readMemberChanges(reading, known)), log: known };
  } catch (error) {
    if (!(error instanceof CountersignError) || error.code !== 'log-rollback') throw error;
    const { log } = await reading.book.find(known.name, 0, known.identity);
    return { ...(await readMemberChanges(reading, log)), log };
  }
}
