/**
 * Screen locks and a display manager under X, as Debian has them, with the module in their stacks and the daemon's real
 * listener behind it. What is seen here is what docs/pam.md says of each.
 */
import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { createPamAttempts, type Waiting } from './pam-attempts.ts';
import { type Host, SKIP } from './pam-host.ts';
import { newDisplay, startX, xServer } from './pam-servers.ts';
import { until } from './until.ts';

describe('login programs under X', { skip: SKIP }, () => {
  const { world, attempts, next, endOf, line } = createPamAttempts();
  let host: Host;

  before(() => {
    ({ host } = world);
  });

  describe('i3lock', () => {
    let display: string;

    before(async () => {
      host.stack('i3lock', line());
      display = await startX(host);
    });

    test('runs as its user, and shows nothing: what is typed there reaches the daemon, and its word opens', async () => {
      const locker = host.terminal(['i3lock', '--nofork'], 'alice', { DISPLAY: display });
      const keys = (...words: string[]) => host.run(['env', `DISPLAY=${display}`, 'xdotool', ...words]);
      // The first Enter that it takes shows that it holds the keyboard.
      await until(
        async () => {
          keys('key', 'Return');
          await delay(200);
          return attempts.length > 0;
        },
        () => locker.screen,
      );
      const first = await next();
      const { style, peer } = first.attempt;
      assert.deepEqual({ style, root: peer.uid === 0 }, { style: 'silent', root: false });
      first.decide('denied');
      assert.equal((await endOf(first)).what, 'verdict');

      // A no leaves it locked; Enters from before may have asked once more.
      let waiting = first;
      for (let typed = ''; typed !== '271828'; typed = await waiting.conversation.secret('Password: ')) {
        if (waiting !== first) waiting.decide('denied');
        if (attempts.length === 0) {
          keys('type', '271828');
          keys('key', 'Return');
        }
        waiting = await next();
      }
      waiting.decide('granted');
      assert.equal(await locker.ended(), 0);
    });
  });

  describe('xscreensaver', () => {
    test('runs as its user, shows the passcode at once, and opens with Enter or OK once there is an answer', async () => {
      host.stack('xscreensaver', line('timeout=60'));
      const display = await startX(host);
      const by = (...words: string[]) => ['env', `DISPLAY=${display}`, 'HOME=/home/alice', ...words];
      const state = () => host.run(by('xscreensaver-command', '-time'), 'alice').output;
      host.serve(by('xscreensaver', '--no-splash'), 'alice').stderr?.resume();
      await until(() => /XScreenSaver/.test(state()));
      host.run(by('xscreensaver-command', '-lock'), 'alice');
      await until(() => /screen locked/.test(state()));
      await until(() => {
        host.run(by('xdotool', 'key', 'shift'));
        return attempts.length > 0;
      });
      const waiting = await next();
      const { style, peer, user } = waiting.attempt;
      assert.deepEqual({ style, user, root: peer.uid === 0 }, { style: 'info', user: 'alice', root: false });
      waiting.decide('granted');
      await until(() => {
        host.run(by('xdotool', 'key', 'Return'));
        return !/screen locked/.test(state());
      });
    });
  });

  describe('xdm', () => {
    test('shows the passcode in its prompt, and starts the session once there is an answer', async () => {
      host.stack('xdm', line('timeout=60'));
      const display = newDisplay();
      host.write('/etc/X11/xdm/Xservers', `${display} local ${xServer(display).join(' ')}\n`);
      host.write(
        '/etc/X11/xdm/xdm-config',
        [
          ...['servers: /etc/X11/xdm/Xservers', 'requestPort: 0', 'pidFile: /run/xdm.pid'].map(
            (setting) => `DisplayManager.${setting}`,
          ),
          ...['authorize: false', 'session: /etc/X11/xdm/Xsession', 'resources: /etc/X11/xdm/Xresources'].map(
            (setting) => `DisplayManager*${setting}`,
          ),
          '',
        ].join('\n'),
      );
      host.write('/etc/X11/xdm/Xsession', '#!/bin/sh\nid -un > "$HOME/session"\nsleep 60\n', 0o755);
      host.serve(['/usr/bin/xdm', '-nodaemon', '-config', '/etc/X11/xdm/xdm-config']).stderr?.resume();
      const keys = (...words: string[]) => host.run(['env', `DISPLAY=${display}`, 'xdotool', ...words]);
      const came: Waiting[] = [];
      await until(() => {
        if (keys('type', 'alice').status === 0) keys('key', 'Return');
        const attempt = attempts.shift();
        // Keys before it holds the keyboard are lost, some of a name as well.
        if (attempt?.attempt.user !== 'alice') attempt?.decide('denied');
        else came.push(attempt);
        return came.length > 0;
      });
      const [waiting] = came as [Waiting];
      assert.deepEqual([waiting.attempt.style, waiting.attempt.peer.uid], ['prompt', 0]);
      waiting.decide('granted');
      const { user } = waiting.attempt;
      await until(() => {
        keys('key', 'Return');
        return host.run(['cat', `/home/${user}/session`]).output === `${user}\n`;
      });
    });
  });
});
