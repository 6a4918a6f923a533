/**
 * One record serves a host's login programs and its screen lock: paired once, used by both, disabled once.
 */
import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { HostRecords } from '../packages/gate/src/host/host-records.ts';
import { servePam } from '../packages/gate/src/pam/index.ts';
import { gateAuthenticator } from '../packages/gate/src/sign-on/pam-gate.ts';
import type { SignOn } from '../packages/gate/src/sign-on/sign-on.ts';
import { SystemInterface } from '../packages/gate/src/sign-on/system-interface.ts';
import { sodiumNoise } from '../packages/gate/src/sodium-noise.ts';
import { countersignGate } from './gate-processes.ts';
import { pairValidator, type TestValidator } from './gate-validator.ts';
import { createGateWorld } from './gate-world.ts';
import { type Host, SKIP } from './pam-host.ts';
import { startX } from './pam-servers.ts';
import { until } from './until.ts';

const HOST = 'desk7.example';

describe('a screen lock and a login program of one host', { skip: SKIP }, () => {
  const world = createGateWorld({ name: HOST, programs: true });
  /** Nobody but a person can read a passcode off a dialog of X: so it is taken from where it was drawn. */
  const opened: SignOn[] = [];
  let records: HostRecords;
  let gate: SystemInterface;
  let host: Host;
  let alice: TestValidator;
  let display: string;

  before(async () => {
    await world.ready();
    ({ host } = world);
    alice = await pairValidator(world.data, 'alice');
    records = new HostRecords(world.data);
    world.ends.defer(() => records.close());
    gate = new SystemInterface({
      records,
      demultiplexer: { path: world.demultiplexer.interfaces },
      host: HOST,
      noise: sodiumNoise,
      gateMs: 30_000,
    });
    world.ends.defer(() => gate.close());
    const listener = await servePam({
      socket: world.pam,
      monotonic: () => performance.now(),
      authenticate: gateAuthenticator({
        async open(user, door) {
          const signOn = await gate.open(user, door);
          opened.push(signOn);
          return signOn;
        },
      }),
      // The users are the host's, and this process is not in there.
      uidOf: async (user) => Number(host.run(['id', '-u', user]).output),
    });
    world.ends.use(listener);
    const line = world.line('mode=gate', 'timeout=60');
    for (const service of ['su', 'xscreensaver']) host.stack(service, line);
    display = await startX(host);
  });

  const by = (...words: string[]) => ['env', `DISPLAY=${display}`, 'HOME=/home/alice', ...words];
  const isLocked = () => /screen locked/.test(host.run(by('xscreensaver-command', '-time'), 'alice').output);

  async function nextPasscode(wake: () => void = () => {}): Promise<string> {
    await until(() => {
      if (opened.length === 0) wake();
      return opened.length > 0;
    });
    return opened.shift()!.passcode;
  }

  async function signOn(passcode: string, service: string): Promise<string> {
    const { end } = await alice.signOn(passcode, async ({ message }) => {
      assert.equal(message.context.service, service);
      assert.equal(message.context.host, HOST);
      return { answer: 'accept', by: 'person' };
    });
    return end.outcome;
  }

  async function su(): Promise<boolean> {
    const terminal = host.terminal(['su', 'alice', '-c', 'id -un'], 'bob');
    await signOn(await nextPasscode(), 'su');
    return (await terminal.ended()) === 0;
  }

  test('pair once, use both, disable once, both closed', async () => {
    assert.equal(records.pairsOf('alice').length, 1);
    assert.equal(await su(), true);

    host.serve(by('xscreensaver', '--no-splash'), 'alice').stderr?.resume();
    await until(() => /XScreenSaver/.test(host.run(by('xscreensaver-command', '-time'), 'alice').output));
    const lock = async () => {
      host.run(by('xscreensaver-command', '-lock'), 'alice');
      await until(isLocked);
    };
    const press = (key: string) => host.run(by('xdotool', 'key', key));
    const dialog = () => nextPasscode(() => press('shift'));

    await lock();
    assert.equal(await signOn(await dialog(), 'xscreensaver'), 'granted');
    await until(() => {
      press('Return');
      return !isLocked();
    });
    opened.length = 0;
    const [pair] = records.pairsOf('alice');
    assert.equal(pair?.step, 2);

    await countersignGate(world.data, ['disable', 'alice']);
    assert.equal(await su(), false);
    await lock();
    assert.equal(await signOn(await dialog(), 'xscreensaver'), 'not-recognised');
    for (let i = 0; i < 3; i++) {
      press('Return');
      await new Promise((resolve) => setTimeout(resolve, 500));
      assert.equal(isLocked(), true);
    }
    assert.equal(records.pairsOf('alice')[0]?.step, 2);
  });
});
