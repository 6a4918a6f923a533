/**
 * A line to a server that can be cut: bytes pass as they are, until it is told to lose some.
 * @module
 */
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

export interface FaultProxy extends AsyncDisposable {
  /** Where it listens. */
  readonly origin: string;
  /** Whom it passes calls to. */
  target(origin: string): void;
  /** Cuts the line of the next call that begins so: before it goes on, or once its answer is there and lost. */
  cut(begin: string, when: 'before' | 'after'): void;
  /** How many lines were cut. */
  cuts(): number;
}

export async function startFaultProxy(): Promise<FaultProxy> {
  let upstream: URL | undefined;
  let fault: { begin: string; when: 'before' | 'after' } | undefined;
  let cuts = 0;
  const open = new Set<Socket>();
  const server = createServer((near) => {
    const far = connect(Number(upstream!.port), upstream!.hostname);
    let losing = false;
    for (const [one, other] of [
      [near, far],
      [far, near],
    ] as const) {
      open.add(one);
      one.on('error', () => other.destroy()).on('close', () => other.destroy());
      one.on('close', () => open.delete(one));
    }
    const cutLine = () => {
      cuts++;
      near.resetAndDestroy();
      far.destroy();
    };
    near.on('data', (bytes) => {
      if (fault !== undefined && bytes.toString('latin1').startsWith(fault.begin)) {
        losing = fault.when === 'after';
        fault = undefined;
        if (!losing) return cutLine();
      }
      far.write(bytes);
    });
    far.on('data', (bytes) => (losing ? cutLine() : near.write(bytes)));
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    target(origin) {
      upstream = new URL(origin);
    },
    cut(begin, when) {
      fault = { begin, when };
    },
    cuts: () => cuts,
    async [Symbol.asyncDispose]() {
      for (const socket of open) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}
