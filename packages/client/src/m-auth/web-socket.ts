/**
 * A WebSocket as a connection of M-AUTH, in a browser and in Node: binary messages carry bytes, and where one ends
 * means nothing.
 * @module
 */
import { CountersignError } from '@countersign/core';
import { sleep } from '../sleep.ts';
import type { ByteDuplex } from './duplex.ts';
import { Inbox } from './inbox.ts';

/**
 * @param signal gives the connection up while it is being made
 * @throws `host-unreachable`
 */
export function connectWebSocket(url: string, signal?: AbortSignal): Promise<ByteDuplex> {
  const { promise, resolve, reject } = Promise.withResolvers<ByteDuplex>();
  const fail = (cause?: unknown) =>
    reject(new CountersignError('host-unreachable', `no host answers at ${url}`, { cause }));
  let socket: WebSocket;
  try {
    signal?.throwIfAborted();
    socket = new WebSocket(url);
  } catch (error) {
    // say an address without encryption, from a page that has some
    fail(error);
    return promise;
  }
  socket.binaryType = 'arraybuffer';
  const inbox = new Inbox();
  const giveUp = () => socket.close();
  signal?.addEventListener('abort', giveUp, { once: true });
  socket.addEventListener('message', ({ data }) => {
    if (data instanceof ArrayBuffer) inbox.push(new Uint8Array(data));
    else socket.close();
  });
  socket.addEventListener('close', () => {
    inbox.end();
    fail();
  });
  socket.addEventListener('open', () => {
    signal?.removeEventListener('abort', giveUp);
    resolve({
      incoming: inbox,
      write: (bytes) => socket.send(bytes as Uint8Array<ArrayBuffer>),
      close: () => socket.close(),
    });
  });
  return promise;
}

/** Between two addresses, before the next one is tried beside the first, in ms. */
const STAGGER_MS = 1500;
/** How long all of them may take, in ms: a gate is open for seconds. */
const CONNECT_MS = 8000;

/**
 * A connection to the first of a host’s addresses that takes one, of those that a browser can reach.
 * @throws `host-unreachable`
 */
export async function reachByWebSocket(addresses: readonly string[]): Promise<ByteDuplex> {
  const urls = addresses.filter((address) => /^wss?:/i.test(address));
  const late = AbortSignal.timeout(CONNECT_MS);
  const others = urls.map(() => new AbortController());
  const tries = urls.map(async (url, i) => {
    const signal = AbortSignal.any([late, others[i]!.signal]);
    await sleep(i * STAGGER_MS, signal);
    return { duplex: await connectWebSocket(url, signal), i };
  });
  try {
    const { duplex, i } = await Promise.any(tries);
    for (const [at, other] of others.entries()) if (at !== i) other.abort();
    // One that came at the same moment has said nothing, and goes.
    for (const [at, one] of tries.entries()) {
      if (at !== i) one.then(({ duplex }) => duplex.close()).catch(() => {});
    }
    return duplex;
  } catch (cause) {
    throw new CountersignError('host-unreachable', `the host does not answer (${addresses.join(', ')})`, {
      cause,
      hint: urls.length === 0 ? 'a browser needs an address with wss:' : 'are you on its network?',
    });
  }
}
