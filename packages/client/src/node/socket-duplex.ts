/**
 * TCP and Unix sockets as connections of M-AUTH.
 * @module
 */
import { connect, type NetConnectOpts, type Socket } from 'node:net';
import { CountersignError } from '@countersign/core';
import type { ByteDuplex } from '../m-auth/duplex.ts';

/** What the other side may still say, and take to hang up as well, once this one has closed. */
const LINGER_MS = 2000;

export function socketDuplex(socket: Socket): ByteDuplex {
  // a connection that breaks has ended; `incoming` says so
  socket.on('error', () => {});
  return {
    incoming: chunksOf(socket),
    write: (bytes) => void (socket.writable && socket.write(bytes)),
    close() {
      socket.end();
      setTimeout(() => socket.destroy(), LINGER_MS).unref();
    },
  };
}

/**
 * @param within ms in which the other side must answer
 * @throws `host-unreachable`
 */
export function connectSocket(to: NetConnectOpts, within: number): Promise<ByteDuplex> {
  const { promise, resolve, reject } = Promise.withResolvers<ByteDuplex>();
  const socket = connect(to);
  const fail = (cause: unknown) => {
    socket.destroy();
    reject(new CountersignError('host-unreachable', 'no host answers at this address', { cause }));
  };
  socket.setNoDelay(true);
  socket.setTimeout(within, () => fail(undefined));
  socket.once('error', fail);
  socket.once('connect', () => {
    socket.setTimeout(0);
    socket.removeListener('error', fail);
    resolve(socketDuplex(socket));
  });
  return promise;
}

async function* chunksOf(socket: Socket): AsyncGenerator<Uint8Array> {
  try {
    yield* socket as AsyncIterable<Buffer>;
  } catch {
    // broken, which is as good as ended
  }
}
