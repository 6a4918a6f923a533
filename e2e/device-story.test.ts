/** The life of an account’s devices, contacts and recovery code at the command line, each step by its own program. */
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { type BrokerProcess, countersign, startBrokerProcess, temporaryFolder } from './processes.ts';

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let broker: BrokerProcess;

before(async () => {
  folder = await temporaryFolder();
  broker = await startBrokerProcess(join(folder.path, 'broker'));
});
after(async () => {
  await broker?.stop();
  await folder?.[Symbol.asyncDispose]();
});

function run(who: string, ...words: string[]) {
  return countersign(join(folder.path, who), words, { env: { COUNTERSIGN_BROKER: broker.origin } });
}

/** What a command says that must end well, or with another status. */
async function must(who: string, words: readonly string[], status = 0): Promise<string> {
  const done = await run(who, ...words);
  assert.equal(done.status, status, `${words.join(' ')}: ${done.stdout}${done.stderr}`);
  return done.stdout + (status === 0 ? '' : done.stderr);
}

async function json<T = Record<string, string>>(who: string, ...words: string[]): Promise<T> {
  return JSON.parse(await must(who, [...words, '--json'])) as T;
}

test('devices: rights, an epoch, new keys, frozen and thawed, and all of it in the log', async () => {
  await must('alice', ['account', 'create', 'alice@example.com', '--device', 'laptop']);
  const { pin } = await json('alice', 'device', 'pin');
  const asked = ['device', 'request', 'alice@example.com', '--pin', pin!, '--device', 'phone', '--no-wait'];
  const { kid } = await json('phone', ...asked);
  await must('alice', ['device', 'accept', kid!]);
  await must('phone', ['device', 'complete', '--wait']);

  assert.match(await must('alice', ['device', 'rights', kid!, 'ask,answer']), /phone may now: ask, answer/);
  assert.match(await must('alice', ['device', 'revoke', 'ZZZZ-ZZZZ'], 9), /device-unknown/);
  assert.match(await must('phone', ['device', 'rights', kid!, 'all'], 8), /device-not-entitled/);
  assert.match(await must('alice', ['device', 'epoch']), /Epoch 1 has begun/);
  assert.equal((await json('phone', 'device', 'rotate')).kid, kid);
  const { kid: next } = await json('phone', 'device', 'rotate', '--both');
  assert.notEqual(next, kid);
  await must('alice', ['device', 'lost', next!]);
  assert.match(await must('phone', ['confirm', 'pending'], 8), /device-frozen/);
  assert.match(await must('alice', ['account', 'log']), / {2}frozen +phone/);
  await must('alice', ['device', 'thaw', next!]);
  await must('phone', ['confirm', 'pending']);
  await must('alice', ['device', 'revoke', next!]);

  // Whoever has the used PIN comes again: the log view says so.
  await must('thief', asked, 3);
  const log = await must('alice', ['account', 'log']);
  const told = [
    /0 {2}20\S+ \S+ {2}the account is made, signed by laptop/,
    /phone is let in: .*, signed by laptop/,
    new RegExp(`phone \\(${kid!.slice(0, 9)}\\) may: ask, answer, signed by laptop`),
    /epoch 1 begins, signed by laptop/,
    /phone has new keys, signed by phone/,
    /phone has new keys, signed by phone/,
    /phone \(\S+\) is frozen, signed by laptop/,
    /phone \(\S+\) is thawed, signed by laptop/,
    /phone \(\S+\) is shown out: retired, signed by laptop/,
    /A PIN came a second time.*: once 20/,
  ];
  let at = 0;
  for (const line of told) {
    const found = log.slice(at).search(line);
    assert.notEqual(found, -1, `${line} does not follow in ${log}`);
    at += found + 1;
  }
  const { devices, notices } = await json<{
    devices: { name: string; state: string }[];
    notices: { kind: string }[];
  }>('alice', 'account', 'log');
  assert.deepEqual(
    devices.filter(({ state }) => state === 'active').map(({ name }) => name),
    ['laptop'],
  );
  assert.deepEqual(
    notices.map((notice) => notice.kind),
    ['pin-used'],
  );
});

