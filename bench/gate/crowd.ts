/**
 * One demultiplexer and one host under load: thousands of sign-ons at a time, thousands of connections that only wait,
 * and a flood of `AuthValidate` that nobody has asked for.
 * @module
 */
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { encodeFrame } from '@countersign/core/m-auth';
import { HostRecords } from '../../packages/gate/src/index.ts';
import { connectDemultiplexer } from '../../packages/gate/src/sign-on/way-to-demultiplexer.ts';
import type { Progress } from '../progress.ts';
import { startServer } from '../server-process.ts';
import { median, percentile, rounded } from '../statistics.ts';
import { type DemultiplexerProcess, startDemultiplexer } from './demultiplexer.ts';
import { many } from './handshakes.ts';
import { makePairs } from './pairs.ts';
import { answer, type OpenGate, open, openGate, signOnAtDaemon } from './sign-ons.ts';
import { duplexTo } from './wire.ts';

const DAEMON = fileURLToPath(new URL('daemon-server.ts', import.meta.url));
const FLOOD = fileURLToPath(new URL('../../e2e/gate-flood.ts', import.meta.url));
const FLOOD_PER_SECOND = 1000;
/** In which all of a crowd answer, in ms: less than a gate of the usual length. */
const PEOPLE_TAKE = 15_000;
/** Sign-ons that one time is the median of. */
const SIGN_ONS = 40;

export async function benchCrowd(folder: string, quick: boolean, progress: Progress) {
  const [users, idle, rounds] = quick ? [300, 2000, 2] : [2000, 10_000, 5];
  const pairs = await makePairs(users);
  const byUser = new Map(pairs.map((pair) => [pair.user, pair]));
  const data = join(folder, 'crowd');
  const store = new HostRecords(data);
  for (const { user, host } of pairs) store.addPair(user, host, 0);
  store.close();
  await using demultiplexer = await startDemultiplexer(folder);
  await using daemon = await startServer(DAEMON, [data, demultiplexer.interfaces]);
  progress.step(`${users} users paired`);

  const opening = performance.now();
  const gates: OpenGate[] = [];
  await many(users, 32, async () => void gates.push(await openGate(daemon.port, byUser)));
  const answering = performance.now();
  const times: number[] = [];
  const ends = gates.map(async ({ pair, passcode, over }, i) => {
    // People take their time, each another; and they are not all at one address.
    await sleep((i / users) * PEOPLE_TAKE);
    const localAddress = `127.0.9.${1 + (i % 64)}`;
    const began = performance.now();
    await answer(pair, passcode, duplexTo({ port: demultiplexer.port, host: '127.0.0.1', localAddress }));
    if ((await over) === 'granted') times.push(performance.now() - began);
  });
  await Promise.allSettled(ends);
  const concurrent = {
    signOns: users,
    granted: times.length,
    seconds: rounded((performance.now() - answering) / 1000, 1),
    openedInSeconds: rounded((answering - opening) / 1000, 1),
    p50: rounded(percentile(times, 50), 0),
    p99: rounded(percentile(times, 99), 0),
  };
  progress.step(`${users} sign-ons at a time`);

  const signOnTime = async () => {
    const each: number[] = [];
    for (let i = 0; i < SIGN_ONS; i++) {
      const at = performance.now();
      await signOnAtDaemon(daemon.port, demultiplexer.port, byUser);
      each.push(performance.now() - at);
    }
    return median(each);
  };
  const found: { unloaded: number; loaded: number }[] = [];
  for (let round = 0; round < rounds; round++) {
    found.push(await inFlood(demultiplexer, signOnTime));
    progress.step(`flood: round ${round + 1} of ${rounds}`);
  }

  const before = demultiplexer.residentBytes();
  const held = await joinPairs(demultiplexer, idle / 2);
  await sleep(3000);
  const kibPerConnection = (demultiplexer.residentBytes() - before) / idle / 1024;
  const beside = await signOnTime();
  for (const socket of held) socket.destroy();
  progress.step(`${idle} connections that wait`);
  const ratios = found.map(({ unloaded, loaded }) => loaded / unloaded);
  return {
    concurrent,
    flood: {
      perSecond: FLOOD_PER_SECOND,
      rounds,
      unloadedMs: rounded(median(found.map(({ unloaded }) => unloaded)), 1),
      loadedMs: rounded(median(found.map(({ loaded }) => loaded)), 1),
      ratio: rounded(median(ratios)),
      ratios: ratios.map((ratio) => rounded(ratio)),
    },
    idle: { connections: idle, kibPerConnection: rounded(kibPerConnection, 1), signOnMs: rounded(beside, 1) },
  };
}

/** How many steps `benchCrowd` tells of. */
export const crowdSteps = (quick: boolean) => (quick ? 5 : 8);

async function inFlood({ port }: DemultiplexerProcess, signOnTime: () => Promise<number>) {
  const unloaded = await signOnTime();
  // An attacker has a machine of their own: it takes no processor from those who sign on.
  const flood = spawn('nice', ['-n', '19', process.execPath, FLOOD, String(port), String(FLOOD_PER_SECOND)], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  try {
    await sleep(1500);
    return { unloaded, loaded: await signOnTime() };
  } finally {
    const gone = once(flood, 'exit');
    flood.kill('SIGTERM');
    await gone;
  }
}

/** So many pairs that are joined, and say nothing. */
async function joinPairs({ port, interfaces }: DemultiplexerProcess, count: number): Promise<Socket[]> {
  const sockets: Socket[] = [];
  await many(count, 32, async () => {
    const tag = randomBytes(16);
    const side = await connectDemultiplexer({ path: interfaces });
    side.on('error', () => side.destroy());
    side.write(
      encodeFrame({ kind: 'request', purpose: 'sign-on', lifetime: 60_000, bucket: tag, tags: [tag] }),
    );
    const joined = once(side, 'data');
    // It is queued by the time that somebody could read a passcode.
    await sleep(30);
    const validator = await open(port, `127.0.8.${1 + (sockets.length % 64)}`);
    validator.on('error', () => validator.destroy());
    validator.write(encodeFrame({ kind: 'validate', purpose: 'sign-on', tag, proof: new Uint8Array(16) }));
    await joined;
    sockets.push(side, validator);
  });
  for (const socket of sockets) socket.resume();
  return sockets;
}
