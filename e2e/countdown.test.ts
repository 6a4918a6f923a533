/** What is left is shown while somebody waits in a terminal, and to nobody else. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { stripVTControlCharacters } from 'node:util';
import { GatePeople } from './gate-people.ts';
import { type BrokerProcess, countersign, startBrokerProcess, temporaryFolder } from './processes.ts';
import { until } from './until.ts';

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let broker: BrokerProcess;
let people: GatePeople;

before(async () => {
  folder = await temporaryFolder();
  broker = await startBrokerProcess(join(folder.path, 'broker'));
  people = await GatePeople.meet(folder.path, broker.origin, ['alice']);
});
after(async () => {
  await broker?.stop();
  await folder?.[Symbol.asyncDispose]();
});

const accept = async () => people.answer('alice', 'accept', await people.asked('alice'));

/** Waits in a terminal until the time has been seen to go, has the person accept, and gives back the last screen. */
async function waitInTerminal(words: readonly string[]): Promise<string> {
  let screen = '';
  const waiting = countersign(join(folder.path, 'host'), words, {
    env: { COUNTERSIGN_BROKER: broker.origin },
    terminal: true,
    onOutput(text) {
      screen += text;
    },
  });
  const lefts = () =>
    [
      ...stripVTControlCharacters(screen).matchAll(/Waiting for alice@example\.com: (\d+) s left \(Ctrl-C/g),
    ].map(([, seconds]) => Number(seconds));
  await until(
    () => new Set(lefts()).size >= 3,
    () => `no countdown: ${screen}`,
  );
  const seen = lefts();
  assert.deepEqual(
    seen,
    seen.toSorted((a, b) => b - a),
  );
  assert.ok(seen[0]! <= 90 && seen[0]! > 60, String(seen));
  await accept();
  assert.equal((await waiting).status, 0);
  return screen;
}

/** What stands below the last line that was wiped away. */
const ending = (screen: string) => stripVTControlCharacters(screen.slice(screen.lastIndexOf('\u001b[2K')));

test('a question that is waited for: the seconds go down, and leave no line behind', async () => {
  const screen = await waitInTerminal([
    ...['confirm', 'post', 'alice@example.com', 'Log in?', '--expires', '90s', '--wait'],
  ]);
  assert.match(ending(screen), /^\s*accepted\n\s+signed by /);
});

test('one that is waited for later: the same', async () => {
  const id = JSON.parse(
    await people.says(
      'host',
      'confirm',
      'post',
      'alice@example.com',
      'Log in?',
      '--expires',
      '90s',
      '--json',
    ),
  ).id;
  const screen = await waitInTerminal(['confirm', 'status', id, '--wait']);
  assert.match(ending(screen), /^\s*accepted\n\s+signed by /);
});

test('where nobody looks, nothing is counted', async () => {
  const asked = people.run('host', 'confirm', 'post', 'alice@example.com', 'Log in?', '--wait');
  await accept();
  const { status, stdout, stderr } = await asked;
  assert.equal(status, 0);
  assert.doesNotMatch(stdout + stderr, /Waiting for|left/);
});

test('a broker that is away for a while is waited for, however the waiting began', async () => {
  const words = ['confirm', 'post', 'alice@example.com', 'Log in?', '--expires', '2m', '--json'];
  const { id } = JSON.parse(await people.says('host', ...words));
  const port = Number(new URL(broker.local).port);
  await broker.stop();
  const waiting = people.run('host', 'confirm', 'status', id, '--wait');
  const early = await Promise.race([waiting, setTimeout(4000, 'it waits')]);
  assert.equal(early, 'it waits');
  broker = await startBrokerProcess(broker.data, { port });
  await accept();
  const { status, stdout, stderr } = await waiting;
  assert.equal(status, 0, stderr);
  assert.match(stdout, /^accepted/);
});
