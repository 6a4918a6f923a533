/**
 * Validators by way of a relay: the demultiplexer dials out to it and waits there, so that a host behind a firewall or a
 * provider's NAT is reached by telephones anywhere. What comes so is a validator's connection like any other.
 * spec/relay.md.
 * @module
 */
import { chmodSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import type { Duplex } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import {
  CountersignError,
  decodeBase64url,
  encodeBase64url,
  RELAY_PATH,
  RELAY_PROTOCOL,
  RELAY_SECRET_BYTES,
  relayPlace,
  relaySecretProtocol,
} from '@countersign/core';
import { webCrypto } from '@countersign/core/webcrypto';
import pRetry from 'p-retry';
import WebSocket, { createWebSocketStream } from 'ws';
import type { Demultiplexer } from './demultiplexer.ts';

/** How many connections wait there at a time: that many validators may come at one moment. */
const WAITING = 3;
const AGAIN_MS = 500;
const LONGEST_PAUSE_MS = 30_000;
/** The relay is heard from every 30 s, if it is there. */
const SILENCE_MS = 75_000;
const CONNECT_MS = 10_000;
const MAX_MESSAGE = 64 * 1024;

export interface RelayWay {
  /** Where validators go: for `countersign-gate configure --address`. */
  readonly address: string;
  close(): void;
}

export interface RelayOptions {
  /** Origin of the broker that relays. */
  readonly origin: string;
  readonly secret: Uint8Array;
  readonly demultiplexer: Pick<Demultiplexer, 'admit'>;
  /** Told when it is reached, and when it no longer is. */
  readonly changed?: (up: boolean) => void;
}

/** Waits at a relay until it is closed; looks for it again when it is away. */
export async function waitAtRelay({
  origin,
  secret,
  demultiplexer,
  changed = () => {},
}: RelayOptions): Promise<RelayWay> {
  const place = await relayPlace(webCrypto, secret);
  const address = `${origin.replace(/^http/, 'ws')}${RELAY_PATH}${place}`;
  const protocols = [RELAY_PROTOCOL, relaySecretProtocol(secret)];
  const over = new AbortController();
  const waiting = new Set<WebSocket>();
  const setWaiting = (socket: WebSocket, is: boolean) => {
    const before = waiting.size > 0;
    if (is) waiting.add(socket);
    else waiting.delete(socket);
    if (before !== waiting.size > 0) changed(waiting.size > 0);
  };

  /** One connection, from its beginning until a validator has come to it, or it has ended. */
  const wait = async () => {
    const socket = await pRetry(() => dial(address, protocols), {
      retries: Number.POSITIVE_INFINITY,
      minTimeout: AGAIN_MS,
      maxTimeout: LONGEST_PAUSE_MS,
      randomize: true,
      signal: over.signal,
    });
    if (over.signal.aborted) return socket.terminate();
    setWaiting(socket, true);
    const done = Promise.withResolvers<'came' | 'closed'>();
    socket.once('message', (first: Buffer) => {
      setWaiting(socket, false);
      done.resolve('came');
      enter(demultiplexer, socket, first);
    });
    socket.once('close', () => {
      setWaiting(socket, false);
      done.resolve('closed');
    });
    // One that takes connections and drops them is not dialled without end.
    if ((await done.promise) === 'closed') await delay(AGAIN_MS, undefined, { signal: over.signal });
  };
  const keep = async () => {
    while (!over.signal.aborted) await wait();
  };
  for (let i = 0; i < WAITING; i++) keep().catch(() => {});
  return {
    address,
    close() {
      over.abort();
      for (const socket of waiting) socket.terminate();
    },
  };
}

/** Hands a validator's connection to the demultiplexer, under the limits of all that come by the relay together. */
function enter(demultiplexer: Pick<Demultiplexer, 'admit'>, socket: WebSocket, first: Buffer): void {
  const stream: Duplex = createWebSocketStream(socket, { allowHalfOpen: false });
  stream.on('error', () => socket.terminate());
  stream.unshift(first);
  demultiplexer.admit('relay', () => stream.destroy())?.(stream);
}

function dial(address: string, protocols: string[]): Promise<WebSocket> {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(address, protocols, {
      perMessageDeflate: false,
      maxPayload: MAX_MESSAGE,
      handshakeTimeout: CONNECT_MS,
    });
    let silence: NodeJS.Timeout | undefined;
    const heard = () => {
      clearTimeout(silence);
      silence = setTimeout(() => socket.terminate(), SILENCE_MS).unref();
    };
    socket.on('error', reject);
    socket.on('ping', heard);
    socket.once('close', () => clearTimeout(silence));
    socket.once('open', () => {
      heard();
      resolve(socket);
    });
  });
}

/** The secret in a file; drawn, where there is none. @throws `input-invalid` */
export function relaySecret(file: string): Uint8Array {
  if (!existsSync(file)) {
    writeFileSync(file, `${encodeBase64url(webCrypto.randomBytes(RELAY_SECRET_BYTES))}\n`, {
      mode: 0o600,
      flag: 'wx',
    });
    chmodSync(file, 0o600);
  }
  const secret = decodeBase64url(readFileSync(file, 'utf8').trim());
  if (secret.length === RELAY_SECRET_BYTES) return secret;
  throw new CountersignError('input-invalid', `${file} holds no relay secret`);
}
