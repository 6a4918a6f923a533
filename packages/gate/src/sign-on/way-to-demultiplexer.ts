/**
 * How a system interface reaches its demultiplexer: by a Unix socket of this host, or by mutual TLS.
 * @module
 */
import { createConnection, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { connect as connectTls } from 'node:tls';

export type DemultiplexerAt =
  | { readonly path: string }
  | {
      readonly host: string;
      readonly port: number;
      /** This host's certificate and its key, and the authority of the demultiplexer's, in PEM. */
      readonly cert: string;
      readonly key: string;
      readonly authority: string;
    };

const CONNECT_MS = 3000;
/** How long a line may be idle, in ms, before the kernel asks whether the other end is there (tcp(7), keepalive). */
const IDLE_MS = 30_000;
/** Pause before a socket is tried again whose queue is full, in ms. */
const FULL_MS = 20;

/** @throws whatever the network says */
export async function connectDemultiplexer(at: DemultiplexerAt): Promise<Socket> {
  const end = performance.now() + CONNECT_MS;
  for (;;) {
    try {
      return await connect(at);
    } catch (error) {
      // A Unix socket does not let anybody wait while it has more connections than it can take at once (unix(7)).
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN' || performance.now() > end) throw error;
      await delay(FULL_MS);
    }
  }
}

function connect(at: DemultiplexerAt): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const remote = 'host' in at;
    const socket = remote
      ? connectTls({ host: at.host, port: at.port, cert: at.cert, key: at.key, ca: at.authority })
      : createConnection(at.path);
    const timer = setTimeout(
      () => socket.destroy(new Error('the demultiplexer does not answer')),
      CONNECT_MS,
    );
    socket.once('error', reject);
    socket.once('close', () => clearTimeout(timer));
    socket.once(remote ? 'secureConnect' : 'connect', () => {
      clearTimeout(timer);
      socket.off('error', reject);
      socket.setNoDelay?.(true);
      if (remote) socket.setKeepAlive(true, IDLE_MS);
      resolve(socket);
    });
  });
}
