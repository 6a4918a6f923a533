/**
 * A device that is lost takes its validator's pairs with it: real programs, a broker, a demultiplexer, a host's daemon.
 */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { gateCommand } from './gate-processes.ts';
import { visitGate } from './gate-visitor.ts';
import { createGateWorld } from './gate-world.ts';
import { type BrokerProcess, countersign, startBrokerProcess } from './processes.ts';

const VALIDATOR = fileURLToPath(import.meta.resolve('@countersign/gate/validator'));
const ORIGIN = 'https://app.example';
const world = createGateWorld({ name: 'app.example' });
let broker: BrokerProcess;

before(async () => {
  await world.ready();
  broker = world.ends.use(await startBrokerProcess(world.at('broker')));
  await world.serve({ origin: ORIGIN });
});

/** What a person does on a device of theirs. */
async function on(device: string, words: readonly string[], status = 0): Promise<string> {
  const env = { COUNTERSIGN_BROKER: broker.origin, COUNTERSIGN_VALIDATOR: world.at(`${device}-v`) };
  const run = await countersign(world.at(device), words, { env });
  assert.equal(run.status, status, `${words.join(' ')}: ${run.stdout}${run.stderr}`);
  return run.stdout;
}

async function validator(words: readonly string[]) {
  const env = { COUNTERSIGN_VALIDATOR: world.at('phone-v') };
  return countersign('none', words, { program: VALIDATOR, env });
}

async function enrol(): Promise<void> {
  const child = gateCommand(world.data, ['enroll', 'alice', '--json']);
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const { link } = JSON.parse((await lines.next()).value ?? '{}');
  const added = await validator(['add', link, '--yes']);
  assert.equal(added.status, 0, added.stderr);
  assert.equal(JSON.parse((await lines.next()).value ?? '{}').outcome, 'paired');
}

/** Signs on with the phone. @returns whether it was let in */
async function signOn(): Promise<boolean> {
  await validator(['rules', 'alice@app.example', '--otherwise', 'accept']);
  const visit = await visitGate(`http://127.0.0.1:${world.gate.webPort}`, ORIGIN, 'alice');
  return (await validator(['sign-on', 'alice@app.example', visit.passcode])).status === 0;
}

const pairs = () => world.pairs('alice');

test('`device lost` on another device kills the pairs on the host, without a login', async () => {
  await on('laptop', ['account', 'create', 'alice@example.com']);
  const [, pin] = /\bPIN\s+([A-Z2-7-]{29})/.exec(
    await on('laptop', ['device', 'pin', '--rights', 'answer']),
  )!;
  const asked = await on('phone', [
    'device',
    'request',
    'alice@example.com',
    '--pin',
    pin!,
    '--no-wait',
    '--json',
  ]);
  const phone = JSON.parse(asked).kid ?? JSON.parse(asked).fingerprint;
  await on('laptop', ['device', 'accept', phone]);
  await on('phone', ['device', 'complete']);

  await enrol();
  assert.equal(await signOn(), true);
  assert.match(await on('phone', ['device', 'keep-validator']), /^Kept: 1\./);
  assert.match(await on('phone', ['device', 'keep-validator']), /^Nothing new/);
  // The broker has it, and can't read it.
  const { stdout } = await validator(['erase', '--show', 'alice@app.example', '--json']);
  const { erase } = JSON.parse(stdout) as { erase: string };
  const token = erase.split(':').at(-1)!;
  for (const name of ['broker.db', 'broker.db-wal']) {
    const stored = await readFile(join(world.at('broker'), name), 'latin1').catch(() => '');
    assert.ok(!stored.includes(token) && !stored.includes('app.example'));
  }
  assert.equal(await pairs(), 1);

  // A port that takes the connection is no host that has done it.
  await world.gate.stop();
  const early = JSON.parse(await on('laptop', ['device', 'lost', phone, '--json']));
  assert.deepEqual([early.frozen, early.erased, early.unconfirmed], [true, [], ['alice@app.example']]);
  assert.match(await on('laptop', ['device', 'lost', phone]), /alice@app.example has not confirmed/);
  assert.equal(await pairs(), 1);

  await world.serve({ origin: ORIGIN });
  const lost = JSON.parse(await on('laptop', ['device', 'lost', phone, '--json']));
  assert.deepEqual([lost.frozen, lost.erased, lost.unconfirmed], [true, ['alice@app.example'], []]);
  assert.equal(await pairs(), 0);
  assert.ok(world.gate.lines.some(({ event, user }) => event === 'erased' && user === 'alice'));
  assert.equal(await signOn(), false);
});

test('a host that does not answer is named, and is told when it is asked for again', async () => {
  // what a thief has still opens nothing at the account
  await on('phone', ['confirm', 'pending'], 8);
  await world.demultiplexer.stop();
  const devices = JSON.parse(await on('laptop', ['device', 'list', '--json'])).devices;
  const phone = devices.find(({ own }: { own: boolean }) => !own).kid;
  const lost = JSON.parse(await on('laptop', ['device', 'lost', phone, '--json']));
  assert.deepEqual([lost.erased, lost.unconfirmed], [[], ['alice@app.example']]);
});

test('what was frozen and is gone is out as lost, and so is a key that was rotated away before', async () => {
  const listed = async () => {
    const { devices } = JSON.parse(await on('laptop', ['device', 'list', '--all', '--json'])) as {
      devices: { kid: string; own: boolean; revokedAt?: { reason: string } }[];
    };
    return new Map(devices.map(({ kid, revokedAt }) => [kid, revokedAt?.reason]));
  };
  const [laptop, phone] = [...(await listed()).keys()] as [string, string];
  await on('laptop', ['device', 'revoke', phone]);
  assert.equal((await listed()).get(phone), 'lost');
  await on('laptop', ['device', 'rotate', '--both']);
  assert.equal((await listed()).get(laptop), 'rotated');
  assert.match(await on('laptop', ['device', 'lost', laptop]), /is out as lost/);
  const [old, , renewed] = [...(await listed()).values()];
  assert.deepEqual([old, renewed], ['lost', undefined]);
});
