/**
 * A member who asks a customer by their seat, where else a device of the organisation asks. They may ask about a call,
 * and nothing else; the answer is sealed to a key of their browser, since a seat has none of the organisation's.
 * @module
 */
import * as v from 'valibot';
import { CountersignError } from './errors.ts';
import { Hash, PublicSealingKey } from './keys.ts';
import { checkRole, type MemberList } from './members.ts';
import type { Seat } from './seat-standing.ts';
import { LONGEST_TWO_WAY } from './two-way-question.ts';

/** As a request names them, in clear: the broker has to see what it enforces. */
export const ByMember = v.strictObject({
  /** Hash of the seat, by which its proof is read. */
  seat: Hash,
  /** To which the answer is sealed. */
  key: PublicSealingKey,
});
export type ByMember = v.InferOutput<typeof ByMember>;

/** A seat that was verified, and the organisation's members by whom it is judged. */
export interface AskingMember {
  readonly seat: Pick<Seat, 'hash' | 'key' | 'role' | 'member' | 'iat' | 'exp'>;
  /** By now where the question is still to be answered, else as they were when it was asked. */
  readonly members: Pick<MemberList, 'members'>;
}

/**
 * Checks that a seat may ask: it is the one that the request names, its role extends to that, and the request stands
 * within its time.
 * @param skew how far two honest clocks may differ, in seconds
 * @throws `seat-invalid`, `seat-over`, `role-missing`, `request-lifetime`
 */
export function checkAskingMember(
  { member, iat, exp }: { readonly member: ByMember; readonly iat: number; readonly exp: number },
  by: AskingMember | undefined,
  skew: number,
): AskingMember['seat'] {
  if (by === undefined || by.seat.hash !== member.seat) {
    throw new CountersignError('seat-invalid', 'asked by another seat than it names');
  }
  const { seat, members } = by;
  checkRole(seat.role, 'sessions');
  if (iat < seat.iat - skew) {
    throw new CountersignError('seat-invalid', 'asked before the member had signed in');
  }
  // It ends with the seat at the latest, so that whoever may not act any more has nothing that still stands.
  if (exp > seat.exp || members.members.get(seat.member.identity)?.role !== seat.role) throw askerOver();
  if (exp - iat > LONGEST_TWO_WAY) {
    throw new CountersignError(
      'request-lifetime',
      `a question of a member may stand for ${LONGEST_TWO_WAY} s, not ${exp - iat}`,
    );
  }
  return seat;
}

/** What is said of a question whose member lost the seat or the role meanwhile, to whoever asks or is asked. */
export function askerOver(): CountersignError {
  return new CountersignError('seat-over', 'the member who asked may not act for the organisation any more', {
    hint: 'do not go on with the call; whoever asked may sign in again, and ask again',
  });
}
