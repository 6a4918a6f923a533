/**
 * A screen lock that shows nothing, whole: i3lock under Xvfb, as its user, with the host's daemon beside it. Its person
 * answers by the command line, or types a code from paper where the password goes.
 */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { before, describe, test } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { type AskedOfPeople, fieldsOf, type GatePeople } from './gate-people.ts';
import { createGateWorld } from './gate-world.ts';
import { type Host, SKIP, type Terminal } from './pam-host.ts';
import { startX } from './pam-servers.ts';
import { PASSPHRASE } from './processes.ts';
import { until } from './until.ts';

/** From a locker's window to its hold on the keyboard, in ms. */
const SETTLES_MS = 500;
const AGAIN_MS = 20_000;
const DAEMON = fileURLToPath(import.meta.resolve('../packages/gate/src/host/main.ts'));

describe('i3lock in push mode', { skip: SKIP }, () => {
  const world = createGateWorld({ programs: true, people: ['alice'] });
  let people: GatePeople;
  let host: Host;
  let display: string;
  let code: string;

  before(async () => {
    await world.ready();
    ({ people, host } = world);
    await world.command('configure', '--host', 'desk7.example', '--address', 'desk7.example:8475');
    await world.command('account', 'alice', 'alice@example.com');
    [code] = (await world.codes('alice', 1)) as [string];
    host.stack('i3lock', world.line('mode=push', 'timeout=120'));
    // On the host itself, which knows its users: a locker asks as one of them.
    const words = ['serve', '--data', world.data, '--pam', world.pam, '--account', world.at('host')];
    host
      .serve(['env', `COUNTERSIGN_PASSPHRASE=${PASSPHRASE}`, process.execPath, DAEMON, ...words])
      .stderr?.resume();
    await until(() => existsSync(world.pam));
    display = await startX(host);
  });

  const pending = async () => (await people.pending('alice'))[0];
  const keys = (...words: string[]) => host.run(['env', `DISPLAY=${display}`, 'xdotool', ...words]);

  /**
   * Locks the screen, and presses Enter. Each Enter that it hears asks the person, who is asked four times a minute and
   * no more: another one is pressed only where the first one came before it held the keyboard.
   */
  async function lock(): Promise<{ locker: Terminal; question: AskedOfPeople; locked(): boolean }> {
    const locker = host.terminal(['i3lock', '--nofork'], 'alice', { DISPLAY: display });
    let over = false;
    locker.ended().then(() => {
      over = true;
    });
    await until(() => /^\d+$/m.test(keys('search', '--onlyvisible', '--class', 'i3lock').output));
    let pressed = Number.NEGATIVE_INFINITY;
    const question = await until(async () => {
      if (performance.now() - pressed > AGAIN_MS) {
        await setTimeout(SETTLES_MS);
        keys('key', 'Return');
        pressed = performance.now();
      }
      return pending();
    });
    return { locker, question, locked: () => !over };
  }

  test('an Enter asks its person, without digits, since they could be shown nowhere; their yes opens it', async () => {
    const { locker, question } = await lock();
    const fields = fieldsOf(question);
    assert.deepEqual(
      [fields.Host, fields.Service, fields.User, question.question.passcode],
      ['desk7.example', 'i3lock', 'alice', undefined],
    );
    await people.answer('alice', 'accept', question);
    assert.equal(await locker.ended(), 0);
  });

  test('their no leaves it locked, and a code from paper opens where the password goes', async () => {
    const { locker, question, locked } = await lock();
    await people.answer('alice', 'reject', question);
    keys('type', code);
    // What the Enters from before have asked for is answered by no, and the code comes after them.
    keys('key', 'Return');
    await until(async () => {
      const more = locked() ? await pending() : undefined;
      // One may end with its attempt before it is answered.
      if (more !== undefined) await people.answer('alice', 'reject', more).catch(() => {});
      return !locked();
    });
    assert.equal(await locker.ended(), 0);
  });
});
