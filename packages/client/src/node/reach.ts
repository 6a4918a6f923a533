/**
 * How a host is reached, by the addresses that were given at pairing.
 * @module
 */
import { CountersignError } from '@countersign/core';
import type { ByteDuplex } from '../m-auth/duplex.ts';
import { connectWebSocket } from '../m-auth/web-socket.ts';
import { connectSocket } from './socket-duplex.ts';

/** How long a host may take to take the connection. */
const CONNECT_MS = 8_000;

/**
 * A connection to the first of some addresses that takes one.
 * @param addresses each `host:port`, or a URL with `wss:` or `ws:`
 * @throws `host-unreachable`
 */
export async function reachHost(addresses: readonly string[]): Promise<ByteDuplex> {
  let failure: unknown;
  for (const address of addresses) {
    try {
      return await (/^wss?:/i.test(address)
        ? connectWebSocket(address)
        : connectSocket(hostAndPort(address), CONNECT_MS));
    } catch (error) {
      failure = error;
    }
  }
  throw new CountersignError('host-unreachable', `the host does not answer (${addresses.join(', ')})`, {
    cause: failure,
    hint: 'is it up, is its port open, and are you on its network?',
  });
}

function hostAndPort(address: string): { host: string; port: number } {
  const at = address.lastIndexOf(':');
  const host = address.slice(0, at).replace(/^\[|\]$/g, '');
  return { host, port: Number(address.slice(at + 1)) };
}
