/**
 * A relay for hosts that no telephone reaches: a host dials out and waits at a place, a validator comes to it, and the
 * two are joined, byte for byte. What they say is M-AUTH's, sealed end to end: the relay learns addresses, times and
 * lengths. spec/relay.md.
 *
 * Nothing that passes is ever more than a sign-on needs, so what is held for a slow reader is bounded by that too.
 * @module
 */

import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { CountersignError, RELAY_PROTOCOL } from '@countersign/core';
import { networkOf } from '@countersign/http/network';
import { type RawData, type WebSocket, WebSocketServer } from 'ws';

/** Times in milliseconds, sizes in bytes. */
export interface RelayLimits {
  /** Connections of one network at a time, and of all. */
  readonly perNetwork: number;
  readonly total: number;
  /** Hosts' connections that wait at one place, and validators joined to it. */
  readonly waiting: number;
  readonly joined: number;
  /** A validator that comes is held for so long where no host waits, known place or not. */
  readonly hold: number;
  /** A joined pair that is so old is ended. */
  readonly longest: number;
  /** What may go one way in one pair. */
  readonly most: number;
}

export const RELAY_LIMITS: RelayLimits = {
  perNetwork: 256,
  total: 16_384,
  waiting: 8,
  joined: 64,
  hold: 1500,
  longest: 900_000,
  most: 64 * 1024,
};

/** What a validator may say before it is joined: no frame of M-AUTH is longer. */
const MAX_EARLY = 8 * 1024;
const HEARTBEAT_MS = 30_000;

interface Held {
  readonly socket: WebSocket;
  /** What came before there was anybody to send it to. */
  readonly early: RawData[];
  readonly timer: NodeJS.Timeout | undefined;
}

interface Place {
  readonly hosts: Set<Held>;
  readonly visitors: Set<Held>;
  joined: number;
}

export class Relay {
  readonly #limits: RelayLimits;
  readonly #places = new Map<string, Place>();
  readonly #perNetwork = new Map<string, number>();
  readonly #all = new Set<WebSocket>();
  readonly #alive = new WeakSet<WebSocket>();
  readonly #heartbeat: NodeJS.Timeout;
  readonly #server: WebSocketServer;

  constructor(limits: RelayLimits = RELAY_LIMITS) {
    this.#limits = limits;
    this.#server = new WebSocketServer({
      noServer: true,
      perMessageDeflate: false,
      maxPayload: limits.most,
      handleProtocols: (offered) => (offered.has(RELAY_PROTOCOL) ? RELAY_PROTOCOL : false),
    });
    this.#heartbeat = setInterval(() => this.#beat(), HEARTBEAT_MS).unref();
  }

  get count(): number {
    return this.#all.size;
  }

  /**
   * Takes over an upgrade.
   * @param role a host waits, a validator comes
   * @throws `overloaded` where there are too many
   */
  open(
    request: IncomingMessage,
    socket: Duplex,
    head: Buffer,
    { place, role, address }: { place: string; role: 'host' | 'validator'; address: string },
  ): void {
    const network = networkOf(address);
    const own = this.#perNetwork.get(network) ?? 0;
    const waiting = this.#places.get(place)?.hosts.size ?? 0;
    const full = role === 'host' && waiting >= this.#limits.waiting;
    if (full || own >= this.#limits.perNetwork || this.#all.size >= this.#limits.total) {
      throw new CountersignError('overloaded', 'the relay has too many connections', { retryAfter: 5 });
    }
    this.#server.handleUpgrade(request, socket, head, (ws) => {
      this.#all.add(ws);
      this.#alive.add(ws);
      this.#perNetwork.set(network, (this.#perNetwork.get(network) ?? 0) + 1);
      ws.on('error', () => ws.terminate());
      ws.on('pong', () => this.#alive.add(ws));
      ws.once('close', () => {
        this.#all.delete(ws);
        const left = (this.#perNetwork.get(network) ?? 1) - 1;
        if (left === 0) this.#perNetwork.delete(network);
        else this.#perNetwork.set(network, left);
      });
      this.#hold(place, role, ws);
    });
  }

  closeAll(): void {
    clearInterval(this.#heartbeat);
    for (const ws of this.#all) ws.terminate();
  }

  #hold(name: string, role: 'host' | 'validator', ws: WebSocket): void {
    const place = this.#places.get(name) ?? { hosts: new Set(), visitors: new Set(), joined: 0 };
    this.#places.set(name, place);
    const own = role === 'host' ? place.hosts : place.visitors;
    const timer = role === 'validator' ? setTimeout(() => ws.close(), this.#limits.hold) : undefined;
    const held: Held = { socket: ws, early: [], timer };
    own.add(held);
    // A host has nothing to say before somebody comes; a validator speaks first.
    let room = MAX_EARLY;
    ws.on('message', (data, isBinary) => {
      room -= (data as Buffer).length;
      if (role === 'host' || !isBinary || room < 0) ws.terminate();
      else {
        held.early.push(data);
        this.#match(name, place);
      }
    });
    ws.once('close', () => {
      clearTimeout(timer);
      own.delete(held);
      this.#forget(name, place);
    });
    this.#match(name, place);
  }

  #match(name: string, place: Place): void {
    // The newest: a line that has died unnoticed is an old one.
    const host = [...place.hosts].at(-1);
    // Who says nothing takes no connection from those who do.
    const visitor = [...place.visitors].find(({ early }) => early.length > 0);
    if (host === undefined || visitor === undefined || place.joined >= this.#limits.joined) return;
    place.hosts.delete(host);
    place.visitors.delete(visitor);
    place.joined++;
    clearTimeout(visitor.timer);
    const end = setTimeout(() => visitor.socket.close(), this.#limits.longest).unref();
    this.#forward(visitor.socket, host.socket, visitor.early);
    this.#forward(host.socket, visitor.socket, []);
    visitor.socket.once('close', () => {
      clearTimeout(end);
      place.joined--;
      this.#forget(name, place);
    });
  }

  #forward(from: WebSocket, to: WebSocket, early: readonly RawData[]): void {
    let left = this.#limits.most;
    const pass = (data: RawData, isBinary: boolean) => {
      left -= (data as Buffer).length;
      if (!isBinary || left < 0) from.terminate();
      else to.send(data);
    };
    from.removeAllListeners('message');
    from.on('message', pass);
    from.once('close', () => to.close());
    for (const data of early) pass(data, true);
  }

  #forget(name: string, { hosts, visitors, joined }: Place): void {
    if (hosts.size === 0 && visitors.size === 0 && joined === 0) this.#places.delete(name);
  }

  #beat(): void {
    for (const ws of this.#all) {
      if (!this.#alive.has(ws)) ws.terminate();
      this.#alive.delete(ws);
      ws.ping();
    }
  }
}
