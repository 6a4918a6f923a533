/**
 * A device goes, and the account is asked on: the commands that somebody runs anyway look after its key.
 * @module
 */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import {
  type BrokerProcess,
  countersign,
  PASSPHRASE,
  startBrokerProcess,
  temporaryFolder,
} from './processes.ts';
import { until } from './until.ts';

const CLI = fileURLToPath(import.meta.resolve('../packages/cli/src/main.ts'));

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let broker: BrokerProcess;
before(async () => {
  folder = await temporaryFolder();
  broker = await startBrokerProcess(join(folder.path, 'broker'));
});
after(async () => {
  await broker.stop();
  await folder[Symbol.asyncDispose]();
});

const run = (who: string, words: string[], input?: string) =>
  countersign(join(folder.path, who), words, {
    env: { COUNTERSIGN_BROKER: broker.origin },
    ...(input === undefined ? {} : { input }),
  });

async function good(who: string, ...words: string[]): Promise<string> {
  const { status, stdout, stderr } = await run(who, words);
  assert.equal(status, 0, stderr);
  return stdout;
}

/** A device that may answer, and no more. @returns its fingerprint */
async function joins(who: string, by: string, account: string): Promise<string> {
  const { pin } = JSON.parse(await good(by, 'device', 'pin', '--rights', 'answer', '--json'));
  const asked = await good(who, 'device', 'request', account, '--pin', pin, '--no-wait', '--json');
  const kid = JSON.parse(asked).kid;
  await good(by, 'device', 'accept', kid);
  await good(who, 'device', 'complete');
  return kid;
}

const epoch = async (who: string) => JSON.parse(await good(who, 'device', 'list', '--json')).epoch;
const post = () => run('host', ['confirm', 'post', 'alice@example.com', 'Log in', '--json']);

test('a device goes by itself or is frozen by the code, and the next that runs makes a new key', {
  timeout: 600_000,
}, async () => {
  await good('laptop', 'account', 'create', 'alice@example.com');
  await good('host', 'account', 'create', 'host@example.com');
  const link = (await good('laptop', 'account', 'show', '--link')).trim();
  await good('host', 'contact', 'add', link);
  await good('laptop', 'contact', 'add', (await good('host', 'account', 'show', '--link')).trim());
  const phone = await joins('phone', 'laptop', 'alice@example.com');
  const tablet = await joins('tablet', 'laptop', 'alice@example.com');

  // Nobody runs anything on the laptop: the account can't be asked, and is told why.
  assert.match(await good('phone', 'device', 'revoke', phone), /can be asked again once/);
  const told = await post();
  assert.equal(told.status, 9);
  assert.match(told.stderr, /epoch-stale/);
  const elsewhere = await run('tablet', ['confirm', 'pending']);
  assert.match(elsewhere.stderr, /nobody can ask it anything until/);

  const env = { ...process.env, COUNTERSIGN_PASSPHRASE: PASSPHRASE };
  const words = [CLI, '--profile', join(folder.path, 'laptop'), 'watch', '--json'];
  const watch = spawn(process.execPath, words, { env, stdio: ['ignore', 'pipe', 'inherit'] });
  try {
    const lines = createInterface({ input: watch.stdout })[Symbol.asyncIterator]();
    const sight = async (what: (line: { sealable: boolean; requests: object[] }) => boolean) => {
      for (;;) {
        const { value = '' } = await lines.next();
        if (what(JSON.parse(value))) return;
      }
    };
    await sight(({ sealable }) => sealable);
    assert.equal(await epoch('laptop'), 1);
    assert.equal((await post()).status, 0);
    await sight(({ requests }) => requests.length === 1);

    // And while it runs.
    const code = JSON.parse(await good('laptop', 'account', 'recovery-code', '--json')).recoveryCode;
    const lost = await run(
      'elsewhere',
      ['device', 'lost', tablet, '--account', link, '--code-file', '-'],
      code,
    );
    assert.equal(lost.status, 0, lost.stderr);
    assert.match(lost.stdout, /can be asked again once/);
    await until(
      async () => (await epoch('laptop')) === 2,
      () => 'no new epoch',
    );
    assert.equal((await post()).status, 0);
    // The key that the list was begun with was changed meanwhile, and it reads on.
    await sight(({ requests }) => requests.length === 2);
  } finally {
    watch.kill('SIGINT');
    const [status] = await once(watch, 'exit');
    assert.equal(status, 0);
  }
});
