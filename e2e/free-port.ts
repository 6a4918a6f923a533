/**
 * Where an address must be known before anybody listens there.
 * @module
 */
import { randomInt } from 'node:crypto';
import { createConnection, createServer } from 'node:net';

/** Below those that the kernel gives to whoever does not ask for one (`ip_local_port_range`): nobody gets it meanwhile. */
const [LOWEST, HIGHEST] = [20_000, 32_000];

/** A port of the loopback interface that was free a moment ago. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = randomInt(LOWEST, HIGHEST);
    const server = createServer();
    const isFree = await new Promise<boolean>((resolve) => {
      server.once('error', () => resolve(false));
      server.listen(port, '127.0.0.1', () => resolve(true));
    });
    if (!isFree) continue;
    await new Promise((resolve) => server.close(resolve));
    return port;
  }
}

/** Whether somebody listens on a port of the loopback interface. */
export function isTaken(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createConnection(port, '127.0.0.1');
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}
