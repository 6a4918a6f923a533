import assert from 'node:assert/strict';
import { chmod, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { exportPrivate, generateOpener, generateSigner, webCrypto } from '@countersign/core/webcrypto';
import type { DeviceKeys } from '../src/key-store.ts';
import { FileKeyStore } from '../src/node/file-key-store.ts';
import { passphraseProtection } from '../src/node/key-protection.ts';

const codeIs = (code: string) => (error: { code?: string }) => {
  assert.equal(error.code, code);
  return true;
};

let folder: string;
let serial = 0;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'countersign-keys-'));
});
after(() => rm(folder, { recursive: true }));

const store = (path: string, passphrase: string) =>
  new FileKeyStore(
    path,
    passphraseProtection(async () => passphrase),
  );

async function newKeys(algorithm: 'EdDSA' | 'ES256'): Promise<DeviceKeys> {
  const signer = await generateSigner(algorithm, { extractable: true });
  const opener = await generateOpener({ extractable: true });
  return { name: 'alice@example.com', identity: 'x', broker: 'http://127.0.0.1:1', signer, opener };
}

async function saved(algorithm: 'EdDSA' | 'ES256' = 'EdDSA') {
  const path = join(folder, `${++serial}.json`);
  const keys = await newKeys(algorithm);
  await store(path, 'right').save(keys);
  return { path, keys };
}

describe('a key file', () => {
  for (const algorithm of ['EdDSA', 'ES256'] as const) {
    test(`opens with its passphrase, and the ${algorithm} keys are the same, and leave no more`, async () => {
      const { path, keys } = await saved(algorithm);
      const loaded = (await store(path, 'right').load())!;
      assert.deepEqual(loaded.signer.publicKey, keys.signer.publicKey);
      const data = webCrypto.randomBytes(20);
      assert.ok(await webCrypto.verify(keys.signer.publicKey, data, await loaded.signer.sign(data)));
      const [info, aad] = [new Uint8Array(1), new Uint8Array(2)];
      const box = await webCrypto.seal(keys.opener.publicKey, data, info, aad);
      assert.deepEqual(await loaded.opener.open(box, info, aad), data);
      await assert.rejects(exportPrivate(loaded.signer), codeIs('key-invalid'));
      await assert.rejects(exportPrivate(loaded.opener), codeIs('key-invalid'));
    });
  }

  test('does not open with another passphrase', async () => {
    const { path } = await saved();
    await assert.rejects(store(path, 'wrong').load(), codeIs('passphrase-wrong'));
  });

  test('holds no private key in clear, and is for its owner only', async () => {
    const { path, keys } = await saved();
    const text = await readFile(path, 'utf8');
    for (const key of [keys.signer, keys.opener]) assert.ok(!text.includes((await exportPrivate(key)).d!));
    assert.equal((await stat(path)).mode & 0o777, 0o600);
  });

  test('is never written over, and leaves nothing half-made behind', async () => {
    const { path } = await saved();
    const before = await readFile(path, 'utf8');
    await assert.rejects(store(path, 'other').save(await newKeys('EdDSA')), codeIs('profile-exists'));
    assert.equal(await readFile(path, 'utf8'), before);
    assert.deepEqual(
      (await readdir(folder)).filter((name) => name.endsWith('.new')),
      [],
    );
  });

  test('that others may read, as after a copy, is its owner’s again once it is opened', async () => {
    const { path } = await saved();
    await chmod(path, 0o644);
    await store(path, 'right').load();
    assert.equal((await stat(path)).mode & 0o777, 0o600);
  });

  test('that is damaged says so', async () => {
    const { path } = await saved();
    const file = JSON.parse(await readFile(path, 'utf8'));
    for (const damage of [{ keys: 7 }, { countersign: 'keys/9' }, { protection: { kdf: 'md5' } }]) {
      await writeFile(path, JSON.stringify({ ...file, ...damage }));
      await assert.rejects(store(path, 'right').load(), codeIs('key-file-invalid'));
    }
    await writeFile(path, 'not JSON');
    await assert.rejects(store(path, 'right').load(), codeIs('key-file-invalid'));
  });

  test('says whose keys it has without a passphrase, and is refused where that is not true', async () => {
    const { path } = await saved();
    assert.equal((await store(path, 'wrong').account())?.name, 'alice@example.com');
    const file = JSON.parse(await readFile(path, 'utf8'));
    await writeFile(
      path,
      JSON.stringify({ ...file, account: { ...file.account, name: 'mallet@example.com' } }),
    );
    await assert.rejects(store(path, 'right').load(), codeIs('key-file-invalid'));
  });

  test('that is not there is no keys, and no error', async () => {
    assert.equal(await store(join(folder, 'absent.json'), 'x').load(), undefined);
  });
});