test('with --json each thing is told as it happens, in a line of its own', async () => {
  await must('ella', ['account', 'create', 'ella@example.com']);
  const { link } = await json('ella', 'device', 'link');
  const first = Promise.withResolvers<string>();
  const asking = countersign(join(folder.path, 'tablet'), ['device', 'request', link!, '--json'], {
    onOutput: (text) => text.startsWith('{') && first.resolve(text),
  });
  const { kid, code } = JSON.parse(await first.promise) as { kid: string; code: string };
  await must('ella', ['device', 'accept', kid, '--code', code]);
  const asked = await asking;
  assert.equal(asked.status, 0, asked.stderr);
  assert.deepEqual(JSON.parse(asked.stdout.trimEnd().split('\n').at(-1)!), { outcome: 'complete' });

  await must('gate', ['account', 'create', 'gate@example.com']);
  await must('ella', ['contact', 'add', (await must('gate', ['account', 'show', '--link'])).trim()]);
  const posted = Promise.withResolvers<string>();
  const words = ['confirm', 'post', 'ella@example.com', 'Open the gate', '--wait', '--json'];
  const waiting = countersign(join(folder.path, 'gate'), words, {
    onOutput: (text) => text.startsWith('{') && posted.resolve(text),
  });
  await must('tablet', [
    'confirm',
    'reject',
    (JSON.parse(await posted.promise) as { id: string }).id,
    '--shown',
  ]);
  const { status, stdout } = await waiting;
  const outcomes = stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line).outcome as string | undefined);
  assert.deepEqual([status, outcomes], [1, [undefined, 'rejected']]);
});

test('contacts: listed, blocked, unblocked, removed; a pending question is shown', async () => {
  await must('carol', ['account', 'create', 'carol@example.com']);
  await must('shop', ['account', 'create', 'shop@example.com']);
  assert.match(await must('carol', ['contact', 'list']), /No contacts/);
  // A stranger is shown by what can be compared with its owner.
  const { fingerprint } = await json('shop', 'account', 'show');
  await must('shop', ['confirm', 'post', 'carol@example.com', 'May I ask?']);
  assert.ok((await must('carol', ['confirm', 'pending'])).includes(`fingerprint  ${fingerprint}`));
  await must('carol', ['contact', 'add', (await must('shop', ['account', 'show', '--link'])).trim()]);
  assert.match(await must('carol', ['contact', 'list']), /^may ask {2}shop@example\.com/);
  const { id } = await json('shop', 'confirm', 'post', 'carol@example.com', 'Log in to the shop');
  assert.match(await must('carol', ['confirm', 'show', id!]), /shop@example\.com asks:\s+Log in to the shop/);
  await must('carol', ['confirm', 'block', id!]);
  assert.match(await must('carol', ['contact', 'list']), /^blocked {2}shop@example\.com/);
  await must('shop', ['confirm', 'post', 'carol@example.com', 'Again'], 3);
  await must('carol', ['contact', 'unblock', 'shop@example.com']);
  assert.match(await must('carol', ['contact', 'list']), /No contacts/);
  await must('carol', ['contact', 'add', 'shop@example.com']);
  await must('carol', ['contact', 'remove', 'shop@example.com']);
  assert.match(await must('carol', ['contact', 'remove', 'shop@example.com'], 9), /contact-unknown/);
});

test('the recovery code: replaced, split, a device stopped by it, and the account got back', async () => {
  const { recoveryCode: first } = await json('dora', 'account', 'create', 'dora@example.com');
  const { recoveryCode } = await json('dora', 'account', 'recovery-code');
  assert.notEqual(recoveryCode, first);
  const file = join(folder.path, 'code');
  await writeFile(file, `${recoveryCode}\n`);
  const { shares } = await json<{ shares: string[] }>('dora', 'account', 'shares', '--code-file', file);
  const two = ['--share', shares[0]!, '--share', shares[2]!];

  const { devices } = await json<{ devices: { kid: string }[] }>('dora', 'account', 'log');
  const lost = ['device', 'lost', devices[0]!.kid, '--account', 'dora@example.com'];
  await writeFile(join(folder.path, 'old'), `${first}\n`);
  assert.match(
    await must('elsewhere', [...lost, '--code-file', join(folder.path, 'old')], 9),
    /recovery-invalid/,
  );
  await must('elsewhere', [...lost, ...two]);
  assert.match(await must('dora', ['confirm', 'pending'], 8), /device-frozen/);

  const recover = ['account', 'recover', 'dora@example.com', '--device', 'new', ...two];
  const { until } = await json<{ until: number }>('new', ...recover);
  assert.ok(until > Date.now() / 1000 + 2 * 86_400);
  assert.match(await must('new', ['account', 'recover', '--complete'], 9), /recovery-early/);
  assert.match(
    await must('dora', ['account', 'log']),
    /on probation +new .*new comes in by the recovery code/s,
  );
});
