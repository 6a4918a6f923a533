/**
 * The demultiplexer: system interfaces queue requests, validators ask for one by its routing tag, and the two are
 * joined and forwarded, byte for byte, until one of them closes. It learns neither user nor key.
 *
 * A validator whose tag is unknown, expired, taken or no tag at all is left without a word, and cut at one moment
 * after it came: from outside, these are one.
 * @module
 */
import type { Duplex } from 'node:stream';
import { type Purpose, type RequestFrame, takeFrame } from '@countersign/core/m-auth';
import { type Opening, readOpening } from './opening.ts';
import { type Stranger, type StrangerLimits, Strangers } from './strangers.ts';
import { type QueueLimits, type WaitingRequest, WaitingRequests } from './waiting-requests.ts';

/** Times in milliseconds. */
export interface DemultiplexerLimits {
  readonly strangers: StrangerLimits;
  readonly queue: QueueLimits;
  /** From a connection's beginning until it is cut, if it has come to nothing by then. */
  readonly opening: number;
  /** What a request may wait at most, whatever it says. */
  readonly waiting: number;
  /** A joined pair that has moved no byte for so long is ended. */
  readonly stalled: number;
  /** And one that is so old, in any case. */
  readonly longest: number;
}

export const DEFAULT_LIMITS: DemultiplexerLimits = {
  strangers: { total: 4096, perAddress: 256, perSecond: 100, burst: 400 },
  // Hosts that share a demultiplexer: none of them keeps the others out.
  queue: { total: 8192, perOwner: 2560, perBucket: 16 },
  opening: 1500,
  waiting: 600_000,
  stalled: 150_000,
  longest: 900_000,
};

/** What has happened, for a log; it names no user, since it knows none. */
export type DemultiplexerEvent =
  | { readonly event: 'queued'; readonly owner: string }
  | { readonly event: 'queue-refused'; readonly owner: string }
  | { readonly event: 'request-ended'; readonly owner: string; readonly why: 'stale' | 'gone' | 'draining' }
  | { readonly event: 'joined'; readonly owner: string; readonly address: string; readonly waited: number }
  | { readonly event: 'refused'; readonly address: string; readonly why: RefusedWhy }
  | { readonly event: 'pair-ended'; readonly owner: string; readonly why: 'closed' | 'stalled' | 'too-old' };
export type RefusedWhy = 'unmatched' | 'malformed' | 'silent' | 'too-fast' | 'made-room' | 'draining';

export interface DemultiplexerCounts {
  readonly waiting: number;
  readonly pairs: number;
  readonly strangers: number;
}

interface Interface {
  readonly stream: Duplex;
  readonly queuedAt: number;
  readonly stop: () => void;
}

interface Pair {
  /** Whether the interface has answered: only then a person may be reading. */
  answered: boolean;
  end(why: 'stalled' | 'too-old'): void;
}

export class Demultiplexer {
  readonly #limits: DemultiplexerLimits;
  readonly #monotonic: () => number;
  readonly #log: (event: DemultiplexerEvent) => void;
  readonly #waiting: WaitingRequests<Interface>;
  readonly #strangers: Strangers;
  readonly #pairs = new Set<Pair>();
  /** Pairs that have ended, to which something may still be on its way. */
  readonly #ending = new Set<Pair>();
  /** Validators whose tag nobody has announced so far. */
  readonly #early = new Map<string, () => void>();
  readonly #sweeper: NodeJS.Timeout;
  #draining = false;
  #emptied: (() => void) | undefined;

  constructor({
    limits = DEFAULT_LIMITS,
    monotonic,
    log = () => {},
  }: {
    limits?: DemultiplexerLimits;
    monotonic: () => number;
    log?: (event: DemultiplexerEvent) => void;
  }) {
    this.#limits = limits;
    this.#monotonic = monotonic;
    this.#log = log;
    this.#waiting = new WaitingRequests(limits.queue);
    this.#strangers = new Strangers(limits.strangers);
    this.#sweeper = setInterval(() => this.#strangers.sweep(monotonic()), 60_000).unref();
  }

