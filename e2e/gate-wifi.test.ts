/**
 * Passphrases of a wireless network for those who pass: the host's daemon, the demultiplexer and Debian's hostapd as
 * processes. There is no wireless device here (`driver=none`): hostapd runs, reads its `wpa_psk_file` when it is told to
 * and says whether it takes it; no station was connected.
 */
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { before, describe, test } from 'node:test';
import { countersignGate } from './gate-processes.ts';
import { pairValidator, type TestValidator } from './gate-validator.ts';
import { visitGate } from './gate-visitor.ts';
import { createGateWorld } from './gate-world.ts';
import { until } from './until.ts';

const SKIP =
  process.platform === 'linux' && process.getuid?.() === 0 ? false : 'hostapd runs as root, on Linux';
const ORIGIN = 'https://wifi.example';
const PASSPHRASE = /^[A-Z2-7]{4}(-[A-Z2-7]{4}){5}$/;

describe('Wi-Fi', { skip: SKIP }, () => {
  const world = createGateWorld({ name: 'wifi.example' });
  const { command, data } = world;
  const control = world.at('control');
  const said: string[] = [];
  const people = new Map<string, TestValidator>();

  before(async () => {
    await world.ready();
    for (const user of ['alice', 'bob']) people.set(user, await pairValidator(data, user));
    await command('wifi', 'configure', '--network', 'Office', '--control', join(control, 'lo'));
    await world.serve({
      origin: ORIGIN,
      args: ['--gate', '10', '--acknowledge', '5', '--web-service', 'wifi'],
    });
    await comesTo(() => keysOf('alice').length === 0, 'the file was never written');
    const configuration = world.at('hostapd.conf');
    writeFileSync(
      configuration,
      [
        ...[
          'interface=lo',
          'driver=none',
          `ctrl_interface=${control}`,
          'ssid=Office',
          'hw_mode=g',
          'channel=1',
        ],
        ...[
          'wpa=2',
          'wpa_key_mgmt=WPA-PSK',
          'rsn_pairwise=CCMP',
          `wpa_psk_file=${join(data, 'wpa_psk')}`,
          '',
        ],
      ].join('\n'),
    );
    const hostapd = spawn('/usr/sbin/hostapd', [configuration], { stdio: ['ignore', 'pipe', 'inherit'] });
    world.ends.defer(async () => {
      if (hostapd.exitCode !== null) return;
      hostapd.kill();
      await once(hostapd, 'exit');
    });
    const lines = createInterface({ input: hostapd.stdout });
    lines.on('line', (line) => said.push(line));
    await comesTo(() => said.includes('lo: AP-ENABLED '), 'hostapd did not start');
  });

  async function comesTo(holds: () => boolean, otherwise: string): Promise<void> {
    const isSo = () => {
      try {
        return holds();
      } catch {
        return false; // the file is not there yet
      }
    };
    await until(isSo, () => `${otherwise}: ${said.join('\n')} ${JSON.stringify(world.gate?.lines)}`);
  }

  /** What hostapd reads of a person. */
  function keysOf(user: string): string[] {
    const lines = readFileSync(join(data, 'wpa_psk'), 'utf8').split('\n');
    return lines.flatMap((line) => {
      const [id, station, passphrase] = line.split(' ');
      return id === `keyid=${user}` && station === '00:00:00:00:00:00' ? [passphrase!] : [];
    });
  }

  /** A person signs on, and is handed what they are. */
  async function fetchPassphrase(user: string): Promise<string | undefined> {
    const visit = await visitGate(`http://127.0.0.1:${world.gate.webPort}`, ORIGIN, user);
    const { end } = await people.get(user)!.signOn(visit.passcode, async ({ message }) => {
      assert.equal(message.context.service, 'wifi');
      return { answer: 'accept', by: 'person' };
    });
    if (end.outcome !== 'granted') return undefined;
    assert.equal(end.secret?.name, 'Wi-Fi Office');
    assert.match(end.secret.value, PASSPHRASE);
    return end.secret.value;
  }

  test('alice and bob are each handed their own, and hostapd takes both', async () => {
    const [alice, bob] = [await fetchPassphrase('alice'), await fetchPassphrase('bob')];
    assert.notEqual(alice, bob);
    await comesTo(() => keysOf('bob').length === 1, 'hostapd’s file lacks bob');
    assert.deepEqual([keysOf('alice'), keysOf('bob')], [[alice], [bob]]);
    assert.equal(statSync(join(data, 'wpa_psk')).mode & 0o777, 0o600);
    assert.equal(await fetchPassphrase('alice'), alice);
  });

  test('bob is disabled: he gets no next one. Alice notices nothing', async () => {
    const before = await fetchPassphrase('alice');
    await command('disable', 'bob');
    assert.match(await command('wifi', 'rotate'), /^1 person has a new passphrase.*\nbob is cut off\.\n$/);
    assert.deepEqual(keysOf('bob'), []);
    // what alice has is good still, and the next one is there for her
    const next = await fetchPassphrase('alice');
    assert.notEqual(next, before);
    assert.deepEqual(keysOf('alice'), [next, before]);
    assert.equal(await fetchPassphrase('bob'), undefined);
    await command('wifi', 'rotate');
    assert.ok(keysOf('alice').includes(next!) && !keysOf('alice').includes(before!));
    assert.match(await command('show', 'bob'), /wifi {2}cut off: no next passphrase/);
  });

  test('hostapd says so where it does not take them, and so does the command', async () => {
    // Somebody else's file, in its place and with a mistake, shows that hostapd's yes means that it has read it.
    const reload = () =>
      execFileSync('hostapd_cli', ['-p', control, '-i', 'lo', 'reload_wpa_psk'], { encoding: 'utf8' }).trim();
    assert.equal(reload(), 'OK');
    // The host itself writes the file anew where it is not as it wrote it.
    await world.gate.stop();
    const file = join(data, 'wpa_psk');
    const good = readFileSync(file, 'utf8');
    writeFileSync(file, `${good}nonsense\n`);
    assert.equal(reload(), 'FAIL');
    writeFileSync(file, good);
    await command('wifi', 'configure', '--network', 'Office', '--control', join(control, 'none'));
    const { status, stderr } = await countersignGate(data, ['wifi', 'rotate']);
    assert.equal(status, 1);
    assert.match(stderr, /hostapd did not take/);
    await command('wifi', 'configure', '--network', 'Office', '--control', join(control, 'lo'));
    await command('wifi', 'rotate');
    assert.ok(!said.some((line) => line.includes('TERMINATING')));
  });
});
