/**
 * One round of one contestant: how much, how fast, and at what cost to the server.
 * @module
 */
import { type Confirm, closedLoop } from './load.ts';
import type { ServerProcess } from './server-process.ts';
import { median, percentile, rounded } from './statistics.ts';

/** Confirmations under way at a time. */
export const IN_FLIGHT = 64;

export interface Round {
  readonly perSecond: number;
  /** The whole confirmation, in ms. */
  readonly p50: number;
  readonly p99: number;
  /** CPU of the server, and of the load, for one confirmation, in µs. */
  readonly cpu: number;
  readonly loadCpu: number;
  /** Resident memory of the server at the end, in MiB. */
  readonly memory: number;
}

export async function measureRound<T>(
  server: ServerProcess,
  items: readonly T[],
  confirm: Confirm<T>,
): Promise<Round> {
  const before = server.cpuSeconds();
  const loadBefore = process.cpuUsage();
  const { seconds, times } = await closedLoop(items, IN_FLIGHT, confirm);
  const cpu = server.cpuSeconds() - before;
  const load = process.cpuUsage(loadBefore);
  const whole = times.map((time) => time.whole);
  return {
    perSecond: items.length / seconds,
    p50: percentile(whole, 50),
    p99: percentile(whole, 99),
    cpu: (cpu / items.length) * 1e6,
    loadCpu: (load.user + load.system) / items.length,
    memory: server.residentBytes() / 1024 ** 2,
  };
}

/** Each figure's median over the rounds. */
export function medianRound(rounds: readonly Round[]): Round {
  const of = (pick: (round: Round) => number, digits = 0) => rounded(median(rounds.map(pick)), digits);
  return {
    perSecond: of((round) => round.perSecond),
    p50: of((round) => round.p50, 1),
    p99: of((round) => round.p99, 1),
    cpu: of((round) => round.cpu),
    loadCpu: of((round) => round.loadCpu),
    memory: of((round) => round.memory),
  };
}
