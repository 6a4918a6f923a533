/**
 * A past for a broker's database: requests that were asked and answered long ago, written through its store.
 * @module
 */
import { randomBytes } from 'node:crypto';
import type { Store } from '../packages/broker/src/store/store.ts';
import { type Member, now } from './population.ts';
import type { Question } from './questions.ts';

/**
 * Requests that were asked and answered in the past. Their rows have the size of real ones, and random ids and
 * hashes; the signatures in them nobody will check.
 */
export async function writeSettled(
  store: Store,
  accounts: readonly Member[],
  knownBy: (index: number) => readonly Member[],
  { request, answer }: Question,
  from: number,
  count: number,
): Promise<void> {
  const { jws } = request.statement;
  const { response } = JSON.parse(answer) as { response: string };
  for (let start = from; start < from + count; start += 500) {
    const batch = Math.min(500, from + count - start);
    const writes = Array.from({ length: batch }, async (_, i) => {
      const n = start + i;
      const known = knownBy(n % accounts.length);
      // Each account is asked by its enquirers in turn, once in two hours, so no limit is reached.
      const turn = Math.floor(n / accounts.length);
      const posted = now() - 365 * 86_400 + turn * 7200;
      const enquirer = known[turn % known.length]!;
      const posting = {
        hash: randomBytes(32).toString('base64url'),
        jti: randomBytes(16).toString('base64url'),
        jws: distinct(jws),
        enquirerId: enquirer.row,
        enquirer: { name: enquirer.log.name, identity: enquirer.log.identity },
        accountId: accounts[n % accounts.length]!.row,
        asker: 'device' as const,
        exp: posted + 600,
      };
      const outcome = await store.postRequest(posting, posted);
      if (outcome.outcome !== 'posted' || outcome.request.held) throw new Error('a request was not taken');
      const settled = { state: 'answered', at: posted + 20, response: distinct(response) } as const;
      if ((await store.settleRequest(outcome.request, settled)) === undefined) {
        throw new Error('an answer was not taken');
      }
    });
    await Promise.all(writes);
  }
}

/** A statement of the same length with another signature, so that no two rows are alike. */
function distinct(jws: string): string {
  return `${jws.slice(0, jws.lastIndexOf('.'))}.${randomBytes(64).toString('base64url')}`;
}
