/**
 * A side of a sign-on as a machine that a `Drive` can run: the same for both sides.
 * @module
 */
import type { Frame, Step } from '@countersign/core/m-auth';
import type { Machine, Wanted } from './drive.ts';
import { noteAll, type RecordUpdates } from './record-updates.ts';

/** What `SignOnAttempt` and `SignOn` have in common. */
interface SignOnSide<Event, Record> {
  receive(frame: Frame, now: number): Promise<Step<Event, Record>>;
  tick(now: number): Step<Event, Record>;
  settle(durable: boolean, now: number): Step<Event, Record>;
  closed(): Step<Event, Record>;
  readonly due: number | undefined;
}

/** Steps in the words of a `Drive`, their changes being of these records. */
export function wantedBy<Event, Record>(
  records: RecordUpdates<Record>,
): (step: Step<Event, Record>) => Wanted<Event> {
  return ({ send, event, over, commit, notes }) => ({
    send,
    event,
    close: over,
    keep: commit && (() => records.update(commit.id, (record) => commit.apply(record))),
    note: notes.length === 0 ? undefined : () => noteAll(records, notes),
  });
}

export function machineOf<Event, Record>(
  side: SignOnSide<Event, Record>,
  wanted: (step: Step<Event, Record>) => Wanted<Event>,
): Machine<Event> {
  return {
    receive: async (frame, now) => wanted(await side.receive(frame, now)),
    tick: (now) => wanted(side.tick(now)),
    settle: (durable, now) => wanted(side.settle(durable, now)),
    closed: () => wanted(side.closed()),
    due: () => side.due,
  };
}