  get counts(): DemultiplexerCounts {
    return { waiting: this.#waiting.size, pairs: this.#pairs.size, strangers: this.#strangers.size };
  }

  /**
   * Takes a new connection of a validator under the limits, before a byte of it is read.
   * @returns what to call once its stream is there (at once, or after TLS or a WebSocket's opening), with what was
   *   read of it; undefined where it was cut
   */
  admit(address: string, cut: () => void): Admitted | undefined {
    const now = this.#monotonic();
    let why: RefusedWhy = 'silent';
    const refuse = (reason: RefusedWhy) => {
      clearTimeout(timer);
      this.#strangers.forget(stranger);
      this.#log({ event: 'refused', address, why: reason });
      cut();
    };
    const stranger: Stranger = { address, leave: () => refuse('made-room') };
    const timer = setTimeout(() => refuse(why), this.#limits.opening);
    if (this.#draining || !this.#strangers.admit(stranger, now)) {
      refuse(this.#draining ? 'draining' : 'too-fast');
      return undefined;
    }
    return (stream, first) => {
      const gone = () => {
        clearTimeout(timer);
        this.#strangers.forget(stranger);
      };
      stream.once('close', gone);
      readOpening(stream, first, (opening, bytes) => {
        why = opening?.kind === 'validate' ? 'unmatched' : 'malformed';
        const join = (matched: WaitingRequest<Interface>, sent: Uint8Array) => {
          stream.off('close', gone);
          gone();
          this.#join(matched, stream, address, sent);
        };
        const matched = this.#match(opening);
        if (matched !== undefined) join(matched, bytes);
        else this.#expect(stream, opening, bytes, join);
      });
    };
  }

  /** Takes a new connection of a system interface, whose owner the operating system or a certificate has named. */
  addInterface(stream: Duplex, owner: string): void {
    stream.on('error', () => stream.destroy());
    const timer = setTimeout(() => stream.destroy(), this.#limits.opening);
    stream.once('close', () => clearTimeout(timer));
    readOpening(stream, undefined, (opening, bytes) => {
      clearTimeout(timer);
      // Its next word is due when a validator is there, and not before.
      const alone = opening !== undefined && takeFrame(bytes)?.rest.length === 0;
      if (opening?.kind === 'request' && alone) this.#queue(stream, owner, opening);
      else stream.destroy();
    });
  }

  /**
   * Takes nothing new, ends what waits, and lets joined pairs end by themselves for so many ms. It is over as soon as
   * nothing is under way: a pair whose interface does not answer is ended as early as a connection that comes to nothing.
   */
  async drain(ms: number): Promise<void> {
    this.#draining = true;
    clearInterval(this.#sweeper);
    for (const { interface: waiting, owner } of this.#waiting.all()) {
      this.#log({ event: 'request-ended', owner, why: 'draining' });
      waiting.stop();
      waiting.stream.destroy();
    }
    if (this.#pairs.size + this.#ending.size === 0) return;
    const emptied = Promise.withResolvers<void>();
    this.#emptied = emptied.resolve;
    const idle = setTimeout(() => {
      for (const pair of this.#pairs) if (!pair.answered) pair.end('stalled');
    }, this.#limits.opening);
    const timer = setTimeout(() => {
      for (const pair of this.#pairs) pair.end('too-old');
      emptied.resolve();
    }, ms);
    await emptied.promise;
    clearTimeout(idle);
    clearTimeout(timer);
  }

  #match(opening: Opening | undefined): WaitingRequest<Interface> | undefined {
    if (opening?.kind !== 'validate' || this.#draining) return undefined;
    return this.#waiting.take(opening.purpose, opening.tag);
  }

  /**
   * A validator may be a moment ahead of the request that it is for: until it is cut, what it says is kept, a little of
   * it. The rest is read and dropped, so that the connection's end looks the same for all.
   */
  #expect(
    stream: Duplex,
    opening: Opening | undefined,
    bytes: Uint8Array,
    join: (matched: WaitingRequest<Interface>, sent: Uint8Array) => void,
  ): void {
    stream.resume();
    if (opening?.kind !== 'validate' || bytes.length > MOST_EARLY) return;
    const key = keyOf(opening.purpose, opening.tag);
    if (this.#early.has(key)) return;
    let sent = bytes;
    const keep = (chunk: Buffer) => {
      if (sent.length + chunk.length > MOST_EARLY) forget();
      else sent = Buffer.concat([sent, chunk]);
    };
    const forget = () => {
      stream.off('data', keep).off('close', forget);
      this.#early.delete(key);
    };
    this.#early.set(key, () => {
      const matched = this.#match(opening);
      if (matched === undefined) return;
      forget();
      join(matched, sent);
    });
    stream.on('data', keep).once('close', forget);
  }

  #queue(stream: Duplex, owner: string, opening: RequestFrame): void {
    const end = (why: 'stale' | 'gone') => {
      request.interface.stop();
      if (!this.#waiting.remove(request)) return;
      this.#log({ event: 'request-ended', owner, why });
      stream.destroy();
    };
    const gone = () => end('gone');
    const timer = setTimeout(() => end('stale'), Math.min(opening.lifetime, this.#limits.waiting));
    const request: WaitingRequest<Interface> = {
      purpose: opening.purpose,
      tags: opening.tags,
      bucket: opening.bucket,
      owner,
      interface: {
        stream,
        queuedAt: this.#monotonic(),
        stop() {
          clearTimeout(timer);
          stream.off('close', gone).off('end', gone).off('data', gone);
        },
      },
    };
    if (this.#draining || !this.#waiting.add(request)) {
      clearTimeout(timer);
      this.#log({ event: 'queue-refused', owner });
      stream.destroy();
      return;
    }
    // Reading goes on, so that its end is heard of; a word of its own now is none of the protocol's.
    stream.on('close', gone).on('end', gone).on('data', gone);
    stream.resume();
    this.#log({ event: 'queued', owner });
    if (this.#early.size === 0) return;
    for (const tag of opening.tags) this.#early.get(keyOf(opening.purpose, tag))?.();
  }

  /** @param bytes what the validator has sent so far: the interface is to see its opening too */
  #join(
    { interface: waiting, owner }: WaitingRequest<Interface>,
    validator: Duplex,
    address: string,
    bytes: Uint8Array,
  ): void {
    const { stream } = waiting;
    waiting.stop();
    const end = (why: 'closed' | 'stalled' | 'too-old') => {
      if (!this.#pairs.delete(pair)) return;
      this.#ending.add(pair);
      clearTimeout(oldest);
      clearInterval(stall);
      this.#log({ event: 'pair-ended', owner, why });
      // What is on its way still arrives, unless nothing moves any more.
      for (const one of [stream, validator]) {
        if (why !== 'closed') one.destroy();
        else if (one.writable) one.end();
      }
      if (why === 'closed') setTimeout(() => [stream, validator].map((one) => one.destroy()), LINGER).unref();
    };
    let open = 2;
    const closed = () => {
      end('closed');
      if (--open > 0) return;
      this.#ending.delete(pair);
      if (this.#pairs.size + this.#ending.size === 0) this.#emptied?.();
    };
    const pair: Pair = { answered: false, end };
    this.#pairs.add(pair);
    let moved = this.#monotonic();
    const oldest = setTimeout(() => end('too-old'), this.#limits.longest);
    const stall = setInterval(() => {
      if (this.#monotonic() - moved >= this.#limits.stalled) end('stalled');
    }, this.#limits.stalled / 4);
    stream.write(bytes);
    for (const [from, to] of [
      [stream, validator],
      [validator, stream],
    ] as const) {
      // As `pipe` does it, which costs twice as much for connections that live as short as these.
      from.on('data', (chunk: Buffer) => {
        moved = this.#monotonic();
        if (from === stream) pair.answered = true;
        if (!to.writable || to.write(chunk)) return;
        from.pause();
      });
      to.on('drain', () => from.resume());
      from.once('end', () => to.writable && to.end());
      from.once('close', closed);
      from.resume();
    }
    this.#log({
      event: 'joined',
      owner,
      address,
      waited: Math.round(this.#monotonic() - waiting.queuedAt),
    });
  }
}

/** What a side that was closed may still take to read what was sent to it, in ms. */
const LINGER = 1000;

/** What is kept of a validator's words while its request is not there, in bytes: more than `AuthValidate` and a handshake. */
const MOST_EARLY = 512;

function keyOf(purpose: Purpose, tag: Uint8Array): string {
  return `${purpose} ${Buffer.from(tag.buffer, tag.byteOffset, tag.length).toString('latin1')}`;
}

/** Takes a stream that was admitted, and its first bytes where they were read already. */
export type Admitted = (stream: Duplex, first?: Buffer) => void;
