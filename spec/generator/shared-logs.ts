/**
 * Receipts hold whole device logs, and most hold the same ones: a vector file has each log once.
 * @module
 */
import { createHash } from 'node:crypto';
import { type Loose, payloadOf, type Vector, type VectorFile } from './vector.ts';

const MEMBERS = ['enquirer_log', 'account_log'] as const;

/** Moves the logs of all receipts to a table; the vectors name them. */
export function shareLogs(vectors: readonly Vector[]): Pick<VectorFile, 'logs' | 'vectors'> {
  const logs: Record<string, readonly string[]> = {};
  const shared = vectors.map(({ name, comment, receipt, ...rest }): Vector => {
    const kept: Loose = receipt;
    const named = MEMBERS.filter((member) => isLog(kept?.[member]));
    if (named.length === 0) return { name, comment, receipt, ...rest };
    const left = Object.fromEntries(
      Object.entries(kept).filter(([member]) => !named.some((one) => one === member)),
    );
    const names = Object.fromEntries(
      named.map((member) => {
        const title = titleOf(kept[member]);
        logs[title] = kept[member];
        return [member, title];
      }),
    );
    return { name, comment, receipt: left, logs: names, ...rest };
  });
  return { logs, vectors: shared };
}

/** The vector with the logs in its receipt, as whoever runs it needs it. */
export function withLogs({ logs = {} }: Pick<VectorFile, 'logs'>, vector: Vector): Vector {
  const { logs: named, receipt, ...rest } = vector as Loose;
  if (named === undefined) return vector;
  const members = Object.entries<string>(named).map(([member, title]) => [member, logs[title]]);
  return { ...rest, receipt: { ...receipt, ...Object.fromEntries(members) } };
}

function isLog(value: unknown): value is string[] {
  return Array.isArray(value) && value.length > 0;
}

/** Whose log it is, and which. */
function titleOf(entries: readonly string[]): string {
  const hash = createHash('sha256').update(entries.join('\n')).digest('hex');
  return `${payloadOf(entries[0]!).sub} ${hash.slice(0, 8)}`;
}
