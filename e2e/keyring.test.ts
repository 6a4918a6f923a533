import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import {
  type BrokerProcess,
  countersign,
  type Finished,
  startBrokerProcess,
  temporaryFolder,
} from './processes.ts';
import { headless, type Session, startSession } from './secret-service.ts';

const stack = new AsyncDisposableStack();
let folder: string;
let broker: BrokerProcess;
let session: Session;

before(async () => {
  folder = stack.use(await temporaryFolder()).path;
  session = stack.use(await startSession(join(folder, 'home')));
  broker = await startBrokerProcess(join(folder, 'broker'));
  stack.defer(() => broker.stop());
});
after(() => stack.disposeAsync());

const profile = (who: string) => join(folder, who);
const keyFile = (who: string) => join(profile(who), 'keys.json');

/** Runs in a session's environment, with nobody to ask for a passphrase. */
function run(env: NodeJS.ProcessEnv, who: string, ...words: string[]): Promise<Finished> {
  return countersign(profile(who), words, {
    env: { COUNTERSIGN_BROKER: broker.origin, COUNTERSIGN_PASSPHRASE: undefined, ...env },
  });
}

async function good(env: NodeJS.ProcessEnv, who: string, ...words: string[]): Promise<string> {
  const { status, stdout, stderr } = await run(env, who, ...words);
  assert.equal(status, 0, stderr);
  return stdout;
}

async function makeWithKeyring(who: string): Promise<{ entry: string; text: string }> {
  await good(session.env, who, 'account', 'create', `${who}@example.com`, '--protect', 'keyring');
  const text = await readFile(keyFile(who), 'utf8');
  const { protection } = JSON.parse(text) as { protection: { keyring: string } };
  return { entry: protection.keyring, text };
}

/** Looks into a session's keyring, by a program of that session. */
function inKeyring<T>({ env }: Session, expression: string): T {
  const code = `import { Entry, findCredentials } from '@napi-rs/keyring';
    const entry = (name) => new Entry('countersign', name, { linux: { store: 'secret-service' } });
    console.log(JSON.stringify(${expression}) ?? 'null');`;
  const out = execFileSync(process.execPath, ['--input-type=module', '-e', code], {
    cwd: new URL('../packages/client', import.meta.url),
    env: { ...process.env, ...env },
    encoding: 'utf8',
  });
  return JSON.parse(out) as T;
}

/** Names of all our entries in the session's keyring. */
const entries = () =>
  inKeyring<string[]>(session, `findCredentials('countersign').map(({ account }) => account).sort()`);

test('keys under the keyring’s protection ask and answer without a passphrase, and their file has no key', async () => {
  const { entry, text } = await makeWithKeyring('alice');
  const { env } = session;
  const key = Buffer.from(inKeyring<number[]>(session, `entry(${JSON.stringify(entry)}).getSecret()`));
  assert.equal(key.length, 32);
  for (const form of ['base64url', 'base64', 'hex'] as const) assert.ok(!text.includes(key.toString(form)));
  assert.deepEqual(Object.keys((JSON.parse(text) as { protection: object }).protection), ['keyring']);

  await makeWithKeyring('host');
  const link = (await good(env, 'host', 'account', 'show', '--link')).trim();
  await good(env, 'alice', 'contact', 'add', link);
  const asked = JSON.parse(
    await good(env, 'host', 'confirm', 'post', 'alice@example.com', 'Log in', '--json'),
  ) as { id: string; hash: string };
  await good(env, 'alice', 'confirm', 'accept', asked.id, '--hash', asked.hash);
  assert.match(await good(env, 'host', 'confirm', 'verify', asked.id), /^accepted/);

  const strict = JSON.parse(
    await good(env, 'host', 'confirm', 'post', 'alice@example.com', 'Pay', '--uv', '--json'),
  ) as { id: string; hash: string };
  const { stderr } = await run(env, 'alice', 'confirm', 'accept', strict.id, '--hash', strict.hash);
  assert.match(stderr, /\(verification-missing\)/, 'the keyring proves nobody’s presence');
});

