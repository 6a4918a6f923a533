/**
 * The C module by its real entry point, before daemons of a test's making: the real listener, and one without manners.
 * No root is needed.
 * @module
 */
import { createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { after, before } from 'node:test';
import {
  type Authenticate,
  type PamEvent,
  type PamListener,
  servePam,
} from '../packages/gate/src/pam/index.ts';
import { uidOf } from '../packages/gate/src/pam/local-user.ts';
import { build, sharedFolder } from './pam-module.ts';

export const ROOT = process.getuid?.() === 0;
/** Where root runs nothing here, whoever runs the test stands for every user. */
export const own = ROOT ? uidOf : async () => process.getuid?.();
export const granted: Authenticate = async () => 'granted';

export interface PamDaemons {
  /** Where the module and the programs of its tests are built. */
  readonly folder: string;
  newSocket(): string;
  /** Has the real listener there for a while. */
  served<T>(
    authenticate: Authenticate,
    use: (socket: string, events: PamEvent[], listener: PamListener) => Promise<T>,
    lookUp?: (user: string) => Promise<number | undefined>,
  ): Promise<T>;
  /** Has a daemon there that speaks without manners. */
  rude<T>(onSocket: (socket: Socket) => void, use: (path: string) => Promise<T>): Promise<T>;
}

export function createPamDaemons(): PamDaemons {
  const folder = sharedFolder();
  before(() => build(folder.path, ['test-programs']));
  after(() => folder[Symbol.dispose]());
  let serial = 0;
  const newSocket = () => join(folder.path, `${++serial}.sock`);
  return {
    folder: folder.path,
    newSocket,
    async served(authenticate, use, lookUp = own) {
      const socket = newSocket();
      const events: PamEvent[] = [];
      await using listener = await servePam({
        socket,
        authenticate,
        monotonic: () => performance.now(),
        log: (event) => events.push(event),
        uidOf: lookUp,
      });
      return await use(socket, events, listener);
    },
    async rude(onSocket, use) {
      const path = newSocket();
      const sockets = new Set<Socket>();
      const server = createServer((socket) => {
        sockets.add(socket.on('error', () => {}));
        onSocket(socket);
      });
      await new Promise<void>((resolve) => server.listen(path, resolve));
      try {
        return await use(path);
      } finally {
        for (const socket of sockets) socket.destroy();
        server.close();
      }
    },
  };
}

/** A frame as the daemon sends it: its type and its length, in two bytes, before it. */
export function raw(type: string, text: string | Buffer): Buffer {
  const payload = Buffer.from(text);
  const head = Buffer.alloc(3);
  head.write(type, 'latin1');
  head.writeUInt16BE(payload.length, 1);
  return Buffer.concat([head, payload]);
}
