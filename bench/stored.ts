/**
 * `npm run bench -- stored`: what a confirmation costs a broker that remembers a million others, against one
 * that remembers none.
 * @module
 */
import { join } from 'node:path';
import { newBrokerData } from './broker-data.ts';
import { writeBroker } from './confirm.ts';
import { measureRound, medianRound, type Round } from './measure.ts';
import { Ours } from './ours.ts';
import { writeSettled } from './past.ts';
import { type Member, makePopulation, type Population, writeContacts, writeMembers } from './population.ts';
import { Progress, say } from './progress.ts';
import { QuestionSupply } from './questions.ts';
import { median, rounded } from './statistics.ts';

const FULL = { accounts: 100_000, requests: 1_000_000, rounds: 7, questions: 4000 };
const QUICK = { accounts: 10_000, requests: 50_000, rounds: 3, questions: 1000 };
/** Those that ask and answer while it is measured; the same in both databases. */
const ENQUIRERS = 20;
const ACTIVE = 2000;
/** Enquirers that each of the other accounts knows. */
const KNOWN = 2;
/** Steps in which the past is written. */
const CHUNKS = 20;

export async function benchStored(folder: string, quick: boolean) {
  const size = quick ? QUICK : FULL;
  say(`making ${size.accounts} accounts`);
  const { enquirers, accounts, opener } = await makePopulation(ENQUIRERS, size.accounts);
  // The active ones are taken from all over the table.
  const stride = Math.floor(accounts.length / ACTIVE);
  const active = accounts.filter((_, i) => i % stride === 0).slice(0, ACTIVE);
  const population: Population = { enquirers, accounts: active, opener };

  const emptyData = join(folder, 'empty');
  await writeBroker(emptyData, population);
  await using empty = await Ours.start(emptyData, population);

  const fullData = join(folder, 'full');
  await writeBroker(fullData, { enquirers, accounts: [], opener });
  say('writing the accounts into one of two databases');
  await fill(fullData, accounts, population, size.requests);
  await using full = await Ours.start(fullData, population);

  const supplies = {
    empty: new QuestionSupply(population, empty.server.origin),
    full: new QuestionSupply(population, full.server.origin),
  };
  const run = async (name: 'empty' | 'full', count: number) => {
    const ours = name === 'empty' ? empty : full;
    return measureRound(ours.server, await supplies[name].make(count), ours.confirm);
  };
  const progress = new Progress(size.rounds + 1);
  const rounds: Record<'empty' | 'full', Round>[] = [];
  await run('empty', size.questions / 2);
  await run('full', size.questions / 2);
  progress.step('warmed up');
  for (let i = 0; i < size.rounds; i++) {
    const order = i % 2 === 0 ? (['empty', 'full'] as const) : (['full', 'empty'] as const);
    const round: Partial<Record<'empty' | 'full', Round>> = {};
    for (const name of order) round[name] = await run(name, size.questions);
    rounds.push(round as Record<'empty' | 'full', Round>);
    progress.step(`empty ${Math.round(round.empty!.cpu)} µs, full ${Math.round(round.full!.cpu)} µs`);
  }
  return {
    requests: size.requests,
    accounts: size.accounts,
    ratioToEmpty: rounded(median(rounds.map((round) => round.full.cpu / round.empty.cpu))),
    contestants: {
      empty: medianRound(rounds.map((round) => round.empty)),
      full: medianRound(rounds.map((round) => round.full)),
    },
    rounds,
  };
}

/** Writes all the accounts and their past. The active ones know every enquirer, the others a few. */
async function fill(
  data: string,
  accounts: readonly Member[],
  { enquirers, accounts: active, opener }: Population,
  requests: number,
): Promise<void> {
  const store = await newBrokerData(data);
  const activeSet = new Set(active);
  const knownBy = (index: number) =>
    activeSet.has(accounts[index]!)
      ? enquirers
      : Array.from({ length: KNOWN }, (_, k) => enquirers[(index + k) % ENQUIRERS]!);
  await writeMembers(store, accounts);
  await writeContacts(store, accounts, knownBy);
  const few = { enquirers, accounts: active.slice(0, ENQUIRERS), opener };
  const [sample] = await new QuestionSupply(few, 'http://bench.example').make(1);
  const progress = new Progress(CHUNKS);
  const chunk = requests / CHUNKS;
  for (let i = 0; i < CHUNKS; i++) {
    await writeSettled(store, accounts, knownBy, sample!, i * chunk, chunk);
    progress.step(`${(i + 1) * chunk} requests stored`);
  }
  await store.close();
}
