/**
 * The validator’s side of a sign-on at work: the person has picked the interface and moved the passcode; a rule or
 * the person answers the context.
 * @module
 */
import { SignOn, type SignOnEnd, type ValidatorEvent, type ValidatorRecord } from '@countersign/core/m-auth';
import type { NoiseCrypto, NoiseKey } from '@countersign/core/noise';
import type { Clock } from '../clock.ts';
import { Drive } from './drive.ts';
import type { ByteDuplex } from './duplex.ts';
import type { RecordUpdates } from './record-updates.ts';
import { machineOf, wantedBy } from './sign-on-machine.ts';

export interface SignOnParts {
  readonly crypto: NoiseCrypto;
  readonly clock: Clock;
  readonly records: RecordUpdates<ValidatorRecord>;
  readonly record: ValidatorRecord;
  readonly key: NoiseKey;
  readonly passcode: string;
  readonly duplex: ByteDuplex;
}

export interface ContextAnswer {
  readonly answer: 'accept' | 'deny' | 'fraud';
  readonly by: 'person' | 'rule';
}

export type ShownContext = ValidatorEvent & { readonly kind: 'context' };

export interface SignOnListener {
  /**
   * Gives the answer to a context. The signal is raised when it is too late: the window has closed, or the other
   * side has hung up.
   */
  answer(shown: ShownContext, signal: AbortSignal): Promise<ContextAnswer>;
  approval?(given: number, needed: number): void;
}

export interface SignOnResult {
  readonly end: SignOnEnd;
  /** Tell the person, whatever else is shown. */
  readonly alarm: boolean;
}

/** One sign-on, to its end. Only an end whose outcome is `granted` is a success. */
export async function signOn(parts: SignOnParts, listener: SignOnListener): Promise<SignOnResult> {
  const { records, clock, duplex } = parts;
  const machine = new SignOn(parts);
  const wanted = wantedBy<ValidatorEvent, ValidatorRecord>(records);
  const ended = new AbortController();
  let result: SignOnResult | undefined;
  let failure: unknown;
  const drive = new Drive(machineOf(machine, wanted), duplex, clock, (event) => {
    if (event.kind === 'approval') listener.approval?.(event.given, event.needed);
    else if (event.kind === 'context') ask(event);
    else {
      result = { end: event.end, alarm: event.alarm };
      ended.abort();
    }
  });
  const ask = async (shown: ShownContext) => {
    try {
      const { answer, by } = await listener.answer(shown, ended.signal);
      drive.input((now) => wanted(machine.answer(answer, by, now)));
    } catch (error) {
      if (ended.signal.aborted) return;
      failure = error;
      drive.input(() => wanted(machine.withdraw()));
    }
  };
  await drive.run(wanted(await machine.start(clock.monotonic())));
  if (failure !== undefined) throw failure;
  return result!;
}
