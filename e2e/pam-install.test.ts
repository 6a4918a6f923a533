/**
 * Putting the module into a Debian system’s own stacks and taking it out again, by the command, with real logins
 * before, between and after.
 */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { before, describe, test } from 'node:test';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { type PamListener, servePam, type Verdict } from '../packages/gate/src/pam/index.ts';
import { createGateWorld } from './gate-world.ts';
import { type Host, SKIP, type Terminal } from './pam-host.ts';
import { until } from './until.ts';

const COMMANDS = fileURLToPath(import.meta.resolve('../packages/gate/src/commands/install.ts'));
const RETIRE = fileURLToPath(import.meta.resolve('../packages/gate/src/commands/retire-password.ts'));
const STANDING = fileURLToPath(import.meta.resolve('../packages/gate/src/install/retire-password.ts'));
const CRYPTO = import.meta.resolve('@countersign/core/webcrypto');
const COMMANDER = fileURLToPath(import.meta.resolve('commander'));

const FROM_THE_TERMINAL = 'process.stdin';
/** A terminal that is gone before any signal says so: the read fails. */
const FROM_ONE_THAT_FAILS =
  "new (await import('node:stream')).Readable({ read() { setTimeout(() => this.destroy(new Error('EIO')), 100); } })";

/** The commands alone, as the program of the gate has them. */
const program = (input: string) => `
import { Command } from ${JSON.stringify(pathToFileURL(COMMANDER).href)};
import { addInstallCommands } from ${JSON.stringify(pathToFileURL(COMMANDS).href)};
import { addRetirePasswordCommand } from ${JSON.stringify(pathToFileURL(RETIRE).href)};
import { standingOf } from ${JSON.stringify(pathToFileURL(STANDING).href)};
import { webCrypto } from ${JSON.stringify(CRYPTO)};
const program = new Command('countersign-gate');
const context = { now: () => Date.now() / 1000, say: (text) => console.log(text), input: ${input} };
addInstallCommands(program, context);
addRetirePasswordCommand(program, { ...context, crypto: webCrypto, canSignOn: (_, user) => user !== 'carol' });
program.command('standing').argument('<user>').action((user, _, command) =>
  console.log(standingOf(command.optsWithGlobals().data, user, user === 'carol' ? ['web'] : ['su'])));
for (const command of program.commands) command.option('--data <folder>');
await program.parseAsync().catch((error) => {
  console.log(error.code + ': ' + error.message);
  process.exitCode = 1;
});`;

