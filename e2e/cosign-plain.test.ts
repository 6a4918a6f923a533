import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { copyFile, mkdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { formatWif } from '../packages/graphene/src/index.ts';
import { createCosignScene } from './cosign-scene.ts';
import { temporaryFolder } from './processes.ts';

const { world, enrolled } = createCosignScene();
const run = promisify(execFile);
const path = (relative: string) => fileURLToPath(new URL(relative, import.meta.url));

/** A wallet's script in a folder where `bitsharesjs` can be imported, and no package of ours. */
async function installed(script: string) {
  const folder = await temporaryFolder();
  await mkdir(join(folder.path, 'node_modules'));
  for (const name of ['bitsharesjs', 'bitsharesjs-ws']) {
    await symlink(path(`../node_modules/${name}`), join(folder.path, 'node_modules', name));
  }
  const file = join(folder.path, script);
  await copyFile(path(`cosign/${script}`), file);
  return {
    run: (words: readonly string[]) => run(process.execPath, [file, ...words]),
    folder: folder.path,
    [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose](),
  };
}

test('where the plain scripts run there is no package of ours', async () => {
  await using wallet = await installed('plain-wallet.mjs');
  const probe = join(wallet.folder, 'probe.mjs');
  for (const [name, found] of [
    ['bitsharesjs', true],
    ['@countersign/graphene', false],
    ['@countersign/core', false],
  ] as const) {
    await writeFile(probe, `await import('${name}');`);
    const done = run(process.execPath, [probe]).then(
      () => true,
      ({ stderr }: { stderr: string }) => {
        assert.match(stderr, /ERR_MODULE_NOT_FOUND/);
        return false;
      },
    );
    assert.equal(await done, found, name);
  }
});

test('a plain script over bitsharesjs gets its second signature by HTTP alone', async () => {
  const { provider, alice, bob } = await enrolled();
  await using wallet = await installed('plain-wallet.mjs');
  const key = formatWif(alice.keys.active);
  const words = [world.node, alice.name, bob.name, '77', '--provider', provider.origin, key];
  const before = await world.balance(bob.id);
  const [{ stdout }] = await Promise.all([wallet.run(words), world.answer(alice.party, 'accept')]);
  assert.match(stdout, /^executed in block \d+\n$/);
  assert.equal(await world.balance(bob.id), before + 77n);
});

test('a plain script over bitsharesjs that knows no provider pays by a proposal', async () => {
  const { alice, bob } = await enrolled();
  const reference = await world.member('reference');
  await using wallet = await installed('plain-proposal.mjs');
  const before = await world.balance(bob.id);
  const [{ stdout }, question] = await Promise.all([
    wallet.run([
      world.node,
      reference.name,
      formatWif(reference.keys.active),
      alice.name,
      formatWif(alice.keys.active),
      bob.name,
      '78',
    ]),
    world.answer(alice.party, 'accept'),
  ]);
  assert.match(JSON.stringify(question.parts), /Approve a proposal for alice\d+.*Transfer 0\.00078 TEST/);
  assert.match(stdout, /^proposed as 1\.10\.\d+\napproved by the key of alice\d+\nexecuted by the chain\n$/);
  assert.equal(await world.balance(bob.id), before + 78n);
});
