/**
 * The interface’s side of a sign-on at work: a `SignOnAttempt` over its connection to the demultiplexer.
 * @module
 */
import type { InterfaceEvent, InterfaceRecord, SignOnAttempt } from '@countersign/core/m-auth';
import type { Clock } from '../clock.ts';
import { Drive } from './drive.ts';
import type { ByteDuplex } from './duplex.ts';
import type { RecordUpdates } from './record-updates.ts';
import { machineOf, wantedBy } from './sign-on-machine.ts';

export interface AttemptRun {
  /** What an approver says. */
  approve(yes: boolean): void;
  /** Ends it from this side. */
  withdraw(): void;
  /** Fulfilled when all is over, the connection closed; rejected if the store fails: then nobody was let in. */
  readonly finished: Promise<void>;
}

/**
 * Runs an attempt on a connection on which its `AuthRequest` was sent.
 * @param tell gets each event; `granted` comes when the record is durable, and is the only yes
 */
export function runAttempt(
  attempt: SignOnAttempt,
  duplex: ByteDuplex,
  records: RecordUpdates<InterfaceRecord>,
  clock: Clock,
  tell: (event: InterfaceEvent) => void,
): AttemptRun {
  const wanted = wantedBy<InterfaceEvent, InterfaceRecord>(records);
  const drive = new Drive(machineOf(attempt, wanted), duplex, clock, tell);
  return {
    approve: (yes) => drive.input((now) => wanted(attempt.approve(yes, now))),
    withdraw: () => drive.input(() => wanted(attempt.withdraw())),
    finished: drive.run(),
  };
}
