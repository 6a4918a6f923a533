/**
 * What waits, as it is now: read at first, after every event of the stream, and whenever the page is looked at.
 * @module
 */
import type { PendingList, Responder } from '@countersign/client';
import { CountersignError, type ErrorCode } from '@countersign/core';
import type { Doorway } from './upkeep.ts';

export interface Waiting {
  readonly list: PendingList;
  /** Nothing, until it was read once. */
  readonly door?: Doorway;
}

export interface Sight {
  /** Nothing, until it was read once. */
  readonly waiting?: Waiting;
  /** Whether the broker answers. What is not up answers nothing. */
  readonly up: boolean;
  /** Why this device can't go on. */
  readonly over?: unknown;
}

const AGAIN_MS = 2000;
const PASSING: ReadonlySet<ErrorCode> = new Set([
  'broker-unreachable',
  'broker-answer-invalid',
  'overloaded',
  'storage-failed',
  'internal',
]);

export class Live {
  #sight: Sight = { up: true };
  readonly #responder: Responder;
  readonly #tell: (sight: Sight) => void;
  readonly #stop = new AbortController();
  /** What was settled as far as is known here: a list that was read before that brings none of it back. */
  readonly #settled = new Set<string>();
  #wake = () => {};

  constructor(responder: Responder, tell: (sight: Sight) => void) {
    this.#responder = responder;
    this.#tell = tell;
  }

  /** Follows until it is stopped. */
  async run(): Promise<void> {
    const { signal } = this.#stop;
    const look = () => void this.refresh();
    const seen = () => document.visibilityState === 'visible' && look();
    window.addEventListener('offline', () => this.#change({ up: false }), { signal });
    window.addEventListener('online', look, { signal });
    document.addEventListener('visibilitychange', seen, { signal });
    while (!signal.aborted) {
      try {
        await this.#follow();
      } catch (error) {
        if (signal.aborted) return;
        if (!isPassing(error)) {
          this.#change({ up: false, over: error });
          return;
        }
        this.#change({ up: false });
        await this.#pause();
      }
    }
  }

  /** Reads what waits, now. */
  async refresh(): Promise<void> {
    this.#wake();
    try {
      await this.#look();
    } catch (error) {
      if (isPassing(error)) this.#change({ up: false });
      else this.#change({ up: false, over: error });
    }
  }

  /** Takes away what was answered here; the broker's word for it comes later. */
  settled(hash: string): void {
    this.#settled.add(hash);
    const { waiting } = this.#sight;
    if (waiting !== undefined) this.#change({ waiting: { ...waiting, list: this.#unsettled(waiting.list) } });
  }

  stop(): void {
    this.#stop.abort();
    this.#wake();
  }

  async #follow(): Promise<void> {
    const { signal } = this.#stop;
    const { cursor } = await this.#look();
    // A stream that ends has lost its place: begin again from the list.
    for await (const happened of this.#responder.follow(cursor, signal, (up) => this.#change({ up }))) {
      if (happened.kind === 'resync') return;
      const { kind, request } = happened.event;
      if (kind === 'settled' && request !== undefined) this.settled(request.hash);
      // What comes before the door is read anew only where that, or the log, has changed.
      if (kind === 'request' || kind === 'settled') await this.#readList();
      else await this.#look();
    }
  }

  async #look(): Promise<PendingList> {
    const list = await this.#readList();
    // The questions stand first, and are answered whether the rest can be loaded or not.
    const upkeep = await import('./upkeep.ts').catch(() => undefined);
    if (upkeep === undefined) return list;
    const door = await upkeep.readDoorway(this.#responder);
    this.#change({ waiting: { list, ...this.#sight.waiting, door } });
    return list;
  }

  async #readList(): Promise<PendingList> {
    const list = this.#unsettled(await this.#responder.pending({ max: 100 }));
    this.#change({ waiting: { ...this.#sight.waiting, list }, up: true });
    return list;
  }

  #unsettled(list: PendingList): PendingList {
    const waits = ({ hash }: { readonly hash: string }) => !this.#settled.has(hash);
    return { ...list, requests: list.requests.filter(waits), suspects: list.suspects.filter(waits) };
  }

  #change(change: Partial<Sight>): void {
    if (this.#stop.signal.aborted) return;
    this.#sight = { ...this.#sight, ...change };
    this.#tell(this.#sight);
  }

  #pause(): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, AGAIN_MS);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}

/** Whether a failure may be over by itself: the line, the server, or something between that answers for it. */
function isPassing(error: unknown): boolean {
  return error instanceof CountersignError && PASSING.has(error.code);
}