test('in a session whose keyring lacks the entry the keys stay shut, and it says so', async () => {
  await makeWithKeyring('carol');
  await using elsewhere = await startSession(join(folder, 'elsewhere'));
  const { status, stderr } = await run(elsewhere.env, 'carol', 'confirm', 'pending');
  assert.equal(status, 9);
  assert.match(stderr, /\(keyring-entry-missing\)\nhint: /);
  await good(session.env, 'carol', 'confirm', 'pending');
});

test('while the keyring is locked, and nobody can unlock it, it says so', async () => {
  await makeWithKeyring('bob');
  await using locked = await startSession(session.home, { unlocked: false });
  const { status, stderr } = await run(locked.env, 'bob', 'confirm', 'pending');
  assert.equal(status, 9);
  assert.match(stderr, /\(keyring-unavailable\)/);
});

test('another key in the entry does not open the file', async () => {
  const { entry } = await makeWithKeyring('dave');
  inKeyring(session, `entry(${JSON.stringify(entry)}).setSecret(new Uint8Array(32))`);
  const { status, stderr } = await run(session.env, 'dave', 'confirm', 'pending');
  assert.equal(status, 9);
  assert.match(stderr, /\(key-file-invalid\)/);
});

test('where no keyring answers nothing is made, here or at the broker', async () => {
  const env = headless(join(folder, 'server'));
  const refused = await run(env, 'erin', 'account', 'create', 'erin@example.com', '--protect', 'keyring');
  assert.equal(refused.status, 9);
  assert.match(refused.stderr, /\(keyring-unavailable\)\nhint: .*--protect passphrase/);
  assert.equal(existsSync(keyFile('erin')), false);
  const passphrase = { ...env, COUNTERSIGN_PASSPHRASE: 'only for this test' };
  await good(passphrase, 'erin', 'account', 'create', 'erin@example.com');
  await good(passphrase, 'erin', 'confirm', 'pending');
});

test('where the keyring’s package is not installed it says so, and passphrases work', async () => {
  const hook = `import { registerHooks } from 'node:module';
    registerHooks({ resolve(specifier, context, next) {
      if (specifier === '@napi-rs/keyring') throw new Error('not installed');
      return next(specifier, context);
    } });`;
  const env = { ...session.env, NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(hook)}` };
  const refused = await run(env, 'frank', 'account', 'create', 'frank@example.com', '--protect', 'keyring');
  assert.equal(refused.status, 9);
  assert.match(refused.stderr, /\(keyring-unavailable\)/);
  const passphrase = { ...env, COUNTERSIGN_PASSPHRASE: 'only for this test' };
  await good(passphrase, 'frank', 'account', 'create', 'frank@example.com');
});

test('an account that the broker refuses leaves no entry in the keyring, and takes nobody else’s', async () => {
  const { env } = session;
  const made = await makeWithKeyring('grace');
  const before = entries();
  const { status } = await run(
    env,
    'grace-again',
    'account',
    'create',
    'grace@example.com',
    '--protect',
    'keyring',
  );
  assert.equal(status, 9);
  assert.equal(existsSync(keyFile('grace-again')), false);
  assert.deepEqual(entries(), before);
  assert.ok(before.includes(made.entry));
});

test('a profile that has keys already keeps them, and the keyring gets no entry', async () => {
  await makeWithKeyring('heidi');
  const before = entries();
  const text = await readFile(keyFile('heidi'), 'utf8');
  const { status, stderr } = await run(
    session.env,
    'heidi',
    'account',
    'create',
    'heidi2@example.com',
    '--protect',
    'keyring',
  );
  assert.equal(status, 9);
  assert.match(stderr, /\(profile-exists\)/);
  assert.equal(await readFile(keyFile('heidi'), 'utf8'), text);
  assert.deepEqual(entries(), before);
});

test('a file that is sealed in no known way is refused', async () => {
  const { text } = await makeWithKeyring('ivan');
  await writeFile(keyFile('ivan'), JSON.stringify({ ...JSON.parse(text), protection: { tpm: 'x' } }));
  const { stderr } = await run(session.env, 'ivan', 'confirm', 'pending');
  assert.match(stderr, /\(key-file-invalid\)/);
});
