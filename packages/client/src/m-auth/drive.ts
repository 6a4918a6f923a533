/**
 * Runs a state machine of M-AUTH over a connection: one input at a time, in the order in which they come; what is
 * to be durable is durable before anything that depends on it is sent or told.
 * @module
 */
import { CountersignError } from '@countersign/core';
import { type Frame, takeFrame } from '@countersign/core/m-auth';
import type { Clock } from '../clock.ts';
import type { ByteDuplex } from './duplex.ts';

/** What `Step` and `PairStep` have in common, in the words of here. */
export interface Wanted<Event> {
  readonly send: readonly Uint8Array[];
  readonly event: Event | undefined;
  readonly close: boolean;
  /** Makes durable what must be, and says whether it is. */
  readonly keep: (() => Promise<boolean>) | undefined;
  /** What is kept where it can be. */
  readonly note: (() => Promise<void>) | undefined;
}

export interface Machine<Event> {
  receive(frame: Frame, now: number): Promise<Wanted<Event>>;
  tick(now: number): Wanted<Event>;
  settle(durable: boolean, now: number): Wanted<Event>;
  closed(): Wanted<Event>;
  /** When `tick` has something to do next, by the clock's monotonic time. */
  due(): number | undefined;
}

/** A machine at work. Inputs from outside, such as a person’s answer, come by `input`. */
export class Drive<Event> {
  readonly #machine: Machine<Event>;
  readonly #duplex: ByteDuplex;
  readonly #clock: Clock;
  readonly #tell: (event: Event) => void;
  #queue: Promise<void> = Promise.resolve();
  #over = false;
  #timer: ReturnType<typeof setTimeout> | undefined;
  readonly #finished = Promise.withResolvers<void>();

  constructor(machine: Machine<Event>, duplex: ByteDuplex, clock: Clock, tell: (event: Event) => void) {
    this.#machine = machine;
    this.#duplex = duplex;
    this.#clock = clock;
    this.#tell = tell;
  }

  /** Feeds the machine until it wants the connection closed. What the driver or the store throws comes out here. */
  async run(first?: Wanted<Event>): Promise<void> {
    try {
      if (first !== undefined) this.input(() => first);
      else this.#setTimer();
      this.#read().catch((error) => this.#finished.reject(error));
      await this.#finished.promise;
    } finally {
      this.#over = true;
      clearTimeout(this.#timer);
      this.#duplex.close();
    }
  }

  /** Queues an input; after the end it does nothing. */
  input(make: (now: number) => Wanted<Event> | Promise<Wanted<Event>>): void {
    this.#queue = this.#queue
      .then(async () => {
        if (this.#over) return;
        await this.#carryOut(await make(this.#clock.monotonic()));
        this.#setTimer();
      })
      .catch((error) => this.#finished.reject(error));
  }

  async #carryOut(wanted: Wanted<Event>): Promise<void> {
    const { keep, note, send, event, close } = wanted;
    if (keep !== undefined) {
      const durable = await keep();
      await note?.();
      return this.#carryOut(this.#machine.settle(durable, this.#clock.monotonic()));
    }
    // what is told about a step that lets somebody in must not wait for what is only noted
    for (const bytes of send) this.#duplex.write(bytes);
    if (event !== undefined) this.#tell(event);
    await note?.();
    if (!close) return;
    this.#over = true;
    this.#finished.resolve();
  }

  #setTimer(): void {
    clearTimeout(this.#timer);
    const due = this.#machine.due();
    if (this.#over || due === undefined) return;
    // a timer may fire a little early: then it is set again
    const left = Math.max(0, Math.ceil(due - this.#clock.monotonic()));
    this.#timer = setTimeout(() => this.input((now) => this.#machine.tick(now)), left);
  }

  async #read(): Promise<void> {
    let rest: Uint8Array = new Uint8Array();
    for await (const bytes of this.#duplex.incoming) {
      rest = rest.length === 0 ? bytes : concat(rest, bytes);
      for (;;) {
        let taken: ReturnType<typeof takeFrame>;
        try {
          taken = takeFrame(rest);
        } catch (error) {
          if (!(error instanceof CountersignError)) throw error;
          // nothing can be told apart after it
          this.#hangUp();
          return;
        }
        if (taken === undefined) break;
        const { frame } = taken;
        rest = taken.rest;
        this.input((now) => this.#machine.receive(frame, now));
      }
      if (this.#over) return;
    }
    this.#hangUp();
  }

  #hangUp(): void {
    this.input(() => {
      const wanted = this.#machine.closed();
      return { ...wanted, close: true };
    });
  }
}

function concat(one: Uint8Array, two: Uint8Array): Uint8Array {
  const all = new Uint8Array(one.length + two.length);
  all.set(one);
  all.set(two, one.length);
  return all;
}