describe('installing', { skip: SKIP }, () => {
  const world = createGateWorld({ programs: true });
  const socket = world.pam;
  let host: Host;
  let listener: PamListener;
  let verdict: Verdict = 'granted';
  let asked = 0;

  const words = (...given: string[]) => wordsReading(FROM_THE_TERMINAL, given);
  const wordsReading = (input: string, given: readonly string[]) => [
    ...[process.execPath, '--input-type=module', '-e', program(input), '--', ...given],
    ...(given[0] === 'install'
      ? ['--module', world.module, '--socket', socket, '--backup', world.at('backup')]
      : []),
  ];
  /** Runs a command to its end, while the daemon in this process answers. */
  const runs = async (command: readonly string[]) => {
    const terminal = host.terminal(command);
    return { status: await terminal.ended(), output: terminal.screen };
  };
  const stack = () => host.run(['cat', '/etc/pam.d/common-auth']).output;
  /** Where man finds the module’s page, if it does; Debian has a link to that folder beside it. */
  const manual = () => {
    const { status, output } = host.run(['man', '-w', 'pam_countersign']);
    return status === 0 ? host.run(['realpath', output.trim()]).output.trim() : undefined;
  };
  const su = () => host.terminal(['su', 'bob', '-c', 'id -un'], 'alice');
  const inByPassword = async (terminal: Terminal) => {
    await terminal.see('Password: ');
    terminal.type('pw-bob\n');
    await terminal.see(/^bob$/m);
  };
  let original: string;

  before(async () => {
    await world.ready();
    ({ host } = world);
    original = stack();
    listener = await servePam({
      socket,
      monotonic: () => performance.now(),
      authenticate: async () => {
        asked++;
        return verdict;
      },
    });
    world.ends.use(listener);
  });

  test('a dry run says all, and does nothing', () => {
    const { status, output } = host.run(words('install', '--dry-run'));
    assert.equal(status, 0, output);
    assert.match(output, /would copy \/etc\/pam\.d.*would put the module.*would write.*pam-auth-update/s);
    assert.match(output, /would put its manual page at \/usr\/local\/share\/man\/man8\/pam_countersign\.8$/m);
    assert.equal(stack(), original);
    assert.equal(manual(), undefined);
    assert.notEqual(host.run(['test', '-e', '/usr/share/pam-configs/countersign']).status, 0);
  });

  test('it warns where a yes to one command of sudo opens others for a while, and not where each is asked about', () => {
    const dryRun = () => host.run(words('install', '--dry-run')).output;
    const [line, file] = ['Defaults timestamp_timeout=0', '/etc/sudoers.d/countersign'];
    const warned = dryRun();
    assert.ok(warned.includes(`visudo -f ${file}`) && warned.includes(line), warned);
    host.write(file, `${line}\n`, 0o440);
    try {
      assert.doesNotMatch(dryRun(), /sudo/);
    } finally {
      host.run(['rm', file]);
    }
  });

  test('without a second session all is undone', async () => {
    const installing = host.terminal(words('install'));
    await installing.see('type in here: in');
    assert.match(stack(), /pam_countersign\.so mode=gate socket=/);
    assert.equal(manual(), '/usr/local/share/man/man8/pam_countersign.8');
    installing.type('no\n');
    assert.equal(await installing.ended(), 1);
    assert.equal(stack(), original);
    assert.equal(manual(), undefined);
    await inByPassword(su());
  });

  test('a session that is cut off undoes it as well', async () => {
    const installing = host.terminal(words('install'));
    await installing.see('type in here: in');
    await installing.close();
    await until(() => stack() === original, stack, 30_000);
  });

  test('a terminal that can’t be read any more undoes it as well', async () => {
    const installing = host.terminal(wordsReading(FROM_ONE_THAT_FAILS, ['install']));
    assert.equal(await installing.ended(), 1, installing.screen);
    assert.match(installing.screen, /type in here: in/);
    assert.equal(stack(), original);
  });

  test('who types that they are in, and is not, is asked again', async () => {
    const installing = host.terminal(words('install'));
    await installing.see('type in here: in');
    installing.type('in\n');
    await installing.see('The daemon has let nobody in since');
    verdict = 'denied';
    await inByPassword(su());
    verdict = 'granted';
    installing.type('in\n');
    await installing.see(/(let nobody in since[\s\S]*){2}/);
    installing.type('no\n');
    assert.equal(await installing.ended(), 1);
    assert.equal(stack(), original);
  });

  test('where no daemon can say whether somebody came in, they are asked twice', async () => {
    const nowhere = world.at('nowhere.sock');
    const installing = host.terminal([...words('install'), '--socket', nowhere]);
    await installing.see('type in here: in');
    installing.type('in\n');
    await installing.see('it can’t be checked');
    installing.type('in\n');
    assert.equal(await installing.ended(), 0, installing.screen);
    assert.equal(host.run(words('uninstall')).status, 0);
    assert.equal(stack(), original);
  });

  test('beside passwords: it stays once somebody is in, and a no still leaves the password', async () => {
    const installing = host.terminal(words('install'));
    await installing.see('type in here: in');
    const before = asked;
    const second = su();
    await second.see(/^bob$/m);
    assert.equal(asked, before + 1);
    installing.type('in\n');
    assert.equal(await installing.ended(), 0);
    assert.match(host.run(['man', 'pam_countersign']).output, /pam_countersign\.so \[option \.\.\.\]/);
    verdict = 'denied';
    await inByPassword(su());
    verdict = 'granted';
  });

  test('a second installation that comes to nothing leaves the first as it was', async () => {
    const installed = stack();
    const files = [
      '/usr/share/pam-configs/countersign',
      '/usr/lib/*-linux-*/security/pam_countersign.so',
      '/usr/local/share/man/man8/pam_countersign.8',
    ];
    const sums = () => host.run(['sh', '-c', `sha256sum ${files.join(' ')}`]).output;
    const before = sums();
    const other = world.at('other.so');
    writeFileSync(other, `${readFileSync(world.module, 'latin1')}more`, 'latin1');
    const installing = host.terminal([...words('install', '--stand', 'both'), '--module', other]);
    await installing.see('type in here: in');
    assert.notEqual(stack(), installed);
    assert.notEqual(sums(), before);
    installing.type('no\n');
    assert.equal(await installing.ended(), 1);
    assert.equal(stack(), installed);
    assert.equal(sums(), before);
    const none = host.run([...words('install', '--no-second-session'), '--module', '/nowhere.so']);
    assert.equal(none.status, 1);
    assert.equal(stack(), installed);
    assert.equal(sums(), before);
    await su().see(/^bob$/m);
  });

  test('uninstalling leaves the stacks as they were, and logins as they were', async () => {
    const dry = host.run(words('uninstall', '--dry-run'));
    assert.match(dry.output, /the module and \/usr\/local\/share\/man\/man8\/pam_countersign\.8 away/);
    assert.notEqual(manual(), undefined);
    const { status, output } = host.run(words('uninstall'));
    assert.equal(status, 0, output);
    assert.equal(stack(), original);
    assert.equal(manual(), undefined);
    const before = asked;
    await inByPassword(su());
    assert.equal(asked, before);
  });

  describe('the port of the demultiplexer', () => {
    const within = (...command: string[]) => host.run(['ip', 'netns', 'exec', 'wall', ...command]);
    const opens = (...given: string[]) =>
      within(...words('install', '--stand', 'beside', '--no-second-session', ...given));
    const inWords = (...command: string[]) => within(...command).output;
    /** Whether somebody gets through to a port of this machine. */
    const reaches = (port: number) =>
      within('timeout', '5', 'bash', '-c', `< /dev/tcp/127.0.0.1/${port}`).status === 0;

    before(async () => {
      // Each firewall is of this network alone, which has nothing but itself.
      host.run(['ip', 'netns', 'add', 'wall']);
      within('ip', 'link', 'set', 'lo', 'up');
      const listen = "for (const port of [8475, 8999]) require('node:net').createServer().listen(port)";
      host.serve(['ip', 'netns', 'exec', 'wall', process.execPath, '-e', listen]).stderr?.resume();
      await until(() => reaches(8475) && reaches(8999));
    });

    test('in nftables: opened when told to, closed by uninstalling, and no other rule is touched', async () => {
      const rules = [
        'table inet filter { chain input { type filter hook input priority 0; policy drop;',
        'ct state established accept; tcp dport 22 accept comment "mine"; }; }',
      ].join(' ');
      assert.equal(within('nft', rules).status, 0);
      const walled = inWords('nft', 'list', 'ruleset');
      assert.equal(reaches(8475), false);
      assert.equal(opens().status, 0);
      assert.equal(reaches(8475), false, 'nobody told it to');
      assert.equal(inWords('nft', 'list', 'ruleset'), walled);
      within(...words('uninstall'));

      const dry = opens('--open-port', '--dry-run');
      assert.match(
        dry.output,
        /would open the port in nftables, by nft insert rule inet filter input tcp dport 8475/,
      );
      assert.equal(inWords('nft', 'list', 'ruleset'), walled);

      const { status, output } = opens('--open-port');
      assert.equal(status, 0, output);
      assert.match(output, /write this one into \/etc\/nftables.conf/);
      assert.equal(reaches(8475), true);
      assert.equal(reaches(8999), false);
      // Nobody comes in by a second session: what was open before is open again.
      const declined = host.terminal([
        ...['ip', 'netns', 'exec', 'wall'],
        ...words('install', '--open-port', '8999'),
      ]);
      await declined.see('type in here: in');
      assert.deepEqual([reaches(8475), reaches(8999)], [false, true]);
      declined.type('no\n');
      assert.equal(await declined.ended(), 1);
      assert.deepEqual([reaches(8475), reaches(8999)], [true, false]);
      assert.equal(within(...words('uninstall')).status, 0);
      assert.equal(reaches(8475), false);
      assert.equal(inWords('nft', 'list', 'ruleset'), walled);
      within('nft', 'flush', 'ruleset');
    });

    test('without a firewall it says so', () => {
      const { status, output } = opens('--open-port');
      assert.equal(status, 0, output);
      assert.match(output, /No firewall that we know is at work here/);
      within(...words('uninstall'));
    });

    test('in ufw', () => {
      assert.equal(within('ufw', '--force', 'enable').status, 0);
      within('ufw', 'allow', '22/tcp');
      const walled = inWords('ufw', 'show', 'added');
      const { status, output } = opens('--open-port', '8999');
      assert.equal(status, 0, output);
      assert.match(inWords('ufw', 'status'), /^8999\/tcp\s+ALLOW\s+Anywhere\s+# countersign-gate$/m);
      assert.equal(within(...words('uninstall')).status, 0);
      assert.equal(inWords('ufw', 'show', 'added'), walled);
      within('ufw', 'disable');
      within('nft', 'flush', 'ruleset');
    });

    test('in firewalld', async () => {
      host.run(['mkdir', '-p', '/run/dbus']);
      host.serve(['dbus-daemon', '--system', '--nofork']).stderr?.resume();
      host.serve(['ip', 'netns', 'exec', 'wall', 'firewalld', '--nofork', '--nopid']).stderr?.resume();
      await until(() => inWords('firewall-cmd', '--state') === 'running\n');
      const walled = inWords('firewall-cmd', '--list-all');
      const { status, output } = opens('--open-port');
      assert.equal(status, 0, output);
      assert.match(inWords('firewall-cmd', '--list-services'), /\bcountersign-gate\b/);
      assert.match(inWords('nft', 'list', 'ruleset'), /tcp dport 8475 accept/);
      assert.equal(within(...words('uninstall')).status, 0);
      assert.equal(inWords('firewall-cmd', '--list-all'), walled);
      assert.doesNotMatch(inWords('nft', 'list', 'ruleset'), /8475/);
    });
  });

  test('both: the password and the gate are needed', async () => {
    assert.equal((await runs(words('install', '--stand', 'both', '--no-second-session'))).status, 0);
    await inByPassword(su());
    verdict = 'denied';
    const no = su();
    await no.see('Password: ');
    no.type('pw-bob\n');
    await no.see('Authentication failure');
    verdict = 'granted';
    assert.equal(host.run(words('uninstall')).status, 0);
  });

  test('before: both are needed, and who gets no yes is asked for no password', async () => {
    assert.equal((await runs(words('install', '--stand', 'before', '--no-second-session'))).status, 0);
    await inByPassword(su());
    verdict = 'denied';
    const no = su();
    await no.see('Authentication failure');
    assert.doesNotMatch(no.screen, /Password/);
    verdict = 'granted';
    const wrong = su();
    await wrong.see('Password: ');
    wrong.type('pw-alice\n');
    await wrong.see('Authentication failure');
    assert.equal(host.run(words('uninstall')).status, 0);
  });

  test('instead: no password is asked, and it is not installed where no daemon answers', async () => {
    assert.equal((await runs(words('install', '--stand', 'instead', '--no-second-session'))).status, 0);
    const yes = su();
    await yes.see(/^bob$/m);
    assert.doesNotMatch(yes.screen, /Password/);
    verdict = 'denied';
    const no = su();
    await no.see('Authentication failure');
    assert.doesNotMatch(no.screen, /Password/);
    verdict = 'granted';
    assert.equal(host.run(words('uninstall')).status, 0);
    await listener.close();
    const { status, output } = host.run(words('install', '--stand', 'instead', '--no-second-session'));
    assert.equal(status, 1);
    assert.match(output, /no daemon answers/);
    assert.equal(stack(), original);
  });

  test('a password that is retired opens nothing more, and its service asks nobody for one', async () => {
    const data = ['--data', '/var/lib/countersign-test'];
    const standing = (user: string) => host.run(words('standing', user, ...data)).output.trim();
    assert.equal(standing('bob'), 'password only');
    // An empty one opens as well: to everybody.
    assert.equal(host.run(['passwd', '-d', 'alice']).status, 0);
    assert.equal(standing('alice'), 'password only');
    assert.equal(host.run(['chpasswd'], undefined, 'alice:pw-alice\n').status, 0);
    assert.equal(host.run(words('retire-password', 'bob', ...data)).status, 1);
    await using again = await servePam({
      socket,
      monotonic: () => performance.now(),
      authenticate: async () => verdict,
    });
    assert.ok(again);
    assert.equal(host.run(words('install', '--no-second-session')).status, 0);
    assert.equal(host.run(words('retire-password', 'carol', ...data)).status, 1);
    assert.equal(standing('bob'), 'both');
    const stacks = () => host.run(['sh', '-c', 'sha256sum /etc/pam.d/* /etc/shadow']).output;
    const untouched = stacks();
    const retire = (user: string, ...more: string[]) => words('retire-password', user, ...more, ...data);
    for (const [user, ...wrong] of [
      // One of two that is not known; a user without a password; a daemon that nobody has.
      ['bob', '--service', 'su', 'no-such-service'],
      ['daemon', '--service', 'su'],
      ['bob', '--service', 'su', '--option', 'socket=/nowhere.sock'],
    ]) {
      assert.equal(host.run(retire(user!, ...wrong, '--no-second-session')).status, 1);
      assert.equal(stacks(), untouched, wrong.join(' '));
    }
    const dry = await runs(retire('bob', '--service', 'su', '--dry-run'));
    assert.match(dry.output, /would write \/etc\/pam\.d\/su:[\s\S]*would set a random password of bob/);
    assert.equal(stacks(), untouched);
    const alone = host.terminal(retire('bob', '--service', 'su'));
    await alone.see('type in here: in');
    assert.equal(
      host.run(['grep', '^auth required', '/etc/pam.d/su']).output,
      `auth required pam_countersign.so mode=gate socket=${socket}\n`,
    );
    alone.type('no\n');
    assert.equal(await alone.ended(), 1);
    assert.equal(stacks(), untouched);
    const retiring = host.terminal(retire('bob', '--service', 'su'));
    await retiring.see('type in here: in');
    verdict = 'granted';
    await su().see(/^bob$/m);
    retiring.type('in\n');
    assert.equal(await retiring.ended(), 0, retiring.screen);
    const sealed = retiring.screen.trimEnd().split('\n').at(-1)!;
    assert.match(sealed, /^([A-Z2-7]{4}-){7}[A-Z2-7]{4}$/);
    assert.deepEqual(
      [standing('bob'), standing('alice'), standing('carol')],
      ['gate only', 'both', 'neither'],
    );
    verdict = 'granted';
    await su().see(/^bob$/m);
    verdict = 'denied';
    const no = su();
    await no.see('Authentication failure');
    assert.doesNotMatch(no.screen, /Password/);
    // Another service still has passwords: the old one is dead, the sealed one is not.
    for (const [password, seen] of [
      ['pw-bob', 'Login incorrect'],
      [sealed, '$'],
    ] as const) {
      const login = host.terminal(['login', 'bob']);
      await login.see('Password: ');
      login.type(`${password}\n`);
      await login.see(seen);
      await login.close();
    }
    const kept = host.run(words('uninstall'));
    assert.equal(kept.status, 1);
    assert.match(kept.output, /\/etc\/pam\.d\/su/);
  });

  test('the module is not taken away from under a stack that still names it', () => {
    host.run(['sh', '-c', 'echo "auth required pam_countersign.so" > /etc/pam.d/mine']);
    const { status, output } = host.run(words('uninstall'));
    assert.equal(status, 1);
    assert.match(output, /still name pam_countersign\.so: \/etc\/pam\.d\/mine/);
  });
});
