/**
 * How a member gives a browser a seat: an organisation’s question to them, and their answer.
 * @module
 */
import { createSeatRequest, type SeatEvidence, type SeatWanted } from '../src/seat.ts';
import { webCrypto } from '../src/webcrypto.ts';
import { answer, BROKER, NOW, type TestAccount, type TestDevice } from './fixtures.ts';

const PASSCODE = '123456';

/** What a browser asks for: an agent’s seat. */
export function seatWanted(
  organisation: TestAccount,
  member: TestAccount,
  { signer }: TestDevice,
  change: Partial<SeatWanted> = {},
): SeatWanted {
  return {
    signer,
    organisation: organisation.log,
    member: member.log,
    role: 'agent',
    language: 'en',
    passcode: PASSCODE,
    broker: BROKER,
    now: NOW,
    ...change,
  };
}

/** Five seconds later, the member has answered by one of their devices. */
export async function signIn(
  organisation: TestAccount,
  member: TestAccount,
  wanted: SeatWanted,
  decision: 'accept' | 'reject' = 'accept',
  device?: TestDevice,
): Promise<SeatEvidence> {
  const request = await createSeatRequest(webCrypto, wanted);
  const shown = { shown: 'screen' } as const;
  const decided = decision === 'accept' ? { decision, ...shown, passcode: PASSCODE } : { decision, ...shown };
  const by = { now: wanted.now + 5, ...(device && { device }) };
  const { statement } = await answer(member, organisation, request, decided, by);
  return { request: request.statement.jws, response: statement.jws };
}
