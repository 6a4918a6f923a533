/**
 * Gate mode, whole: real login programs with the module in their stacks, the host's daemon and the demultiplexer as
 * processes, and a person's validator. No broker, and no network but this machine's.
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createConnection } from 'node:net';
import { before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { decodeBase64url } from '@countersign/core';
import { formatEraseStatement } from '@countersign/core/m-auth';
import { countersignGate } from './gate-processes.ts';
import { pairValidator, type TestValidator } from './gate-validator.ts';
import { createGateWorld, passcodeOn } from './gate-world.ts';
import { raw } from './pam-daemons.ts';
import { type Host, SKIP } from './pam-host.ts';
import { startSshd, startVsftpd } from './pam-servers.ts';
import { until } from './until.ts';

const HOST = 'db1.example';
const HOST_PROGRAM = fileURLToPath(import.meta.resolve('../packages/gate/src/host/main.ts'));

describe('gate mode', { skip: SKIP }, () => {
  const world = createGateWorld({ name: HOST, programs: true });
  const { data } = world;
  const line = world.line('mode=gate');
  let host: Host;
  let alice: TestValidator;

  before(async () => {
    await world.ready();
    ({ host } = world);
    alice = await pairValidator(data, 'alice');
    await world.serve({ pam: world.pam, args: ['--gate', '6', '--acknowledge', '5'] });
    for (const service of ['su', 'login', 'sshd']) host.stack(service, line);
  });

  test('su: the passcode stands on the screen, the validator answers, and it goes on by itself', async () => {
    const terminal = host.terminal(['su', 'alice', '-c', 'id -un'], 'bob');
    const passcode = await passcodeOn(terminal);
    const { end } = await alice.signOn(passcode, async ({ message: { context } }) => {
      assert.equal(context.account, 'alice');
      assert.equal(context.host, HOST);
      assert.equal(context.service, 'su');
      assert.match(context.tty ?? '', /pts/);
      return { answer: 'accept', by: 'person' };
    });
    assert.equal(end.outcome, 'granted');
    await terminal.see(/^alice$/m);
    assert.equal(await terminal.ended(), 0);
  });

  test('login: the same', async () => {
    const terminal = host.terminal(['login', 'alice']);
    const { end } = await alice.signOn(await passcodeOn(terminal));
    assert.equal(end.outcome, 'granted');
    await terminal.see('$ ');
    terminal.type('id -un; exit\n');
    await terminal.see(/^alice$/m);
    assert.equal(await terminal.ended(), 0);
  });

  test('sshd: the passcode stands in a question, which Enter ends', async () => {
    const ssh = await startSshd(host);
    const terminal = host.terminal(ssh('id -un'), 'bob');
    const passcode = await passcodeOn(terminal);
    const { end } = await alice.signOn(passcode, async ({ message: { context } }) => {
      assert.equal(context.service, 'sshd');
      assert.equal(context.address, '127.0.0.1');
      return { answer: 'accept', by: 'person' };
    });
    assert.equal(end.outcome, 'granted');
    terminal.type('\n');
    await terminal.see(/^alice$/m);
    assert.equal(await terminal.ended(), 0);
  });

  describe('sudo', () => {
    before(() => {
      host.stack('sudo', line);
      host.write(
        '/etc/sudoers',
        'Defaults timestamp_timeout=0, passwd_tries=1\nalice ALL=(ALL) ALL\n',
        0o440,
      );
    });

    test('the validator shows the exact command, which is run', async () => {
      const words = ['sudo', '-u', 'bob', 'sh', '-c', "id -un; echo 'a b'"];
      const terminal = host.terminal(['env', '-C', '/var/log', ...words], 'alice');
      const { end } = await alice.signOn(await passcodeOn(terminal), async ({ message: { context } }) => {
        assert.equal(context.service, 'sudo');
        const command = `sudo -u bob sh -c 'id -un; echo '\\''a b'\\'''`;
        assert.equal(context.command, `${command} (in folder /var/log)`);
        return { answer: 'accept', by: 'person' };
      });
      assert.equal(end.outcome, 'granted');
      await terminal.see(/^bob\na b$/m);
      assert.equal(await terminal.ended(), 0);
    });

    test('a command that a validator can’t show whole gets no passcode, and the person is told', async () => {
      const terminal = host.terminal(['sudo', '-u', 'bob', 'echo', 'x'.repeat(1024)], 'alice');
      await terminal.see('can’t be shown whole on a validator');
      assert.notEqual(await terminal.ended(), 0);
      assert.doesNotMatch(terminal.screen, /passcode \d|xxx/);
    });
  });

  test('vsftpd has no place for a passcode: a password is refused, and a code on paper opens', async () => {
    host.stack('vsftpd', line);
    const login = await startVsftpd(host);
    assert.equal(await login('alice', 'pw-alice'), '530 Login incorrect.');
    const [code] = (await world.codes('alice', 1)) as [string];
    assert.equal(await login('alice', code), '230 Login successful.');
  });

  test('refused on the validator, nobody is let in', async () => {
    const terminal = host.terminal(['su', 'alice', '-c', 'id -un'], 'bob');
    await alice.signOn(await passcodeOn(terminal), async () => ({ answer: 'deny', by: 'person' }));
    await terminal.see('su: Authentication failure');
    assert.notEqual(await terminal.ended(), 0);
  });

  test('late, nobody is let in; and a user without a validator sees no other thing', async () => {
    const screens = await Promise.all(
      ['alice', 'bob'].map(async (user) => {
        const terminal = host.terminal(['su', user, '-c', 'id -un'], 'bob');
        await passcodeOn(terminal);
        assert.notEqual(await terminal.ended(), 0);
        return terminal.screen.replace(/\d{3} \d{3}/, '');
      }),
    );
    assert.match(screens[0]!, /Authentication failure/);
    assert.equal(screens[0], screens[1]);
  });

  test('Ctrl-C: whoever gave up is let in by nobody', async () => {
    const terminal = host.terminal(['su', 'alice', '-c', 'id -un'], 'bob');
    const passcode = await passcodeOn(terminal);
    terminal.type('\u0003');
    await terminal.ended();
    await until(() => world.gate.lines.some(({ event }) => event === 'pam-left'));
    const { end } = await alice.signOn(passcode);
    assert.notEqual(end.outcome, 'granted');
  });

  test('a code on paper opens where Enter would be pressed; one of a disabled user does not', async () => {
    const codes = await world.codes('alice', 2);
    const ssh = await startSshd(host);
    await countersignGate(data, ['disable', 'alice']);
    try {
      const refused = host.terminal(ssh('id -un'), 'bob');
      await passcodeOn(refused);
      refused.type(`${codes[0]}\n`);
      assert.notEqual(await refused.ended(), 0);
      assert.doesNotMatch(refused.screen, /^alice$/m);
    } finally {
      await countersignGate(data, ['enable', 'alice']);
    }
    const terminal = host.terminal(ssh('id -un'), 'bob');
    await passcodeOn(terminal);
    terminal.type(`${codes[1]}\n`);
    await terminal.see(/^alice$/m);
    assert.equal(await terminal.ended(), 0);
  });

  test('nobody comes with a validator: su asks for a code on paper, which opens', async () => {
    const [code] = (await world.codes('alice', 1)) as [string];
    const terminal = host.terminal(['su', 'alice', '-c', 'id -un'], 'bob');
    await terminal.see('Nobody answered. A code from your sheet, or Enter: ');
    terminal.type(`${code}\n`);
    await terminal.see(/^alice$/m);
    assert.equal(await terminal.ended(), 0);
  });

  test('disabled while the person looks at it: cut', async () => {
    const terminal = host.terminal(['su', 'alice', '-c', 'id -un'], 'bob');
    const { end } = await alice.signOn(await passcodeOn(terminal), async () => {
      await countersignGate(data, ['disable', 'alice']);
      return { answer: 'accept', by: 'person' };
    });
    try {
      assert.notEqual(end.outcome, 'granted');
      await terminal.see('su: Authentication failure');
    } finally {
      await countersignGate(data, ['enable', 'alice']);
    }
  });

  test('status says of each person what opens to them: of those without a validator too', async () => {
    const standing = () => {
      const words = ['status', '--json', '--data', data];
      const { output } = host.run([
        process.execPath,
        '--disable-warning=ExperimentalWarning',
        HOST_PROGRAM,
        ...words,
      ]);
      const { users } = JSON.parse(output.slice(output.indexOf('{'))) as {
        users: { user: string; enabled: boolean; comesInBy: string }[];
      };
      return Object.fromEntries(users.map(({ user, comesInBy }) => [user, comesInBy]));
    };
    await countersignGate(data, ['disable', 'alice']);
    try {
      const { alice, bob } = standing();
      assert.deepEqual([alice, bob], ['password only', 'password only']);
    } finally {
      await countersignGate(data, ['enable', 'alice']);
    }
    const { alice, bob } = standing();
    assert.deepEqual([alice, bob], ['both', 'password only']);
    host.run(['usermod', '-L', 'alice']);
    try {
      assert.equal(standing().alice, 'gate only');
    } finally {
      host.run(['usermod', '-U', 'alice']);
    }
  });

  test('a flood of attempts that are refused is counted in the log, and a few of them told', async () => {
    const refusals = () => world.gate.lines.filter(({ event }) => event === 'pam-refused');
    const before = refusals().length;
    await Promise.all(
      Array.from({ length: 100 }, async () => {
        const program = createConnection(world.pam).resume();
        program.write(raw('A', 'of another version\0'));
        await once(program, 'close');
      }),
    );
    const more = await until(() => refusals().find((line) => line.more !== undefined));
    assert.ok(Number(more.more) > 50, JSON.stringify(more));
    assert.ok(refusals().length - before < 50);
  });

  test('a code on paper of a user who was removed opens nothing', async () => {
    await pairValidator(data, 'alice');
    const [code] = (await world.codes('alice', 1)) as [string];
    await countersignGate(data, ['disable', 'alice']);
    assert.notEqual((await countersignGate(data, ['enroll', 'alice', '--no-qr'])).status, 0);
    assert.equal((await countersignGate(data, ['remove', 'alice'])).status, 0);
    const ssh = await startSshd(host);
    const terminal = host.terminal(ssh('id -un'), 'bob');
    await passcodeOn(terminal);
    terminal.type(`${code}\n`);
    assert.notEqual(await terminal.ended(), 0);
    assert.doesNotMatch(terminal.screen, /^alice$/m);
  });

  test('whose one way in is codes on paper is disabled, enabled and removed as anybody is', async () => {
    host.stack('vsftpd', line);
    const login = await startVsftpd(host);
    assert.notEqual((await countersignGate(data, ['disable', 'bob'])).status, 0);
    const [first, second, third] = (await world.codes('bob', 3)) as [string, string, string];
    await world.command('disable', 'bob');
    assert.equal(await login('bob', first), '530 Login incorrect.');
    await world.command('enable', 'bob');
    assert.equal(await login('bob', second), '230 Login successful.');
    assert.match(await world.command('remove', 'bob'), /and 1 code of theirs/);
    assert.equal(await login('bob', third), '530 Login incorrect.');
    assert.notEqual((await countersignGate(data, ['remove', 'bob'])).status, 0);
  });

  test('who was disabled, and whose one validator was erased then, is enabled and paired again', async () => {
    const { record } = await pairValidator(data, 'bob');
    await world.command('disable', 'bob');
    const token = decodeBase64url(record.erase);
    await world.command('erase', formatEraseStatement({ scope: 'pair', token }));
    assert.notEqual((await countersignGate(data, ['enroll', 'bob', '--no-qr'])).status, 0);
    await world.command('enable', 'bob');
    await pairValidator(data, 'bob');
    await world.command('remove', 'bob');
  });

  test('the host’s own code is of no user, and is removed with none', async () => {
    await world.command('codes', 'break-glass');
    assert.notEqual((await countersignGate(data, ['remove', ''])).status, 0);
  });
});
