/**
 * A socket as M-AUTH wants it, and what the bench tells its own two sides: which pair a sign-on is of, and the
 * passcode that a person would read from the screen. It stands where the bucket of an `AuthRequest` does.
 * @module
 */
import { connect, type NetConnectOpts, type Socket } from 'node:net';
import { type ByteDuplex, Inbox } from '@countersign/client/m-auth';
import { BUCKET_BYTES } from '@countersign/core/m-auth';

export function duplexOf(socket: Socket, incoming: AsyncIterable<Uint8Array> = inboxOf(socket)): ByteDuplex {
  return {
    incoming,
    write: (bytes) => void (socket.writable && socket.write(bytes)),
    close: () => void socket.end(),
  };
}

/** Calls only once there is something to say: a thousand validators that share a processor would call long before. */
export function duplexTo(address: NetConnectOpts): ByteDuplex {
  const incoming = new Inbox();
  let socket: Socket | undefined;
  return {
    incoming,
    write(bytes) {
      if (socket === undefined) {
        socket = connect(address);
        socket.on('error', () => socket?.destroy());
        socket.on('data', (chunk: Buffer) => incoming.push(chunk));
        socket.once('close', () => incoming.end());
      }
      if (socket.writable) socket.write(bytes);
    },
    close: () => void socket?.end(),
  };
}

export function inboxOf(socket: Socket): Inbox {
  const inbox = new Inbox();
  socket.on('data', (chunk: Buffer) => inbox.push(chunk));
  socket.once('close', () => inbox.end());
  return inbox;
}

export function whisper(pair: number, passcode: string): Uint8Array {
  const bucket = Buffer.alloc(BUCKET_BYTES);
  bucket.writeUInt32BE(pair);
  bucket.write(passcode, 4, 'latin1');
  return bucket;
}

export function hear(bucket: Uint8Array): { pair: number; passcode: string } {
  const bytes = Buffer.from(bucket);
  return { pair: bytes.readUInt32BE(), passcode: bytes.toString('latin1', 4, 10) };
}
