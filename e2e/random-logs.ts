/**
 * Random device logs, good ones and not, for two readers to be compared over.
 * @module
 */
import { CountersignError, extendLog, replayLog } from '@countersign/core';
import { webCrypto } from '@countersign/core/webcrypto';
import fc from 'fast-check';
import { actOf, draws, LogWorld } from '../packages/core/test/log-acts.ts';
import { predict } from '../packages/core/test/log-model.ts';
import { payloadOf, tamper } from '../packages/core/test/tamper.ts';
import { foundIn } from '../spec/generator/log-vectors.ts';

export interface RandomLog {
  readonly name: string;
  readonly entries: readonly string[];
}

/** Logs of acts that were taken; each also with every act that was refused, and with an entry that is not right. */
export async function randomLogs(seed: number, count: number): Promise<RandomLog[]> {
  const world = await LogWorld.make();
  const beginnings = await world.beginnings();
  const made: RandomLog[] = [];
  const somewhere = fc.nat({ max: beginnings.length - 1 });
  const samples = fc.sample(fc.tuple(somewhere, fc.nat(), draws), { seed, numRuns: count });
  for (const [i, [where, turn, all]] of samples.entries()) {
    let { model, log } = beginnings[where]!;
    for (const [j, draw] of all.entries()) {
      const act = actOf(model, draw);
      const entry = await world.entryOf(log, act);
      const next = predict(model, act);
      if (next === undefined) {
        made.push({ name: `${i}, refused act ${j} (${act.what})`, entries: [...log.entries, entry] });
      } else {
        model = next;
        log = await extendLog(webCrypto, log, [entry]);
      }
    }
    made.push({ name: `${i}`, entries: log.entries }, ...variantsOf(`${i}`, log.entries, turn));
  }
  return made;
}

/** The log with one entry altered, dropped, swapped with the next, told twice, or in another's place. */
function variantsOf(name: string, entries: readonly string[], turn: number): RandomLog[] {
  const at = turn % entries.length;
  const entry = entries[at]!;
  const next = entries[at + 1];
  const members = Object.keys(payloadOf(entry));
  const member = members[turn % members.length]!;
  const altered = tamper(entry, (payload) => {
    payload[member] = typeof payload[member] === 'number' ? payload[member] + 1 : payload.prev;
  });
  return [
    { name: `${name}, entry ${at} with another ${member}`, entries: entries.with(at, altered) },
    { name: `${name}, entry ${at} dropped`, entries: entries.toSpliced(at, 1) },
    { name: `${name}, entry ${at} twice`, entries: entries.toSpliced(at, 0, entry) },
    { name: `${name}, entry ${at} as the last`, entries: [...entries, entry] },
    ...(next === undefined
      ? []
      : [
          {
            name: `${name}, entries ${at} and ${at + 1} swapped`,
            entries: entries.with(at, next).with(at + 1, entry),
          },
        ]),
  ];
}

/** What our replay finds in a log, or the code that it refuses it by. */
export async function ourReplay({ entries }: RandomLog): Promise<object> {
  try {
    return JSON.parse(JSON.stringify(await foundIn({ log: await replayLog(webCrypto, entries) })));
  } catch (error) {
    if (error instanceof CountersignError) return { code: error.code };
    throw error;
  }
}
