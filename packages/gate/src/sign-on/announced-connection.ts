/**
 * A system interface's connection to the demultiplexer, for as long as it waits there: announced anew when the
 * demultiplexer has gone, or when there are other tags to announce. Whoever drives a sign-on sees one connection.
 * @module
 */
import type { Socket } from 'node:net';
import { type ByteDuplex, Inbox } from '@countersign/client/m-auth';
import { connectDemultiplexer, type DemultiplexerAt } from './way-to-demultiplexer.ts';

/** Pause before a demultiplexer that has gone is looked for again, in ms. */
const AGAIN_MS = 100;

export class AnnouncedConnection implements ByteDuplex {
  readonly incoming = new Inbox();
  readonly #at: DemultiplexerAt;
  readonly #announcement: () => Uint8Array | undefined;
  #socket: Socket | undefined;
  #closed = false;
  /** The connection was ended from here. */
  #hurry = false;

  /** @param announcement what to queue; undefined once nobody is waited for any more */
  constructor(at: DemultiplexerAt, announcement: () => Uint8Array | undefined) {
    this.#at = at;
    this.#announcement = announcement;
  }

  /** Connects, and announces. @throws whatever the network says */
  async start(): Promise<void> {
    this.#use(await connectDemultiplexer(this.#at));
  }

  /** Withdraws what was announced, and announces what there is to announce now. */
  announceAgain(): void {
    // The demultiplexer takes a tag once: the old request goes first.
    this.#hurry = true;
    this.#socket?.destroy();
  }

  write(bytes: Uint8Array): void {
    if (this.#socket?.writable) this.#socket.write(bytes);
  }

  close(): void {
    this.#closed = true;
    this.#socket?.end();
  }

  #use(socket: Socket): void {
    this.#socket = socket;
    socket.on('error', () => socket.destroy());
    socket.on('data', (chunk: Buffer) => {
      // what comes after the last word is read by nobody, and would only be kept
      if (!this.#closed) this.incoming.push(chunk);
    });
    socket.once('close', () => {
      if (this.#hurry || !this.#waits()) this.#again();
      else setTimeout(() => this.#again(), AGAIN_MS);
      this.#hurry = false;
    });
    const announcement = this.#closed ? undefined : this.#announcement();
    if (announcement === undefined) socket.destroy();
    else socket.write(announcement);
  }

  #again(): void {
    if (!this.#waits()) {
      this.incoming.end();
      return;
    }
    connectDemultiplexer(this.#at).then(
      (socket) => this.#use(socket),
      () => setTimeout(() => this.#again(), AGAIN_MS),
    );
  }

  #waits(): boolean {
    return !this.#closed && this.#announcement() !== undefined;
  }
}
