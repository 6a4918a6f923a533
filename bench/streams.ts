/**
 * `npm run bench -- streams`: ten thousand devices on a WebSocket stream of one broker.
 * @module
 */
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { writeBroker } from './confirm.ts';
import { Connections, expectJson } from './connection.ts';
import { Devices } from './devices.ts';
import { startBroker } from './ours.ts';
import { makePopulation, type Population } from './population.ts';
import { Progress, say } from './progress.ts';
import { QuestionSupply } from './questions.ts';
import type { ServerProcess } from './server-process.ts';
import { percentile, rounded } from './statistics.ts';

/**
 * Memory is read with the first streams open and again with all: a process of this kind holds a good deal of
 * memory that it is not using, and the first streams would seem to cost nothing.
 */
const FULL = { first: 2000, streams: 10_000, events: 2000 };
const QUICK = { first: 500, streams: 2000, events: 300 };
/** Questions that are not counted, since code is still being compiled. */
const WARM_UP = 300;
/** How long a process is left alone to give back what it no longer needs, in s. */
const SETTLE = 20;

export async function benchStreams(folder: string, quick: boolean) {
  const { first, streams, events } = quick ? QUICK : FULL;
  const progress = new Progress(4);
  say(`making ${streams} accounts`);
  const population = await makePopulation(1, streams);
  const data = join(folder, 'broker');
  await writeBroker(data, population);
  await using server = await startBroker(data);
  progress.step('broker started');

  const devices = new Devices();
  await devices.open(server, population.accounts.slice(0, first));
  const before = await settledMemory(server);
  progress.step(`${first} streams open: ${Math.round(before / 1024 ** 2)} MiB`);
  await devices.open(server, population.accounts.slice(first));
  const after = await settledMemory(server);
  progress.step(`${streams} streams open: ${Math.round(after / 1024 ** 2)} MiB`);

  const delays = await postToEvent(server, devices, population, events);
  progress.step(`${events} events`);
  devices.closeAll();
  return {
    streams,
    kibPerStream: rounded((after - before) / (streams - first) / 1024, 1),
    memoryMiB: rounded(after / 1024 ** 2, 1),
    postToEvent: { p50: rounded(percentile(delays, 50)), p99: rounded(percentile(delays, 99)) },
  };
}

/** The least that it holds within some time of doing nothing. */
async function settledMemory(server: ServerProcess): Promise<number> {
  let least = Number.POSITIVE_INFINITY;
  for (let i = 0; i < SETTLE; i++) {
    await sleep(1000);
    least = Math.min(least, server.residentBytes());
  }
  return least;
}

/** From sending a question to its event on the device, one at a time, in ms: checked and stored in between. */
async function postToEvent(
  server: ServerProcess,
  devices: Devices,
  population: Population,
  count: number,
): Promise<number[]> {
  const questions = await new QuestionSupply(population, server.origin).make(WARM_UP + count);
  const connections = new Connections(server.port);
  const connection = await connections.take();
  const delays: number[] = [];
  for (const { hash, post } of questions) {
    const delivery = devices.delivery(hash);
    const started = performance.now();
    const posted = connection.call('POST', '/v1/requests', post);
    await delivery;
    delays.push(performance.now() - started);
    expectJson(await posted, 201);
  }
  connections.closeAll();
  return delays.slice(WARM_UP);
}
