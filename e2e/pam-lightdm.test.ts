/**
 * LightDM with its GTK greeter, as Debian has them, with the module in its stack. What is seen here is what docs/pam.md
 * says of it.
 */
import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { type Attempt, servePam } from '../packages/gate/src/pam/index.ts';
import { createGateWorld } from './gate-world.ts';
import { type Host, SKIP } from './pam-host.ts';
import { newDisplay, xServer } from './pam-servers.ts';
import { until } from './until.ts';

/** Its greeter is there within some two seconds, or it has given up. */
const AGAIN_MS = 20_000;

describe('LightDM', { skip: SKIP }, () => {
  const world = createGateWorld({ programs: true });
  /** Who was asked for something; and what they typed. */
  const asked: Attempt[] = [];
  const attempts: { attempt: Attempt; typed: string }[] = [];
  let host: Host;
  const display = newDisplay();

  before(async () => {
    await world.ready();
    ({ host } = world);
    const listener = await servePam({
      socket: world.pam,
      monotonic: () => performance.now(),
      authenticate: async (attempt, conversation) => {
        asked.push(attempt);
        const typed = await conversation.secret('Password: ');
        attempts.push({ attempt, typed });
        return attempt.user === 'alice' && typed === '271828' ? 'granted' : 'denied';
      },
    });
    world.ends.use(listener);
    host.stack('lightdm', world.line('timeout=60'));
    host.stack('lightdm-greeter', 'auth required pam_permit.so');
    host.write('/etc/lightdm/xserver', `#!/bin/sh\nexec ${xServer('"$1"').join(' ')}\n`, 0o755);
    host.write('/etc/lightdm/session', '#!/bin/sh\nid -un > "$HOME/session"\nsleep 60\n', 0o755);
    host.write(
      '/etc/lightdm/lightdm.conf',
      [
        ...['[LightDM]', `minimum-display-number=${display.slice(1)}`, 'start-default-seat=true'],
        ...['[Seat:*]', 'type=local', 'xserver-command=/etc/lightdm/xserver', 'greeter-hide-users=true'],
        ...['greeter-show-manual-login=true', 'session-wrapper=/etc/lightdm/session'],
        ...['greeter-session=lightdm-gtk-greeter', 'user-session=test', ''],
      ].join('\n'),
    );
    host.run(['mkdir', '-p', '/usr/share/xsessions', '/run/dbus', '/var/log/lightdm', '/run/lightdm']);
    host.run(['chown', 'lightdm', '/var/log/lightdm', '/run/lightdm']);
    host.write(
      '/usr/share/xsessions/test.desktop',
      '[Desktop Entry]\nType=Application\nName=Test\nExec=true\n',
    );
    host.serve(['dbus-daemon', '--system', '--nofork']).stderr?.resume();
    await until(() => host.run(['test', '-S', '/run/dbus/system_bus_socket']).status === 0);
    begin();
  });

  function begin(): void {
    host.serve(['/usr/sbin/lightdm']).stderr?.resume();
  }

  /** It gives up where its X server or greeter takes too long, which then is begun anew, as a host's init does. */
  async function again(): Promise<void> {
    host.run(['pkill', '-x', 'lightdm']);
    await until(() => host.run(['pgrep', '-x', 'lightdm']).status !== 0);
    begin();
  }

  test('what is typed in its field reaches the daemon, whose word starts the session', async () => {
    const keys = (...words: string[]) => host.run(['env', `DISPLAY=${display}`, 'xdotool', ...words]);
    const isThere = () => keys('search', '--onlyvisible', '--class', 'lightdm-gtk-greeter').status === 0;
    // It takes its time where much else runs.
    for (let tries = 1; tries < 3; tries++) {
      if (await until(isThere, undefined, AGAIN_MS).catch(() => false)) break;
      await again();
    }
    await until(isThere, () => host.run(['tail', '-n', '60', '/var/log/lightdm/lightdm.log']).output);
    const granted = () =>
      attempts.find(({ attempt, typed }) => attempt.user === 'alice' && typed === '271828');
    const grows = async (list: readonly unknown[], before: number) => {
      for (let looks = 0; looks < 50 && list.length === before; looks++) await setTimeout(100);
      return list.length > before;
    };
    const type = (text: string) => {
      keys('key', 'ctrl+a', 'BackSpace');
      keys('type', text);
      keys('key', 'Return');
    };
    // Keys before it holds the keyboard are lost, some of a name as well: each field is typed when its turn has come.
    await until(
      async () => {
        const [names, answers] = [asked.length, attempts.length];
        type('alice');
        if (!(await grows(asked, names))) return false;
        await setTimeout(1000);
        type('271828');
        await grows(attempts, answers);
        return granted() !== undefined;
      },
      () => JSON.stringify(attempts.map(({ attempt: { user }, typed }) => [user, typed])),
    );
    const { style, peer, service } = granted()!.attempt;
    assert.deepEqual({ style, service, uid: peer.uid }, { style: 'silent', service: 'lightdm', uid: 0 });
    await until(() => host.run(['cat', '/home/alice/session']).output === 'alice\n');
  });
});
