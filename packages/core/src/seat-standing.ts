/**
 * Whether a seat may act at a time: how long it lasts, and the role that the organisation's list of members gives.
 * What makes a browser's key a seat is in `seat.ts`.
 * @module
 */
import type { PublicSigningJwk } from './crypto-provider.ts';
import { CountersignError } from './errors.ts';
import type { MemberList, Role } from './members.ts';
import { CLOCK_SKEW } from './request.ts';

/** How long a seat lasts, in seconds. */
export const SEAT_LIFE = 8 * 3600;

/** An account, by name and identity. */
export interface Named {
  readonly name: string;
  readonly identity: string;
}

/** A browser's key that acts for an organisation. */
export interface Seat {
  /** Hash of the request; it names the seat. */
  readonly hash: string;
  readonly kid: string;
  readonly key: PublicSigningJwk;
  readonly organisation: Named;
  readonly member: Named;
  readonly role: Role;
  /** The member's device that said yes. */
  readonly device: string;
  /** By that device's clock, seconds since 1970; and when it is over. */
  readonly iat: number;
  readonly exp: number;
}

/**
 * Checks that a seat may act now: its time, and that its member has its role by the list.
 * @throws `seat-over`
 */
export function checkSeat(
  { iat, exp, member, role }: Pick<Seat, 'iat' | 'exp' | 'role' | 'member'>,
  list: Pick<MemberList, 'members'>,
  now: number,
): void {
  if (iat <= now + CLOCK_SKEW && now < exp && list.members.get(member.identity)?.role === role) return;
  throw seatOver();
}

/** One word for every way in which a seat ends. */
export function seatOver(): CountersignError {
  return new CountersignError('seat-over', 'this browser is not signed in any more', {
    hint: 'sign in again, if you are still a member of the organisation',
  });
}
