/**
 * `npm run bench -- confirm`: our broker, the floor under it, and the peer on two stores, in interleaved rounds.
 * @module
 */
import { join } from 'node:path';
import { newBrokerData } from './broker-data.ts';
import { compareSealing } from './compare-sealing.ts';
import { openLoop } from './load.ts';
import { measureRound, medianRound, type Round } from './measure.ts';
import { Ours } from './ours.ts';
import { makePopulation, type Population, writeContacts, writeMembers } from './population.ts';
import { Progress, say } from './progress.ts';
import { QuestionSupply } from './questions.ts';
import { median, percentile, rounded } from './statistics.ts';
import { Floor } from './yardsticks/floor.ts';
import { Peer } from './yardsticks/peer.ts';

const FULL = {
  enquirers: 25,
  accounts: 2000,
  rounds: 7,
  questions: 8000,
  peerQuestions: 800,
  openSeconds: 5,
};
const QUICK = {
  enquirers: 10,
  accounts: 500,
  rounds: 3,
  questions: 1500,
  peerQuestions: 200,
  openSeconds: 2,
};

/** Windows at half load. */
const WINDOWS = 5;

const CONTESTANTS = ['ours', 'floor', 'peerSqlite', 'peerMemory'] as const;
type Contestant = (typeof CONTESTANTS)[number];

export async function benchConfirm(folder: string, quick: boolean) {
  const size = quick ? QUICK : FULL;
  const progress = new Progress(size.rounds + 1);
  say(`making ${size.accounts} accounts and ${size.enquirers} enquirers that each of them knows`);
  const population = await makePopulation(size.enquirers, size.accounts);
  const data = join(folder, 'broker');
  await writeBroker(data, population);

  await using ours = await Ours.start(data, population);
  await using floor = await Floor.start(folder, population);
  await using peerSqlite = await Peer.start(folder, 'sqlite', population);
  await using peerMemory = await Peer.start(folder, 'map', population);

  const supply = new QuestionSupply(population, ours.server.origin);
  const runRound = async (number: number, share = 1): Promise<Record<Contestant, Round>> => {
    const batch = await supply.make(size.questions * share);
    const peerCount = size.peerQuestions * share;
    const runs: Record<Contestant, () => Promise<Round>> = {
      ours: () => measureRound(ours.server, batch, ours.confirm),
      floor: () => measureRound(floor.server, batch, floor.confirm),
      peerSqlite: () => {
        const made = peerSqlite.prepare(number * peerCount, peerCount);
        return measureRound(peerSqlite.server, made, peerSqlite.confirm);
      },
      peerMemory: () => {
        const made = peerMemory.prepare(number * peerCount, peerCount);
        return measureRound(peerMemory.server, made, peerMemory.confirm);
      },
    };
    const results: Partial<Record<Contestant, Round>> = {};
    // Each begins in turn, so that none always runs after the same neighbour.
    for (let i = 0; i < CONTESTANTS.length; i++) {
      const name = CONTESTANTS[(i + number) % CONTESTANTS.length]!;
      results[name] = await runs[name]();
    }
    return results as Record<Contestant, Round>;
  };

  await runRound(0, 0.5);
  progress.step('warmed up');
  const rounds: Record<Contestant, Round>[] = [];
  for (let i = 1; i <= size.rounds; i++) {
    const round = await runRound(i);
    rounds.push(round);
    progress.step(CONTESTANTS.map((name) => `${name} ${Math.round(round[name].cpu)} µs`).join(', '));
  }

  const of = (name: Contestant) => medianRound(rounds.map((round) => round[name]));
  const ratio = (over: Contestant, under: Contestant) =>
    rounded(median(rounds.map((round) => round[over].cpu / round[under].cpu)));
  const contestants = {
    ours: of('ours'),
    floor: of('floor'),
    peerSqlite: of('peerSqlite'),
    peerMemory: of('peerMemory'),
  };

  const half = Math.round(contestants.ours.perSecond / 2);
  say(`half load: ${half} confirmations a second, ${WINDOWS} times ${size.openSeconds} s`);
  const acceptToWoken = await measureHalfLoad(ours, floor, supply, half, size.openSeconds);
  say('the same with HPKE boxes, and in clear');
  const sealing = await compareSealing(ours, population, supply, quick);

  return {
    ratioToFloor: ratio('ours', 'floor'),
    ratioToPeer: ratio('peerSqlite', 'ours'),
    ratioToPeerMemory: ratio('peerMemory', 'ours'),
    contestants,
    acceptToWoken,
    sealing,
    rounds,
  };
}

/**
 * How soon an enquirer hears of an answer from a broker that is half busy, in ms; and, for comparison, from the
 * floor at the same rate: what the machine alone makes late. Medians of windows taken in turn.
 */
async function measureHalfLoad(
  ours: Ours,
  floor: Floor,
  supply: QuestionSupply,
  perSecond: number,
  seconds: number,
) {
  type Woken = { p50: number; p99: number };
  const windows: Record<'ours' | 'floor', Woken>[] = [];
  for (let i = 0; i < WINDOWS; i++) {
    const questions = await supply.make(perSecond * seconds);
    const woken = async ({ confirm }: Ours | Floor) => {
      const times = (await openLoop(questions, perSecond, confirm)).map((time) => time.acceptToWoken);
      return { p50: rounded(percentile(times, 50)), p99: rounded(percentile(times, 99)) };
    };
    windows.push({ ours: await woken(ours), floor: await woken(floor) });
  }
  const of = (name: 'ours' | 'floor') => ({
    p50: rounded(median(windows.map((window) => window[name].p50))),
    p99: rounded(median(windows.map((window) => window[name].p99))),
  });
  return { perSecond, ...of('ours'), floor: of('floor'), windows };
}

/** A broker's database in which every account knows every enquirer. */
export async function writeBroker(data: string, { enquirers, accounts }: Population): Promise<void> {
  const store = await newBrokerData(data);
  await writeMembers(store, [...enquirers, ...accounts]);
  await writeContacts(store, accounts, () => enquirers);
  await store.close();
}
