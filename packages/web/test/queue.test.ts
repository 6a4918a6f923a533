import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { comeBack, EMPTY, type Item, next, putOff } from '../src/authenticator/queue.ts';

const question = (key: string, place: number): Item => ({ kind: 'question', key, place });
const device = (key: string, place: number): Item => ({ kind: 'device', key, place });

describe('the queue of what waits', () => {
  test('shows the oldest question first, then strangers, then devices', () => {
    const items = [
      device('d', 1),
      question('b', 3),
      question('a', 2),
      { kind: 'stranger', key: 's', place: 0 },
    ] as const;
    const shown: (string | undefined)[] = [];
    let left: readonly Item[] = items;
    let queue = next(EMPTY, left);
    while (queue.shown !== undefined) {
      shown.push(queue.shown);
      left = left.filter(({ key }) => key !== queue.shown);
      queue = next(queue, left);
    }
    assert.deepEqual(shown, ['a', 'b', 's', 'd']);
  });

  test('leaves what is shown where it is, though an older one comes', () => {
    const queue = next(EMPTY, [question('b', 3)]);
    assert.equal(next(queue, [question('a', 2), question('b', 3)]).shown, 'b');
  });

  test('puts off what the person puts off, and comes back to it', () => {
    const items = [question('a', 1), question('b', 2)];
    const later = putOff(next(EMPTY, items), items);
    assert.equal(later.shown, 'b');
    const none = putOff(later, items);
    assert.equal(none.shown, undefined);
    assert.equal(next(none, items).shown, undefined);
    assert.equal(next(none, [...items, question('c', 3)]).shown, 'c');
    assert.equal(comeBack(none, 'a').shown, 'a');
  });

  test('forgets what was put off once it is gone', () => {
    const items = [question('a', 1)];
    const none = putOff(next(EMPTY, items), items);
    assert.equal(next(none, []).later.size, 0);
  });
});
