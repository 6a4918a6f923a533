/**
 * Login programs of a terminal and of a network, as Debian has them, with the module in their stacks and the daemon's
 * real listener behind it. What is seen here is what docs/pam.md says of each.
 */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { before, describe, test } from 'node:test';
import { createPamAttempts } from './pam-attempts.ts';
import { type Host, SKIP } from './pam-host.ts';
import { startSshd, startVsftpd } from './pam-servers.ts';

describe('login programs', { skip: SKIP }, () => {
  const { world, attempts, next, endOf, line } = createPamAttempts();
  let host: Host;

  before(() => {
    ({ host } = world);
  });

  test('the machine’s own /etc is not touched', () => {
    host.stack('countersign-test', line());
    assert.ok(!existsSync('/etc/pam.d/countersign-test'));
    assert.match(host.run(['cat', '/etc/pam.d/countersign-test']).output, /pam_countersign/);
  });

  describe('pamtester', () => {
    for (const [verdict, words] of [
      ['granted', 'successfully authenticated'],
      ['denied', 'Authentication failure'],
      ['exhausted', 'Have exhausted maximum number of retries'],
      ['unavailable', 'Authentication service cannot retrieve'],
    ] as const) {
      test(`${verdict} is told in PAM’s words`, async () => {
        host.stack('countersign-test', line('conv=info'));
        const terminal = host.terminal(['pamtester', 'countersign-test', 'alice', 'authenticate']);
        const waiting = await next();
        await terminal.see('passcode 123 456');
        waiting.decide(verdict);
        await terminal.see(words);
        assert.equal(await terminal.ended(), verdict === 'granted' ? 0 : 1);
      });
    }
  });

  describe('su', () => {
    before(() => host.stack('su', line()));

    test('shows the passcode at once, and goes on by itself when the answer comes', async () => {
      const terminal = host.terminal(['su', 'bob', '-c', 'id -un'], 'alice');
      const waiting = await next();
      await terminal.see('passcode 123 456');
      const { service, user, style, remoteUser, tty, peer } = waiting.attempt;
      assert.deepEqual(
        { service, user, style, remoteUser, uid: peer.uid },
        { service: 'su', user: 'bob', style: 'info', remoteUser: 'alice', uid: 0 },
      );
      assert.match(tty ?? '', /pts/);
      waiting.decide('granted');
      await terminal.see(/^bob$/m);
      assert.equal(await terminal.ended(), 0);
    });

    test('without a terminal it works as well', async () => {
      const running = host.serve(['su', 'bob', '-c', 'true'], 'alice');
      const { promise, resolve } = Promise.withResolvers<number | null>();
      running.on('exit', resolve);
      (await next()).decide('granted');
      assert.equal(await promise, 0);
    });

    test('a no is a failure', async () => {
      const terminal = host.terminal(['su', 'bob', '-c', 'id -un'], 'alice');
      (await next()).decide('denied');
      await terminal.see('su: Authentication failure');
      assert.notEqual(await terminal.ended(), 0);
      assert.doesNotMatch(terminal.screen, /^bob$/m);
    });

    test('Ctrl-C ends it at once, and the daemon hears it', async () => {
      const terminal = host.terminal(['su', 'bob', '-c', 'id -un'], 'alice');
      const waiting = await next();
      await terminal.see('Answer on your phone.');
      terminal.type('\x03');
      assert.equal((await endOf(waiting)).what, 'left');
      assert.notEqual(await terminal.ended(), 0);
      assert.doesNotMatch(terminal.screen, /^bob$/m);
    });

    test('nobody answers: it ends by the module’s own time', async () => {
      const began = performance.now();
      const terminal = host.terminal(['su', 'bob', '-c', 'id -un'], 'alice');
      await next();
      assert.notEqual(await terminal.ended(), 0);
      const took = performance.now() - began;
      assert.ok(took > 5500 && took < 25_000, `${took} ms`);
    });
  });

  describe('sudo', () => {
    before(() => {
      host.stack('sudo', line());
      host.write('/etc/sudoers', 'Defaults timestamp_timeout=0\nalice ALL=(ALL) ALL\n', 0o440);
    });

    test('shows the passcode at once, and the daemon hears the exact command', async () => {
      const command = ['sudo', '-u', 'bob', 'sh', '-c', "id -un; echo 'a b'"];
      const terminal = host.terminal(command, 'alice');
      const waiting = await next();
      await terminal.see('passcode 123 456');
      const { service, user, remoteUser, command: heard } = waiting.attempt;
      assert.deepEqual(
        { service, user, remoteUser, heard },
        { service: 'sudo', user: 'alice', remoteUser: 'alice', heard: command },
      );
      waiting.decide('granted');
      await terminal.see(/^bob\na b$/m);
      assert.equal(await terminal.ended(), 0);
    });

    test('a no is a failure, and the command does not run', async () => {
      const terminal = host.terminal(['sudo', '-u', 'bob', 'id', '-un'], 'alice');
      for (let tries = 0; tries < 3; tries++) (await next()).decide('denied');
      assert.equal(await terminal.ended(), 1);
      assert.doesNotMatch(terminal.screen, /^bob$/m);
    });

    test('after Ctrl-C the command does not run, whatever the answer is', async () => {
      const terminal = host.terminal(['sudo', '-u', 'bob', 'id', '-un'], 'alice');
      const waiting = await next();
      await terminal.see('Answer on your phone.');
      terminal.type('\x03');
      await new Promise((resolve) => setTimeout(resolve, 300));
      waiting.decide('granted');
      assert.notEqual(await terminal.ended(), 0);
      assert.doesNotMatch(terminal.screen, /^bob$/m);
    });

    test('with -n nobody is asked', async () => {
      const { status, output } = host.run(['sudo', '-n', 'id'], 'alice');
      assert.equal(status, 1);
      assert.match(output, /password is required/);
      assert.equal(attempts.length, 0);
    });
  });

  describe('login', () => {
    before(() => host.stack('login', line()));

    test('shows the passcode at once, and goes on by itself', async () => {
      const terminal = host.terminal(['login', 'alice']);
      const waiting = await next();
      await terminal.see('passcode 123 456');
      assert.equal(waiting.attempt.style, 'info');
      waiting.decide('granted');
      await terminal.see('$');
      terminal.type('id -un; exit\n');
      await terminal.see(/^alice$/m);
      await terminal.ended();
    });

    test('asks for the name in the words of the line', async () => {
      host.stack('login', line('[user_prompt=Whose door? ]'));
      const terminal = host.terminal(['login']);
      await terminal.see(/login: |Whose door\? /);
      terminal.type('bob\n');
      const waiting = await next();
      assert.equal(waiting.attempt.user, 'bob');
      waiting.decide('granted');
      await terminal.see('$');
      terminal.type('exit\n');
      await terminal.ended();
    });

    test('a no is “Login incorrect”', async () => {
      const terminal = host.terminal(['login', 'alice']);
      (await next()).decide('denied');
      await terminal.see('Login incorrect');
      await terminal.close();
    });
  });

  describe('sshd', () => {
    let ssh: (...command: string[]) => string[];

    before(async () => {
      host.stack('sshd', line());
      ssh = await startSshd(host);
    });

    test('shows the passcode in its prompt, on a line of its own', async () => {
      const terminal = host.terminal(ssh('id', '-un'), 'bob');
      const waiting = await next();
      await terminal.see(/^passcode 123 456\nAnswer on your phone\.\nThen press Enter: /m);
      const { service, user, style, remoteHost, tty, peer } = waiting.attempt;
      assert.deepEqual(
        { service, user, style, remoteHost, tty, uid: peer.uid },
        { service: 'sshd', user: 'alice', style: 'prompt', remoteHost: '127.0.0.1', tty: 'ssh', uid: 0 },
      );
      waiting.decide('granted');
      terminal.type('\n');
      await terminal.see(/^alice$/m);
      assert.equal(await terminal.ended(), 0);
    });

    test('Enter before the answer waits for it', async () => {
      const terminal = host.terminal(ssh('id', '-un'), 'bob');
      const waiting = await next();
      await terminal.see('Enter: ');
      terminal.type('\n');
      await new Promise((resolve) => setTimeout(resolve, 300));
      waiting.decide('granted');
      await terminal.see(/^alice$/m);
      assert.equal(await terminal.ended(), 0);
    });

    test('a no is “Permission denied”', async () => {
      const terminal = host.terminal(ssh('id', '-un'), 'bob');
      const waiting = await next();
      await terminal.see('Enter: ');
      waiting.decide('denied');
      terminal.type('\n');
      await terminal.see('Permission denied');
      assert.equal(await terminal.ended(), 255);
    });

    test('info would be held back: it comes with the next prompt only', async () => {
      host.stack('sshd', line('conv=info'));
      try {
        const terminal = host.terminal(ssh('id', '-un'), 'bob');
        const waiting = await next();
        await new Promise((resolve) => setTimeout(resolve, 1000));
        assert.doesNotMatch(terminal.screen, /passcode/);
        waiting.decide('granted');
        await terminal.see(/^alice$/m);
        await terminal.ended();
      } finally {
        host.stack('sshd', line());
      }
    });

    test('when the client is gone, the module ends by its own time, and a late yes opens nothing', async () => {
      const terminal = host.terminal(ssh('touch', '/tmp/opened'), 'bob');
      const waiting = await next();
      await terminal.see('Enter: ');
      terminal.type('\n');
      await new Promise((resolve) => setTimeout(resolve, 300));
      await terminal.close();
      const end = await endOf(waiting);
      waiting.decide('granted');
      assert.ok(end.what === 'left' || (end.what === 'verdict' && end.verdict === 'unavailable'));
      assert.notEqual(host.run(['test', '-e', '/tmp/opened']).status, 0);
    });
  });

  describe('vsftpd', () => {
    for (const seccomp of ['NO', 'YES'] as const) {
      test(`shows nothing: what is typed as the password reaches the daemon (seccomp_sandbox=${seccomp})`, async () => {
        host.stack('vsftpd', line());
        const login = await startVsftpd(host, seccomp);
        const reply = login('alice', '314159');
        const waiting = await next();
        assert.equal(waiting.attempt.style, 'silent');
        assert.equal(waiting.attempt.user, 'alice');
        assert.equal(await waiting.conversation.secret('Password: '), '314159');
        waiting.decide('granted');
        assert.equal(await reply, '230 Login successful.');
      });
    }
  });
});
