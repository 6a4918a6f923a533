import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { PendingRequest } from '@countersign/client';
import { answerable, chosenRequest, EMPTY, GUARD_MS, move, withRequests } from '../src/watch-list.ts';

const request = (hash: string, askedAt: number) => ({ hash, id: hash, askedAt }) as PendingRequest;
const [one, two, three] = [request('one', 1), request('two', 2), request('three', 3)];

describe('the live list', () => {
  test('shows the oldest first, and keeps what is chosen while it is there', () => {
    let list = withRequests(EMPTY, [two, one], 0);
    assert.deepEqual(
      list.requests.map(({ hash }) => hash),
      ['one', 'two'],
    );
    assert.equal(chosenRequest(list), one);
    list = move(list, 1, 0);
    list = withRequests(list, [three, one, two], 0);
    assert.equal(chosenRequest(list), two);
    list = withRequests(list, [three, one], 0);
    assert.equal(chosenRequest(list), one);
    assert.equal(chosenRequest(withRequests(list, [], 0)), undefined);
  });

  test('a key answers nothing right after another question took the place of the one that was read', () => {
    const shown = withRequests(EMPTY, [one, two], 0);
    assert.equal(answerable(shown, GUARD_MS - 1), undefined);
    assert.equal(answerable(shown, GUARD_MS), one);
    const later = 10_000;
    const elsewhere = withRequests(shown, [two], later);
    assert.equal(answerable(elsewhere, later + 100), undefined);
    assert.equal(answerable(elsewhere, later + GUARD_MS), two);
    assert.equal(answerable(move(shown, 1, later), later + 100), undefined);
  });

  test('a further question does not take keys away from the one that is read', () => {
    const shown = withRequests(EMPTY, [one], 0);
    assert.equal(answerable(withRequests(shown, [one, two], 5000), 5000), one);
  });

  test('does not move past its ends', () => {
    const list = withRequests(EMPTY, [one, two], 0);
    assert.equal(move(list, -1, 0), list);
    assert.equal(chosenRequest(move(move(list, 1, 0), 1, 0)), two);
  });
});
