/**
 * Seats: keys of browsers that members of an organisation let in by a signed yes. The broker believes the proof, the
 * member's log and the list of members, each time anew; it makes nobody a member.
 * @module
 */
import {
  type AskingMember,
  activeDevice,
  CountersignError,
  checkSeat,
  parseRequest,
  type SeatEvidence,
  seatOver,
  verifySeat,
} from '@countersign/core';
import { findAccount, findIdentified, replayedLog } from './accounts.ts';
import type { BrokerContext } from './context.ts';
import { memberList } from './members.ts';
import type { SeatRow } from './store/member-store.ts';
import type { AccountRow } from './store/store.ts';

/** Who acts for an organisation: a device of its account, or a member by the seat of a browser. */
export interface Actor {
  readonly account: AccountRow;
  readonly kid: string;
  readonly seat?: SeatRow;
}

/**
 * Takes a seat, by its proof; the same one again is a safe retry.
 * @throws `seat-over` where its time is over, or its member has not that role; what `verifySeat` throws
 */
export async function takeSeat(
  context: BrokerContext,
  name: string,
  evidence: SeatEvidence,
): Promise<SeatRow> {
  const { crypto, store, now } = context;
  const { payload } = await parseRequest(crypto, evidence.request);
  const account = await findAccount(context, name);
  const member = await findIdentified(context, payload.sub, payload.sub_id);
  const seat = await verifySeat(crypto, evidence, account, await replayedLog(context, member));
  activeDevice(member, seat.device);
  checkSeat(seat, await memberList(context, account), now());
  await store.saveSeat({ ...seat, accountId: account.id, memberId: member.id, evidence });
  return (await store.readSeat(seat.hash))!;
}

/**
 * The seat by which a key acts for an organisation now; nothing for a key that never had one, or is a device's.
 * @throws `seat-over` where it has ended, for whatever reason
 */
export async function seatOf(
  context: BrokerContext,
  account: AccountRow,
  kid: string,
): Promise<SeatRow | undefined> {
  if (account.devices.has(kid)) return undefined;
  const seat = await context.store.findSeat(account.id, kid);
  if (seat === undefined) return undefined;
  if (seat.endedAt !== undefined) throw seatOver();
  checkSeat(seat, await memberList(context, account), context.now());
  // A device that was lost takes with it what it let in.
  const member = await findIdentified(context, seat.member.name, seat.member.identity);
  try {
    activeDevice(member, seat.device);
  } catch (cause) {
    if (cause instanceof CountersignError) throw seatOver();
    throw cause;
  }
  return seat;
}

/**
 * The member who asks by a key, with the list by which that is judged.
 * @throws `seat-invalid` where the key is of no seat; `seat-over`
 */
export async function askingMember(
  context: BrokerContext,
  organisation: AccountRow,
  kid: string,
): Promise<AskingMember> {
  const seat = await seatOf(context, organisation, kid);
  if (seat === undefined) throw new CountersignError('seat-invalid', 'no seat of the organisation asks');
  return { seat, members: await memberList(context, organisation) };
}

/** @throws `seat-invalid` where there is none */
export async function readSeat({ store }: BrokerContext, hash: string): Promise<SeatRow> {
  const seat = await store.readSeat(hash);
  if (seat !== undefined) return seat;
  throw new CountersignError('seat-invalid', 'there is no such seat here');
}
