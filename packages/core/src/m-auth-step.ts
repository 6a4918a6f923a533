/**
 * What a state machine of M-AUTH wants done after each input. Whoever drives it does it in this order: `commit`
 * durably and tell the machine how that went (`settle`), else write `send`, tell `event`, and close where it is
 * `over`.
 * @module
 */

export interface Step<Event, Record> {
  /** Frames for the other side, each whole. */
  readonly send: readonly Uint8Array[];
  /** A change of the record that must be durable before anything else happens; then comes `settle`. */
  readonly commit?: Commit<Record>;
  /** Changes that are kept where they can be, and that nothing waits for. */
  readonly notes: readonly Commit<Record>[];
  readonly event?: Event;
  /** The connection is to be closed, after `send`. Nothing more comes of this machine. */
  readonly over: boolean;
}

export interface Commit<Record> {
  /** Of the pair. */
  readonly id: string;
  /**
   * What the record becomes, for an atomic update of the store; undefined where it may not: then it stays, and
   * `settle(false)` says so. A record that is gone is as one that may not.
   */
  apply(record: Record): Record | undefined;
}

export function step<Event, Record>(parts: Partial<Step<Event, Record>> = {}): Step<Event, Record> {
  return { send: [], notes: [], over: false, ...parts };
}
