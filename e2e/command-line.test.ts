import assert from 'node:assert/strict';
import { cp, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { type BrokerProcess, countersign, startBrokerProcess, temporaryFolder } from './processes.ts';

const stack = new AsyncDisposableStack();
let folder: string;
let broker: BrokerProcess;
const run = (who: string, ...words: string[]) =>
  countersign(join(folder, who), words, { env: { COUNTERSIGN_BROKER: broker.origin } });

before(async () => {
  folder = stack.use(await temporaryFolder()).path;
  broker = await startBrokerProcess(join(folder, 'broker'));
  stack.defer(() => broker.stop());
  await run('alice', 'account', 'create', 'alice@example.com');
  await run('host', 'account', 'create', 'host@example.com');
  const link = async (who: string) => (await run(who, 'account', 'show', '--link')).stdout.trim();
  await run('alice', 'contact', 'add', await link('host'));
  await run('host', 'contact', 'add', await link('alice'), '--default');
});
after(() => stack.disposeAsync());

test('a new passphrase is typed twice, and never a third time', async () => {
  const made = await countersign(join(folder, 'typed'), ['account', 'create', 'typed@example.com'], {
    terminal: true,
    answers: ['correct horse', 'correct horse', 'never asked'],
    env: { COUNTERSIGN_BROKER: broker.origin, COUNTERSIGN_PASSPHRASE: undefined },
  });
  assert.equal(made.status, 0, made.stdout);
  assert.match(made.stdout, /recovery {5}\S/);
  assert.doesNotMatch(made.stdout, /correct horse/);
  assert.equal(made.stdout.match(/passphrase for the keys of [^:]*: /gi)?.length, 1, made.stdout);
});

for (const [what, key] of [
  ['the end of the input', '\u0004'],
  ['Ctrl-C', '\u0003'],
] as const) {
  test(`${what} at a prompt makes nothing, and is said so`, async () => {
    const left = await countersign(join(folder, 'left'), ['account', 'create', 'left@example.com'], {
      terminal: true,
      answers: [key],
      env: { COUNTERSIGN_BROKER: broker.origin, COUNTERSIGN_PASSPHRASE: undefined },
    });
    assert.equal(left.status, 64, left.stdout);
    assert.match(left.stdout, /nothing was typed/);
    assert.doesNotMatch(left.stdout, /unsettled|\n {4}at /);
  });
}

test('what the machine refuses is said in words, and is no failure of the program', async () => {
  const asked = await run('host', '--json', 'confirm', 'post', 'Machine');
  const { id } = JSON.parse(asked.stdout) as { id: string };
  const accepted = await run('alice', 'confirm', 'accept', id, '--shown');
  assert.equal(accepted.status, 0, accepted.stderr);
  const copy = async (who: string, file: string, content: string) => {
    await cp(join(folder, 'alice'), join(folder, who), { recursive: true });
    for (const more of ['state.db-wal', 'state.db-shm']) await rm(join(folder, who, more), { force: true });
    await writeFile(join(folder, who, file), content);
  };
  await copy('no-memory', 'state.db', 'no database. '.repeat(500));
  await copy('no-keys', 'keys.json', '{');
  await writeFile(join(folder, 'a-file'), '');
  const cases: [words: [string, ...string[]], code: string][] = [
    [['host', 'confirm', 'verify', id, '--out', join(folder, 'not/there.json')], 'storage-failed'],
    [['host', 'confirm', 'verify', id, '--out', folder], 'storage-failed'],
    [['host', 'confirm', 'post', '--srml', join(folder, 'none.xml')], 'storage-failed'],
    [['alice', 'confirm', 'history', '--receipt', id, '--out', folder], 'storage-failed'],
    [['a-file', 'account', 'create', 'bob@example.com'], 'storage-failed'],
    [['no-memory', 'confirm', 'pending'], 'storage-failed'],
    [['no-keys', 'confirm', 'pending'], 'key-file-invalid'],
  ];
  for (const [words, code] of cases) {
    const { status, stdout, stderr } = await run(...words);
    assert.equal(status, 9, `${words}: ${stderr}`);
    assert.equal(stdout, '');
    assert.match(stderr, new RegExp(`^countersign: .*\\(${code}\\)$`, 'm'));
    assert.doesNotMatch(stderr, /\n {4}at /);
  }
});

test('a lone slash behind -- is a text, and names nobody else to ask', async () => {
  const asked = await run('host', '--json', 'confirm', 'post', 'alice@example.com', '--', '/');
  assert.equal(asked.status, 0, asked.stderr);
  const { stdout } = await run('alice', '--json', 'confirm', 'pending');
  const { requests } = JSON.parse(stdout) as { requests: { question: { parts: { text: string }[] } }[] };
  assert.deepEqual(
    requests.map(({ question }) => question.parts[0]!.text),
    ['/'],
  );
});

test('a question from an SRML file goes to the default contact', async () => {
  const file = join(folder, 'question.xml');
  await writeFile(file, '<srml><h1>Open the gate</h1></srml>');
  const { status, stdout, stderr } = await run('host', 'confirm', 'post', '--srml', file);
  assert.equal(status, 0, stderr);
  assert.match(stdout, /Asked alice@example\.com/);
  assert.equal((await run('host', 'confirm', 'post')).status, 64);
  assert.equal((await run('host', 'confirm', 'post', '--expires=', 'Text')).status, 64);
});

test('a time that is too long is a slip of the hand, and no answer that is not good', async () => {
  for (const words of [
    ['confirm', 'post', '--expires', '20m', 'Text'],
    ['device', 'pin', '--expire', '30d'],
    ['account', 'recovery-code', '--undo', '1m'],
  ]) {
    const { status, stderr } = await run('host', ...words);
    assert.deepEqual([status, /malformed/.test(stderr)], [64, false], stderr);
  }
});

test('help is no failure behind the choice of a profile, and no yes behind a question', async () => {
  assert.equal((await run('host', '--profile', 'alice', 'confirm', 'post', '--help')).status, 0);
  assert.equal((await run('host', 'confirm', 'post', 'Text', '--wait', '--help')).status, 64);
});
