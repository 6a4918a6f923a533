/**
 * What is shown of what waits: one at a time, the oldest first. Pure.
 * @module
 */

/** Something that waits: a question, a stranger's request, a device before the door. */
export interface Item {
  readonly kind: 'question' | 'stranger' | 'device';
  readonly key: string;
  /** Among those of its kind: what waits longer has a lower one. */
  readonly place: number;
}

export interface Queue {
  readonly shown: string | undefined;
  /** What the person put off, until they come back to it. */
  readonly later: ReadonlySet<string>;
}

export const EMPTY: Queue = { shown: undefined, later: new Set() };

const RANK = { question: 0, stranger: 1, device: 2 } as const;

/** Questions before strangers, strangers before devices; of each, the oldest first. */
export function inOrder<T extends Item>(items: readonly T[]): T[] {
  return [...items].sort(
    (a, b) => RANK[a.kind] - RANK[b.kind] || a.place - b.place || a.key.localeCompare(b.key),
  );
}

/** The queue after what waits has changed: what is shown stays while it is there. */
export function next(queue: Queue, items: readonly Item[]): Queue {
  const later = new Set([...queue.later].filter((key) => items.some((item) => item.key === key)));
  if (items.some(({ key }) => key === queue.shown)) return { ...queue, later };
  return { shown: inOrder(items).find(({ key }) => !later.has(key))?.key, later };
}

/** Puts off what is shown. */
export function putOff(queue: Queue, items: readonly Item[]): Queue {
  if (queue.shown === undefined) return queue;
  return next({ shown: undefined, later: new Set([...queue.later, queue.shown]) }, items);
}

/** Comes back to something that was put off. */
export function comeBack(queue: Queue, key: string): Queue {
  return { shown: key, later: new Set([...queue.later].filter((one) => one !== key)) };
}
