import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { leafHash, parseBundle, parseTreeHead, parseTreeLeaf } from '@countersign/core';
import { webCrypto } from '@countersign/core/webcrypto';
import { createWorld } from './world.ts';

const world = createWorld();
const get = (path: string, headers: Record<string, string> = { 'accept-encoding': 'identity' }) =>
  fetch(`${world.home.origin}/tlog/${path}`, { headers });

describe('the tree over HTTP', () => {
  before(async () => {
    for (const name of ['alice', 'bob', 'carol']) await world.party(name);
  });

  test('has a head that nobody keeps, as text', async () => {
    const answer = await get('checkpoint');
    assert.equal(answer.status, 200);
    assert.equal(answer.headers.get('content-type'), 'text/plain; charset=utf-8');
    assert.equal(answer.headers.get('cache-control'), 'no-store');
    const { size, origin } = parseTreeHead(await answer.text());
    assert.ok(size <= 3);
    assert.equal(`http://${origin}`, world.home.origin);
  });

  test('has tiles that may be kept for good, as bytes', async () => {
    const [tile, entries] = [await get('tile/0/000.p/3'), await get('tile/entries/000.p/3')];
    for (const answer of [tile, entries]) {
      assert.equal(answer.status, 200);
      assert.equal(answer.headers.get('content-type'), 'application/octet-stream');
      assert.equal(answer.headers.get('cache-control'), 'public, max-age=31536000, immutable');
    }
    const hashes = new Uint8Array(await tile.arrayBuffer());
    const leaves = parseBundle(new Uint8Array(await entries.arrayBuffer()));
    assert.equal(hashes.length, 3 * 32);
    assert.deepEqual(
      leaves.map((leaf) => parseTreeLeaf(leaf).name.replace(/\d.*/, '')),
      ['alice', 'bob', 'carol'],
    );
    for (const [i, leaf] of leaves.entries()) {
      assert.deepEqual(hashes.slice(i * 32, (i + 1) * 32), await leafHash(webCrypto, leaf));
    }
  });

  test('has entries compressed for whoever takes that', async () => {
    const plain = await get('tile/entries/000.p/3');
    const small = await get('tile/entries/000.p/3', { 'accept-encoding': 'br, gzip' });
    assert.equal(plain.headers.get('content-encoding'), null);
    assert.equal(small.headers.get('content-encoding'), 'gzip');
    assert.equal(small.headers.get('vary'), 'accept-encoding');
    assert.deepEqual(await small.arrayBuffer(), await plain.arrayBuffer());
  });

  for (const path of [
    'tile/0/000',
    'tile/0/000.p/4',
    'tile/0/000.p/0',
    'tile/0/000.p/03',
    'tile/0/000.p/256',
    'tile/0/000.p/-1',
    'tile/0/001.p/1',
    'tile/0/0',
    'tile/0/x000/000.p/1',
    'tile/0/999999',
    'tile/0/x999/x999/x999/x999/999.p/1',
    'tile/1/000.p/1',
    'tile/63/000.p/1',
    'tile/64/000.p/1',
    'tile/00/000.p/1',
    'tile/-1/000.p/1',
    'tile/entries/000',
    'tile/entries/000.p/4',
    'tile/data/000.p/1',
    'tile/8/0/000.p/1',
    'tile/',
  ]) {
    test(`has no ${path}`, async () => {
      const answer = await get(path);
      assert.equal(answer.status, 404);
      assert.equal(((await answer.json()) as { code: string }).code, 'route-unknown');
    });
  }

  test('has no proof of sizes that it never had, or backwards', async () => {
    for (const query of [
      'from=2&to=1',
      'from=1&to=4',
      'from=-1&to=1',
      'from=1',
      'from=1&to=2&x=1',
      'from=1.5&to=2',
    ]) {
      const answer = await get(`proof?${query}`);
      assert.equal(answer.status, 400, query);
      assert.equal(((await answer.json()) as { code: string }).code, 'input-invalid');
    }
    assert.deepEqual(await (await get('proof?from=0&to=3')).json(), { consistency: [] });
    assert.deepEqual(await (await get('proof?from=3&to=3')).json(), { consistency: [] });
  });
});
