import assert from 'node:assert/strict';
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { refused } from '../../core/test/refused.ts';
import { nodeNoise } from '../src/node/noise.ts';
import { SqliteStateStore } from '../src/node/sqlite-state-store.ts';
import { SealedStateStore } from '../src/sealed-state-store.ts';
import { MemoryStateStore, type StateStore } from '../src/state-store.ts';

/** What every state store must do. */
function conformance(
  name: string,
  open: () => Promise<{ store: StateStore; dispose(): Promise<void> }>,
): void {
  const withStore = async (work: (store: StateStore) => Promise<void>) => {
    const { store, dispose } = await open();
    try {
      await work(store);
    } finally {
      await dispose();
    }
  };

  describe(`the state store in ${name}`, () => {
    test('gives back what was put, by kind and key', () =>
      withStore(async (store) => {
        await store.update('a', 'x', () => ({ n: 1 }));
        await store.update('b', 'x', () => ({ n: 2 }));
        assert.deepEqual(await store.get('a', 'x'), { n: 1 });
        assert.equal(await store.get('a', 'y'), undefined);
        assert.deepEqual(await store.list('b'), [['x', { n: 2 }]]);
        await store.delete('a', 'x');
        assert.equal(await store.get('a', 'x'), undefined);
      }));

    test('counts every one of many changes at once', () =>
      withStore(async (store) => {
        await Promise.all(
          Array.from({ length: 50 }, () => store.update<number>('n', 'x', (old = 0) => old + 1)),
        );
        assert.equal(await store.get('n', 'x'), 50);
      }));

    test('keeps the old value where a change fails', () =>
      withStore(async (store) => {
        await store.update('n', 'x', () => 1);
        await assert.rejects(
          store.update('n', 'x', () => {
            throw new Error('no');
          }),
        );
        assert.equal(await store.get('n', 'x'), 1);
      }));

    test('gives values away, not its own', () =>
      withStore(async (store) => {
        await store.update('o', 'x', () => ({ list: [1] }));
        const value = await store.get<{ list: number[] }>('o', 'x');
        value!.list.push(2);
        assert.deepEqual(await store.get('o', 'x'), { list: [1] });
      }));
  });
}

conformance('memory', async () => ({ store: new MemoryStateStore(), dispose: async () => {} }));
conformance('memory, sealed', async () => ({
  store: new SealedStateStore(new MemoryStateStore(), nodeNoise, new Uint8Array(32)),
  dispose: async () => {},
}));
conformance('SQLite', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'countersign-state-'));
  const store = new SqliteStateStore(join(folder, 'state.db'));
  return {
    store,
    async dispose() {
      store.close();
      await rm(folder, { recursive: true });
    },
  };
});

test('two openings of one file agree, and nobody else may read it', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'countersign-state-'));
  const path = join(folder, 'state.db');
  const [one, two] = [new SqliteStateStore(path), new SqliteStateStore(path)];
  await one.update('n', 'x', () => 1);
  await two.update<number>('n', 'x', (old = 0) => old + 1);
  assert.equal(await one.get('n', 'x'), 2);
  assert.equal((await stat(path)).mode & 0o777, 0o600);
  one.close();
  two.close();
  await rm(folder, { recursive: true });
});

test('a sealed value opens with its key, in its place, and nowhere else', async () => {
  const inner = new MemoryStateStore();
  const sealed = new SealedStateStore(inner, nodeNoise, new Uint8Array(32));
  await sealed.update('kind', 'key', () => 'a secret');
  const value = await inner.get<{ sealed: string }>('kind', 'key');
  assert.ok(!JSON.stringify(value).includes('secret'));
  const other = new SealedStateStore(inner, nodeNoise, new Uint8Array(32).fill(1));
  await assert.rejects(other.get('kind', 'key'), refused('key-file-invalid'));
  await inner.update('kind', 'moved', () => value);
  await assert.rejects(sealed.get('kind', 'moved'), refused('key-file-invalid'));
  await inner.update('kind', 'short', () => ({ sealed: 'AAAA' }));
  await assert.rejects(sealed.get('kind', 'short'), refused('key-file-invalid'));
});
