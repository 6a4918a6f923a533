/**
 * One module's connection: the attempt that it brings, and the conversation that it lends.
 * @module
 */
import type { Socket } from 'node:net';
import { CountersignError } from '@countersign/core';
import type { Conversation, Verdict } from './door.ts';
import { type DaemonFrame, encodeFrame, FrameReader, MAX_FRAMES, type ModuleFrame } from './frames.ts';

/** Time that a module has to take the verdict and go, in ms. */
const GOODBYE_MS = 2000;

export class Connection {
  readonly #socket: Socket;
  readonly #gone = new AbortController();
  readonly #reader = new FrameReader();
  #waiting: { types: readonly ModuleFrame['type'][]; resolve: (frame: ModuleFrame) => void } | undefined;
  #over = false;
  #sent = 0;

  constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('data', (chunk: Buffer) => this.#take(chunk));
    socket.on('error', () => this.#leave());
    socket.on('end', () => this.#leave());
    socket.on('close', () => this.#leave());
  }

  /** Aborted as soon as the module is no longer there. */
  get gone(): AbortSignal {
    return this.#gone.signal;
  }

  /** What is wanted, an attempt or the count; nothing where it is not said in time. */
  async opening(milliseconds: number): Promise<ModuleFrame | undefined> {
    const timer = Promise.withResolvers<undefined>();
    const ticking = setTimeout(() => timer.resolve(undefined), milliseconds);
    try {
      return await Promise.race([this.#next('A', 'C'), timer.promise]);
    } catch {
      return undefined;
    } finally {
      clearTimeout(ticking);
    }
  }

  readonly conversation: Conversation = {
    prompt: (text) => this.#ask('P', text),
    secret: (text) => this.#ask('S', text),
    info: async (text) => this.#send('I', text),
    error: async (text) => this.#send('E', text),
  };

  /** Says the verdict, and parts. */
  end(verdict: Verdict): Promise<void> {
    return this.#part('V', verdict);
  }

  /** Says how many attempts were granted, and parts. */
  count(granted: number): Promise<void> {
    return this.#part('C', String(granted));
  }

  async #part(type: DaemonFrame, text: string): Promise<void> {
    if (this.#socket.destroyed) return;
    this.#over = true;
    this.#socket.setTimeout(GOODBYE_MS, () => this.#socket.destroy());
    const closed = new Promise<void>((resolve) => this.#socket.once('close', () => resolve()));
    this.#socket.end(encodeFrame(type, text));
    await closed;
  }

  destroy(): void {
    this.#socket.destroy();
  }

  async #ask(type: 'P' | 'S', text: string): Promise<string> {
    if (this.#waiting !== undefined) throw new TypeError('one question at a time');
    const typed = this.#next('R');
    this.#send(type, text);
    return (await typed).payload.toString('utf8');
  }

  #send(type: DaemonFrame, text: string): void {
    if (this.#gone.signal.aborted) throw this.#gone.signal.reason;
    // The last one is the verdict's.
    if (++this.#sent >= MAX_FRAMES) throw new TypeError(`more than ${MAX_FRAMES} frames in an attempt`);
    this.#socket.write(encodeFrame(type, text));
  }

  #next(...types: ModuleFrame['type'][]): Promise<ModuleFrame> {
    const { promise, resolve, reject } = Promise.withResolvers<ModuleFrame>();
    const { signal } = this.#gone;
    if (signal.aborted) reject(signal.reason);
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
    this.#waiting = { types, resolve };
    // Who no longer asks has no use for the reason.
    promise.catch(() => {});
    return promise;
  }

  #take(chunk: Buffer): void {
    if (this.#over) return;
    try {
      for (const frame of this.#reader.push(chunk)) {
        const waiting = this.#waiting;
        if (!waiting?.types.includes(frame.type)) {
          throw new CountersignError('input-invalid', 'a frame out of turn');
        }
        this.#waiting = undefined;
        waiting.resolve(frame);
      }
    } catch {
      this.#socket.destroy();
      this.#leave();
    }
  }

  #leave(): void {
    this.#gone.abort(new CountersignError('request-not-pending', 'the program that asked is gone'));
  }
}
