/**
 * The demultiplexer's sockets: one port for validators (bytes as they are, WebSocket, and either inside TLS where it
 * has a certificate), a Unix socket for the system interfaces of this host, and mutual TLS for those of others.
 * @module
 */
import { chmodSync, lstatSync, unlinkSync } from 'node:fs';
import { createServer as createHttpServer, type IncomingMessage } from 'node:http';
import { createConnection, createServer, type ListenOptions, type Server, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { createSecureContext, TLSSocket } from 'node:tls';
import { createWebSocketStream, WebSocketServer } from 'ws';
import type { Admitted, Demultiplexer } from './demultiplexer.ts';
import { remoteInterfaces } from './remote-interfaces.ts';

/** A host and port, a path, or a descriptor that the service manager has opened. */
export type ListenAt = { readonly host: string; readonly port: number } | { readonly fd: number };
export type ListenAtPath = { readonly path: string; readonly mode?: number } | { readonly fd: number };

export interface Certificate {
  readonly key: string;
  readonly cert: string;
}

export interface DemultiplexerSockets {
  readonly validators: ListenAt;
  /** Lets validators come by TLS too, on the same port. */
  readonly validatorsTls?: Certificate;
  readonly interfaces: ListenAtPath;
  /** Says who is on the other side of a Unix socket, or nothing where it may not be there. */
  readonly peerOf: (socket: Socket) => string | undefined;
  /** Interfaces of other hosts; who they are stands in a certificate of one authority. */
  readonly remote?: { readonly at: ListenAt; readonly certificate: Certificate; readonly authority: string };
}

export interface Listening {
  readonly port: number;
  readonly remotePort: number | undefined;
  /** Stops listening; what is connected stays. */
  close(): Promise<void>;
}

/** First bytes by which the port tells who speaks. */
const TLS_HANDSHAKE = 0x16;
const HTTP_GET = 0x47;
const WEB_SOCKET_PROTOCOL = 'countersign.gate.v1';
/** More than any message of a sign-on. */
const MAX_WEB_SOCKET_MESSAGE = 64 * 1024;

export async function listen(
  demultiplexer: Demultiplexer,
  { validators, validatorsTls, interfaces, peerOf, remote }: DemultiplexerSockets,
): Promise<Listening> {
  const admitted = new WeakMap<Duplex, Admitted>();
  const http = webSocketServer((stream) => admitted.get(stream));
  const secureContext = validatorsTls && createSecureContext(validatorsTls);

  /** Gives a stream to what its first byte asks for. */
  const sniff = (stream: Socket, ready: Admitted, encrypted: boolean): void => {
    stream.once('data', (first: Buffer) => {
      stream.pause();
      const tls = first[0] === TLS_HANDSHAKE && secureContext !== undefined && !encrypted;
      if (!tls && first[0] !== HTTP_GET) {
        ready(stream, first);
        return;
      }
      stream.unshift(first);
      if (tls) {
        const inner = new TLSSocket(stream, { isServer: true, secureContext });
        inner.on('error', () => inner.destroy());
        sniff(inner, ready, true);
      } else {
        admitted.set(stream, ready);
        http.emit('connection', stream);
        stream.resume();
      }
    });
  };

  const port = createServer({ noDelay: true }, (socket) => {
    socket.on('error', () => socket.destroy());
    const ready = demultiplexer.admit(socket.remoteAddress ?? 'unknown', () => socket.destroy());
    if (ready !== undefined) sniff(socket, ready, false);
  });

  const local = createServer((socket) => {
    socket.on('error', () => socket.destroy());
    const peer = peerOf(socket);
    if (peer === undefined) socket.destroy();
    else demultiplexer.addInterface(socket, peer);
  });

  const far =
    remote && remoteInterfaces(remote, (socket, name) => demultiplexer.addInterface(socket, `host ${name}`));

  const servers: Server[] = [port, local, ...(far === undefined ? [] : [far])];
  try {
    await start(port, validators);
    await listenAtPath(local, interfaces);
    if (far !== undefined && remote !== undefined) await start(far, remote.at);
  } catch (error) {
    for (const server of servers) server.close();
    throw error;
  }
  return {
    port: portOf(port),
    remotePort: far && portOf(far),
    async close() {
      for (const server of servers) server.close();
    },
  };
}

function webSocketServer(readyOf: (raw: Duplex) => Admitted | undefined) {
  const webSockets = new WebSocketServer({
    noServer: true,
    perMessageDeflate: false,
    maxPayload: MAX_WEB_SOCKET_MESSAGE,
    handleProtocols: (offered) => (offered.has(WEB_SOCKET_PROTOCOL) ? WEB_SOCKET_PROTOCOL : false),
  });
  // No one is told what the port speaks: what is no WebSocket's opening is left without an answer, and the
  // demultiplexer ends it, at the same age as all that come to nothing.
  webSockets.on('wsClientError', (_error, socket) => socket.resume());
  const http = createHttpServer({ requireHostHeader: false }, () => {});
  http.requestTimeout = 0;
  http.headersTimeout = 0;
  http.on('clientError', (_error, socket) => socket.resume());
  // Where nobody listens, the server answers for itself.
  for (const asked of ['checkContinue', 'checkExpectation']) http.on(asked, () => {});
  http.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    const ready = readyOf(socket);
    if (ready === undefined) return;
    webSockets.handleUpgrade(request, socket, head, (webSocket) => {
      const stream = createWebSocketStream(webSocket, { allowHalfOpen: false });
      stream.on('error', () => webSocket.terminate());
      ready(stream);
    });
  });
  return http;
}

/** Listens at a path, in the place of a socket that nobody listens at any more. */
async function listenAtPath(server: Server, at: ListenAtPath): Promise<void> {
  if ('fd' in at) return start(server, at);
  if (lstatSync(at.path, { throwIfNoEntry: false })?.isSocket() && !(await answers(at.path))) {
    unlinkSync(at.path);
  }
  // Made for its owner alone, then opened: there is no moment at which a stranger may connect.
  const before = process.umask(0o177);
  const started = start(server, { path: at.path });
  process.umask(before);
  await started;
  if (at.mode !== undefined) chmodSync(at.path, at.mode);
}

function answers(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createConnection(path);
    socket.once('connect', () => resolve(true));
    socket.once('error', () => resolve(false));
    socket.once('connect', () => socket.destroy());
  });
}

/** Connections that may come at one moment; the kernel caps it at its somaxconn. */
const BACKLOG = 4096;

function start(server: Server, at: ListenOptions | { readonly fd: number }): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ ...at, backlog: BACKLOG }, () => {
      server.off('error', reject);
      resolve();
    });
  });
}

function portOf(server: Server): number {
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
}
