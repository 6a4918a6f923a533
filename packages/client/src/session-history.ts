/**
 * The history of an organisation's sessions as the broker shows it: checked, and held to what was seen of it before.
 * @module
 */
import { type CheckedHistory, CountersignError, checkHistory, type Head } from '@countersign/core';
import type { Session } from './session.ts';

const KIND = 'session-history';

export interface ReadHistory extends CheckedHistory {
  /** The entries as they were written, oldest first: a line each, they are the file that can be checked. */
  readonly texts: readonly string[];
}

/**
 * Reads all of it.
 * @throws `history-invalid` where it is not a chain, or not what the one that was seen before has become
 */
export async function readHistory({ api, keys, crypto, state }: Session): Promise<ReadHistory> {
  const texts: string[] = [];
  for (;;) {
    const page = await api.readSessionHistory(keys.signer, keys.name, texts.length + 1);
    if (page.length === 0) break;
    texts.push(...page.map(({ entry }) => entry));
  }
  const place = `${keys.broker} ${keys.identity}`;
  const known = await state.get<Head>(KIND, place);
  const checked = await checkHistory(crypto, texts, known);
  const { head } = checked;
  if (head !== undefined) {
    await state.update<Head>(KIND, place, (old) => (old === undefined || old.seq < head.seq ? head : old));
  }
  return { ...checked, texts };
}

/** The lines of a file that was exported. @throws `history-invalid` for one that ends within a line */
export function historyLines(file: string): string[] {
  if (file === '') return [];
  if (!file.endsWith('\n')) {
    throw new CountersignError('history-invalid', 'the history is not good: the file ends within a line');
  }
  return file.slice(0, -1).split('\n');
}
