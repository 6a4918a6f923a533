import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { MAX_RECORD_BYTES, parseValidatorRecord } from '@countersign/core/m-auth';
import { newPair } from '../../core/test/m-auth-world.ts';
import { refused } from '../../core/test/refused.ts';
import { nodeNoise, passphraseProtection, ValidatorFolder } from '../src/node/index.ts';

let root: string;
before(async () => {
  root = await mkdtemp(join(tmpdir(), 'countersign-validator-'));
});
after(() => rm(root, { recursive: true }));

const by = (passphrase: string) => passphraseProtection(async () => passphrase);
const place = (name: string) => new ValidatorFolder(join(root, name));

describe('a validator’s folder', () => {
  test('gives back what was kept, to whoever has the passphrase, and to nobody else', async () => {
    const { device } = await newPair();
    const folder = place('one');
    {
      using opened = await folder.open(nodeNoise, by('right'));
      const key = await opened.book.keys.create();
      const record = { ...device.record, key: Buffer.from(key.publicKey).toString('base64url') };
      await opened.book.add('server', record);
    }
    {
      using opened = await folder.open(nodeNoise, by('right'));
      const { record } = await opened.book.find('server');
      assert.deepEqual({ ...record, key: '' }, { ...device.record, key: '' });
      const key = await opened.book.keys.load(record.key);
      assert.equal(Buffer.from(key!.publicKey).toString('base64url'), record.key);
      const first = await opened.book.eraseMaster();
      assert.deepEqual(await opened.book.eraseMaster(), first);
    }
    await assert.rejects(folder.open(nodeNoise, by('wrong')), refused('passphrase-wrong'));
    for (const file of await readdir(join(root, 'one'))) {
      assert.equal((await stat(join(root, 'one', file))).mode & 0o077, 0, file);
      assert.ok(!(await readFile(join(root, 'one', file))).includes(device.record.ratchet), file);
    }
  });

  test('changes a record only where it may change, and one that is gone not at all', async () => {
    const { device } = await newPair();
    using opened = await place('two').open(nodeNoise, by('x'));
    const { book } = opened;
    await book.add('server', device.record);
    assert.equal(await book.update(device.record.id, () => undefined), false);
    assert.equal(await book.update(device.record.id, (one) => ({ ...one, step: 7 })), true);
    assert.equal((await book.find('server')).record.step, 7);
    await book.remove(await book.find('server'));
    assert.equal(await book.update(device.record.id, (one) => one), false);
    await assert.rejects(book.find('server'), refused('interface-unknown'));
  });

  test('takes no rules that make a pair more than 2 KB, however long its names are', async () => {
    const services = Array.from({ length: 12 }, (_, i) => `${'"'.repeat(15)}${i + 10}`);
    const { device } = await newPair(nodeNoise, { account: '"'.repeat(32), host: 'h'.repeat(128), services });
    using opened = await place('rules').open(nodeNoise, by('x'));
    const { book } = opened;
    const addresses = Array.from({ length: 4 }, (_, i) => `wss://${`${i}`.repeat(170)}.com`);
    const label = await book.checkLabel('ü'.repeat(64));
    await book.add(label, parseValidatorRecord({ ...device.record, addresses }));
    await assert.rejects(book.checkLabel('\u0001'.repeat(64)), refused('input-invalid'));
    await book.setRules(device.record.id, { otherwise: 'accept' });
    const many = { services, networks: Array(20).fill('192.0.2.0/24'), otherwise: 'ask' } as const;
    await assert.rejects(book.setRules(device.record.id, many), refused('input-invalid'));
    const pending = [device.record.id, device.record.id];
    await book.update(device.record.id, (one) => ({ ...one, step: Number.MAX_SAFE_INTEGER, pending }));
    const kept = await book.find(label);
    assert.deepEqual(kept.rules, { otherwise: 'accept' });
    assert.ok(Buffer.byteLength(JSON.stringify(kept)) <= MAX_RECORD_BYTES);
  });

  test('is wiped at once, without its passphrase', async (t) => {
    const { device } = await newPair();
    const folder = place('three');
    {
      using opened = await folder.open(nodeNoise, by('x'));
      for (let i = 0; i < 50; i++) {
        await opened.book.add(`server ${i}`, { ...device.record, id: nodeNoise.randomBytes(16).toString() });
      }
    }
    const began = performance.now();
    await folder.wipe([by('not the one')]);
    const took = performance.now() - began;
    t.diagnostic(`${Math.round(took)} ms for 50 records; a second is promised`);
    assert.ok(took < 1000);
    assert.deepEqual(await readdir(join(root, 'three')), []);
    assert.equal(folder.exists, false);
    await folder.wipe([]);
  });

  test('whose file is damaged does not open, and can be wiped', async () => {
    const folder = place('four');
    (await folder.open(nodeNoise, by('x')))[Symbol.dispose]();
    await writeFile(join(root, 'four', 'validator.json'), '{"countersign":"validator/1"}');
    await assert.rejects(folder.open(nodeNoise, by('x')), refused('key-file-invalid'));
    await folder.wipe([]);
    assert.deepEqual(await readdir(join(root, 'four')), []);
  });
});
