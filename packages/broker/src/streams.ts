/**
 * Streams of events to devices, over WebSocket. A device that was cut resumes from its cursor and misses
 * nothing; one that reads too slowly is cut rather than buffered for. No timer and no closure per stream:
 * ten thousand of them share one.
 * @module
 */

import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { CountersignError } from '@countersign/core';
import { type WebSocket, WebSocketServer } from 'ws';
import { eventView } from './api/views.ts';
import type { Reached } from './reached.ts';
import type { AccountEvent, RequestRow, Store } from './store/store.ts';

/** What a stream may owe its reader, in bytes, before it is cut. */
const MAX_BEHIND = 256 * 1024;
const HEARTBEAT_MS = 30_000;
const REPLAY_PAGE = 100;

/** Close codes of ours (RFC 6455 section 7.4.2). */
export const CLOSE = { tooSlow: 4408, revoked: 4403, cursor: 4410, goingAway: 1001 } as const;

interface Stream {
  readonly socket: WebSocket;
  readonly accountId: number;
  readonly kid: string;
  /** Newest event that was sent. */
  cursor: number;
  /** Until then, events are read from the store, and a live one only says that there is more to read. */
  live: boolean;
  more: boolean;
  alive: boolean;
}

export class Streams {
  readonly #store: Store;
  readonly #reached: Reached;
  readonly #server = new WebSocketServer({
    noServer: true,
    perMessageDeflate: false,
    maxPayload: 1024,
    handleProtocols: (offered) => (offered.has('countersign.v1') ? 'countersign.v1' : false),
  });
  readonly #byAccount = new Map<number, Set<Stream>>();
  readonly #heartbeat: NodeJS.Timeout;
  #count = 0;

  constructor(store: Store, reached: Reached) {
    this.#store = store;
    this.#reached = reached;
    this.#heartbeat = setInterval(() => this.#beat(), HEARTBEAT_MS);
    this.#heartbeat.unref();
  }

  get count(): number {
    return this.#count;
  }

  /** Takes over an upgrade whose device was checked, and sends all that came after the cursor. */
  open(
    request: IncomingMessage,
    socket: Duplex,
    head: Buffer,
    reader: { accountId: number; kid: string; cursor: number },
  ): void {
    this.#server.handleUpgrade(request, socket, head, (ws) => {
      const stream: Stream = { socket: ws, ...reader, live: false, more: true, alive: true };
      this.#add(stream);
      this.#reached.note(stream.accountId, stream.kid);
      ws.on('close', () => this.#remove(stream));
      ws.on('pong', () => {
        stream.alive = true;
        this.#reached.note(stream.accountId, stream.kid);
      });
      ws.on('error', () => ws.terminate());
      this.#replay(stream).catch(() => ws.close(1011));
    });
  }

  /** Tells every device of an account that listens. */
  publish(accountId: number, event: AccountEvent, request: RequestRow | undefined): void {
    const streams = this.#byAccount.get(accountId);
    if (streams === undefined) return;
    const text = JSON.stringify(eventView(event, request));
    for (const stream of streams) {
      if (stream.live) this.#send(stream, event.id, text);
      else stream.more = true;
    }
  }

  /** Ends the streams of a device that may no longer listen. */
  cut(accountId: number, kid: string): void {
    for (const stream of this.#byAccount.get(accountId) ?? []) {
      if (stream.kid === kid) stream.socket.close(CLOSE.revoked, 'device-revoked');
    }
  }

  closeAll(): void {
    clearInterval(this.#heartbeat);
    for (const streams of this.#byAccount.values()) {
      for (const { socket } of streams) socket.close(CLOSE.goingAway, 'the broker stops');
    }
  }

  async #replay(stream: Stream): Promise<void> {
    const { newest, oldest } = await this.#store.eventBounds(stream.accountId);
    // A cursor is the event before the next one: whoever stands just before the oldest has missed none.
    if (stream.cursor > 0 && (stream.cursor > newest || stream.cursor < oldest - 1)) {
      stream.socket.close(CLOSE.cursor, 'cursor-invalid');
      return;
    }
    while (stream.more) {
      stream.more = false;
      const events = await this.#store.readEvents(stream.accountId, stream.cursor, REPLAY_PAGE);
      for (const event of events) {
        const request =
          event.requestId === undefined ? undefined : await this.#store.getRequest(event.requestId);
        await this.#sendDrained(stream, event.id, JSON.stringify(eventView(event, request)));
      }
      if (events.length > 0) stream.more = true;
    }
    stream.live = true;
  }

  #send(stream: Stream, id: number, text: string): void {
    if (id <= stream.cursor) return;
    stream.cursor = id;
    stream.socket.send(text);
    if (stream.socket.bufferedAmount > MAX_BEHIND) {
      stream.socket.close(CLOSE.tooSlow, 'stream-too-slow');
      stream.socket.terminate();
    }
  }

  /** Sends, and waits until the reader has taken it: a replay never runs ahead. */
  #sendDrained(stream: Stream, id: number, text: string): Promise<void> {
    stream.cursor = id;
    return new Promise((resolve, reject) => {
      stream.socket.send(text, (error) => (error ? reject(error) : resolve()));
    });
  }

  #add(stream: Stream): void {
    const streams = this.#byAccount.get(stream.accountId) ?? new Set();
    streams.add(stream);
    this.#byAccount.set(stream.accountId, streams);
    this.#count++;
  }

  #remove(stream: Stream): void {
    const streams = this.#byAccount.get(stream.accountId);
    if (!streams?.delete(stream)) return;
    if (streams.size === 0) this.#byAccount.delete(stream.accountId);
    this.#count--;
  }

  /** Each side finds out that the other one is gone: here by the answer to a ping, there by what comes every time. */
  #beat(): void {
    for (const streams of this.#byAccount.values()) {
      for (const stream of streams) {
        if (!stream.alive) stream.socket.terminate();
        else {
          stream.alive = false;
          stream.socket.ping();
          // No browser tells its page of a ping.
          if (stream.live) stream.socket.send(JSON.stringify({ cursor: stream.cursor, kind: 'beat' }));
        }
      }
    }
  }
}

/** A cursor from a query; throws `cursor-invalid`. */
export function parseCursor(text: string | null): number {
  const cursor = Number(text ?? '0');
  if (!Number.isSafeInteger(cursor) || cursor < 0) {
    throw new CountersignError('cursor-invalid', 'a cursor is a whole number');
  }
  return cursor;
}
