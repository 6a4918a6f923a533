import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { countersign, startBrokerProcess, temporaryFolder } from './processes.ts';

test('a PIN and a link are listed, taken back by the start of their fingerprint, and let nobody come', async () => {
  await using folder = await temporaryFolder();
  await using broker = await startBrokerProcess(join(folder.path, 'broker'));
  try {
    const run = (who: string, ...words: string[]) =>
      countersign(join(folder.path, who), words, { env: { COUNTERSIGN_BROKER: broker.origin } });
    await run('alice', 'account', 'create', 'alice@example.com');
    assert.equal((await run('alice', 'device', 'invitations')).stdout, 'No PIN and no link stands.\n');
    const link = (await run('alice', 'device', 'link')).stdout.trim();
    const { pin } = JSON.parse(
      (await run('alice', 'device', 'pin', '--rights', 'answer', '--json')).stdout,
    ) as { pin: string };
    const { stdout } = await run('alice', 'device', 'invitations');
    assert.match(stdout, /link {2}lets devices wait for their code[\s\S]*PIN {3}lets one device in: answer/);
    const commands = [...stdout.matchAll(/→ countersign (.+)/g)].map(([, words]) => words!.split(' '));
    assert.equal(commands.length, 2);
    for (const words of commands) assert.equal((await run('alice', ...words)).status, 0);
    assert.equal((await run('alice', 'device', 'invitations', '--json')).stdout, '{"invitations":[]}\n');
    for (const words of [[link], ['alice@example.com', '--pin', pin]]) {
      const refused = await run('phone', 'device', 'request', ...words, '--json');
      assert.equal(refused.status, 3);
      assert.match(refused.stdout + refused.stderr, /pin-cancelled/);
    }
    const unknown = await run('alice', ...commands[0]!, '--json');
    assert.match(unknown.stdout + unknown.stderr, /pin-wrong/);
    assert.match((await run('alice', 'device', 'pending')).stdout, /A PIN that was taken back came/);
  } finally {
    await broker.stop();
  }
});
