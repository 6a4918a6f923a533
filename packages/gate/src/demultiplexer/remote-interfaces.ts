/**
 * System interfaces of other hosts, by mutual TLS 1.3. Who has not shown a certificate yet is a stranger here too: so
 * many may hold a connection open at a time, for so long, and the oldest makes room.
 * @module
 */
import type { Socket } from 'node:net';
import { createServer, type Server } from 'node:tls';
import type { Certificate } from './listen.ts';
import { type Stranger, Strangers } from './strangers.ts';

/** How many may be at their handshake. How fast an address makes connections is not limited: it may be a busy host's. */
const AT_HANDSHAKE = { total: 1024, perAddress: 256, perSecond: 1e9, burst: 1e9 };
/** What a handshake may take, in ms: as a validator has for its first word, and the way to another network and back. */
const HANDSHAKE_MS = 3000;
/** How long a line may be idle, in ms, before the kernel asks whether the other end is there (tcp(7), keepalive). */
const IDLE_MS = 30_000;

/** @param take gets each stream whose certificate is of the authority, and the name in it */
export function remoteInterfaces(
  { certificate, authority }: { readonly certificate: Certificate; readonly authority: string },
  take: (stream: Socket, name: string) => void,
): Server {
  const strangers = new Strangers(AT_HANDSHAKE);
  const sweeper = setInterval(() => strangers.sweep(performance.now()), 60_000).unref();
  const atHandshake = new Map<string, Stranger>();
  const known = (end: string) => {
    const stranger = atHandshake.get(end);
    if (stranger !== undefined) strangers.forget(stranger);
    atHandshake.delete(end);
  };
  const server = createServer(
    {
      ...certificate,
      ca: authority,
      requestCert: true,
      rejectUnauthorized: true,
      minVersion: 'TLSv1.3',
      handshakeTimeout: HANDSHAKE_MS,
      // A host that went without a word must not keep the places that it announced.
      keepAlive: true,
      keepAliveInitialDelay: IDLE_MS,
    },
    (socket) => {
      known(endOf(socket));
      const { subject } = socket.getPeerCertificate();
      const name = Array.isArray(subject?.CN) ? subject.CN[0] : subject?.CN;
      if (!socket.authorized || name === undefined) socket.destroy();
      else take(socket, name);
    },
  );
  server.on('connection', (socket: Socket) => {
    const end = endOf(socket);
    const stranger = { address: socket.remoteAddress ?? 'unknown', leave: () => socket.destroy() };
    atHandshake.set(end, stranger);
    strangers.admit(stranger, performance.now());
    socket.once('close', () => known(end));
  });
  server.on('tlsClientError', (_error, socket) => socket.destroy());
  server.on('close', () => clearInterval(sweeper));
  return server;
}

/** No two connections have the same at one time. */
function endOf({ remoteAddress, remotePort }: Socket): string {
  return `${remoteAddress} ${remotePort}`;
}
