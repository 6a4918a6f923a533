/**
 * The demultiplexer's CPU for one connection (joined, one answer forwarded, closed), beside HAProxy's in TCP mode, and
 * beside the least that a proxy in Node can be.
 * @module
 */
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { encodeFrame } from '@countersign/core/m-auth';
import { freePort } from '../../e2e/free-port.ts';
import { connectDemultiplexer } from '../../packages/gate/src/sign-on/way-to-demultiplexer.ts';
import type { Progress } from '../progress.ts';
import { spawnOnServerCore, startServer, type Usage, watch } from '../server-process.ts';
import { median, rounded } from '../statistics.ts';
import { startDemultiplexer } from './demultiplexer.ts';
import { many } from './handshakes.ts';
import { open } from './sign-ons.ts';

const PIPE = fileURLToPath(new URL('../yardsticks/pipe-server.ts', import.meta.url));
const IN_FLIGHT = 32;
const ANSWER = Buffer.alloc(400, 1);
/** What a validator says first: `AuthValidate`, and a handshake behind it. */
const HANDSHAKE = encodeFrame({ kind: 'handshake', body: new Uint8Array(48) });

interface Contestant {
  readonly server: Usage;
  once(): Promise<void>;
}

export async function benchForwarding(folder: string, quick: boolean, progress: Progress) {
  const [rounds, size] = forwardingRounds(quick);
  const echo = createServer({ noDelay: true }, (socket) => {
    socket.on('error', () => socket.destroy());
    socket.on('data', () => socket.write(ANSWER));
  });
  echo.listen({ port: 0, host: '127.0.0.1', backlog: 4096 });
  await once(echo, 'listening');
  const { port: behind } = echo.address() as { port: number };
  await using pipe = await startServer(PIPE, [String(behind)]);
  await using haproxy = await startHaproxy(folder, behind);
  await using demultiplexer = await startDemultiplexer(folder);
  const sides = new WaitingSides(demultiplexer);
  await sides.announce(4 * IN_FLIGHT);
  const contestants: Record<'ours' | 'haproxy' | 'node', Contestant> = {
    ours: { server: demultiplexer, once: () => sides.once() },
    haproxy: { server: haproxy, once: () => throughProxy(haproxy.port) },
    node: { server: pipe, once: () => throughProxy(pipe.port) },
  };
  const names = Object.keys(contestants) as (keyof typeof contestants)[];
  const cpu = { ours: [] as number[], haproxy: [] as number[], node: [] as number[] };
  for (let round = 0; round <= rounds; round++) {
    for (const name of round % 2 === 0 ? names : names.toReversed()) {
      const { server, once } = contestants[name];
      const before = server.cpuSeconds();
      await many(size, IN_FLIGHT, once);
      if (round > 0) cpu[name].push(((server.cpuSeconds() - before) / size) * 1e6);
    }
    progress.step(round === 0 ? 'forwarding: warm' : `forwarding: round ${round} of ${rounds}`);
  }
  echo.close();
  const ratios = (to: 'haproxy' | 'node') => cpu.ours.map((one, round) => one / cpu[to][round]!);
  return {
    connections: size,
    rounds,
    cpuMicroseconds: {
      demultiplexer: rounded(median(cpu.ours), 0),
      haproxy: rounded(median(cpu.haproxy), 0),
      nodePipe: rounded(median(cpu.node), 0),
    },
    ratioToHaproxy: rounded(median(ratios('haproxy'))),
    ratios: ratios('haproxy').map((ratio) => rounded(ratio)),
    ratioToNodePipe: rounded(median(ratios('node'))),
  };
}

export function forwardingRounds(quick: boolean): [rounds: number, size: number] {
  return quick ? [3, 500] : [7, 2000];
}

async function throughProxy(port: number): Promise<void> {
  const socket = await open(port);
  socket.write(
    encodeFrame({ kind: 'validate', purpose: 'sign-on', tag: randomBytes(16), proof: new Uint8Array(16) }),
  );
  await answered(socket);
}

/** Here the other side is not called: it has called before, and waits. */
export class WaitingSides {
  readonly #at: { readonly port: number; readonly interfaces: string };
  readonly #tags: Uint8Array[] = [];

  constructor(at: { readonly port: number; readonly interfaces: string }) {
    this.#at = at;
  }

  /** Announced well before anybody asks for them, as a person takes a while. */
  async announce(count: number): Promise<void> {
    for (let i = 0; i < count; i++) {
      const side = await connectDemultiplexer({ path: this.#at.interfaces });
      side.on('error', () => side.destroy());
      side.once('data', () => side.write(ANSWER));
      const tags = Array.from({ length: 16 }, () => randomBytes(16));
      const tag = tags[0]!;
      side.write(encodeFrame({ kind: 'request', purpose: 'sign-on', lifetime: 60_000, bucket: tag, tags }));
      this.#tags.push(tag);
    }
  }

  /** One is asked for, and another is announced. */
  async once(): Promise<void> {
    const tag = this.#tags.shift()!;
    const announced = this.announce(1);
    const socket = await open(this.#at.port);
    const opening = encodeFrame({ kind: 'validate', purpose: 'sign-on', tag, proof: new Uint8Array(16) });
    socket.write(Buffer.concat([opening, HANDSHAKE]));
    await answered(socket);
    await announced;
  }
}

async function answered(socket: Socket): Promise<void> {
  socket.on('error', () => socket.destroy());
  let left = ANSWER.length;
  for await (const chunk of socket) {
    left -= (chunk as Buffer).length;
    if (left <= 0) return void socket.destroy();
  }
  throw new Error('no answer came through');
}

async function startHaproxy(folder: string, behind: number): Promise<Usage & { readonly port: number }> {
  const port = await freePort();
  const configuration = join(folder, 'haproxy.cfg');
  writeFileSync(
    configuration,
    `global
  maxconn 4000
  nbthread 1
defaults
  mode tcp
  timeout connect 5s
  timeout client 60s
  timeout server 60s
listen bench
  bind 127.0.0.1:${port}
  server behind 127.0.0.1:${behind}
`,
  );
  const child = spawnOnServerCore(['/usr/sbin/haproxy', '-db', '-f', configuration]);
  const usage = watch(child);
  for (;;) {
    try {
      (await open(port)).destroy();
      return { ...usage, port };
    } catch {
      if (child.exitCode !== null) throw new Error('haproxy ended at once (Debian package haproxy)');
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}
