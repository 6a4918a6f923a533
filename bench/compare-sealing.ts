/**
 * Whether stand-in boxes, which the load uses to save itself HPKE, are a fair load: the broker's CPU with them,
 * with real boxes (each opened afterwards, to be sure), and with questions in clear.
 * @module
 */
import { measureRound, type Round } from './measure.ts';
import type { Ours } from './ours.ts';
import type { Population } from './population.ts';
import { openAnswer, type QuestionSupply, type Sealing } from './questions.ts';
import { median, rounded } from './statistics.ts';

const WAYS = ['stand-in', 'hpke', 'clear'] as const satisfies readonly Sealing[];

/** The broker's CPU for a confirmation each way, in µs. */
export async function compareSealing(
  ours: Ours,
  population: Population,
  supply: QuestionSupply,
  quick: boolean,
): Promise<Record<Sealing, number>> {
  const rounds: Record<Sealing, Round[]> = { 'stand-in': [], hpke: [], clear: [] };
  for (let i = 0; i < (quick ? 2 : 5); i++) {
    for (const way of WAYS) {
      const questions = await supply.make(quick ? 300 : 1000, way);
      rounds[way].push(await measureRound(ours.server, questions, ours.confirm));
      if (way === 'hpke') for (const question of questions) await openAnswer(question, population);
    }
  }
  const cpu = (way: Sealing) => rounded(median(rounds[way].map((round) => round.cpu)), 0);
  return { 'stand-in': cpu('stand-in'), hpke: cpu('hpke'), clear: cpu('clear') };
}
