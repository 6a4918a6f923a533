/**
 * What the broker keeps of members of organisations and of their seats, as an interface: a part of `Store`. Times are
 * seconds since 1970.
 * @module
 */
import type { Seat, SeatEvidence } from '@countersign/core';

export interface NewSeat extends Seat {
  /** Rows of the organisation, and of the member. */
  readonly accountId: number;
  readonly memberId: number;
  readonly evidence: SeatEvidence;
}

export interface SeatRow extends NewSeat {
  readonly endedAt?: number;
}

export interface MemberStore {
  /** Adds a change of members, where it is the next one. @throws `member-conflict` */
  addMemberChange(accountId: number, seq: number, jws: string): Promise<void>;
  /** Changes from a number on. */
  readMemberChanges(accountId: number, from: number): Promise<string[]>;

  /** Keeps a seat; one that is kept already stays as it is. */
  saveSeat(seat: NewSeat): Promise<void>;
  /** The seat of a key that lasts longest, if it ever had one. */
  findSeat(accountId: number, kid: string): Promise<SeatRow | undefined>;
  readSeat(hash: string): Promise<SeatRow | undefined>;
  /** Ends all seats of a key. */
  endSeats(accountId: number, kid: string, now: number): Promise<void>;
}
