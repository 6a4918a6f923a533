/**
 * Push mode, whole: real login programs, the module, the listener, a broker that is a process, and people who
 * answer by the command line.
 */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, describe, test } from 'node:test';
import { Enquirer, systemClock } from '@countersign/client';
import { FileKeyStore, passphraseProtection, SqliteStateStore } from '@countersign/client/node';
import { webCrypto } from '@countersign/core/webcrypto';
import { type PamEvent, pushAuthenticator, Rates, SHARE, servePam } from '../packages/gate/src/pam/index.ts';
import { fieldsOf, type GatePeople } from './gate-people.ts';
import { countersignGate, startGate } from './gate-processes.ts';
import { createGateWorld } from './gate-world.ts';
import { type Host, SKIP } from './pam-host.ts';
import { startSshd, startVsftpd } from './pam-servers.ts';
import { PASSPHRASE } from './processes.ts';
import { until } from './until.ts';

describe('push mode', { skip: SKIP }, () => {
  const world = createGateWorld({ programs: true, people: ['alice', 'bob'] });
  const socket = world.pam;
  const line = world.line('mode=push');
  const events: PamEvent[] = [];
  let people: GatePeople;
  let host: Host;

  function passcodeOn(screen: string): string {
    const found = /with (\d{3}) (\d{3})\./.exec(screen);
    assert.ok(found, screen);
    return `${found[1]}${found[2]}`;
  }

  before(async () => {
    await world.ready();
    ({ people, host } = world);
    const state = new SqliteStateStore(join(world.at('host'), 'state.db'));
    world.ends.defer(() => state.close());
    const keys = await new FileKeyStore(
      join(world.at('host'), 'keys.json'),
      passphraseProtection(async () => PASSPHRASE),
    ).load();
    const monotonic = () => performance.now();
    const listener = await servePam({
      socket,
      monotonic,
      authenticate: pushAuthenticator({
        enquirer: new Enquirer({ keys: keys!, state, crypto: webCrypto, clock: systemClock }),
        accountOf: async (user) => (['alice', 'bob'].includes(user) ? `${user}@example.com` : undefined),
        host: 'db1.example.com',
        monotonic,
        passcode: true,
        shares: new Rates(SHARE),
      }),
      log: (event) => events.push(event),
    });
    world.ends.use(listener);
  });

  test('su: the person asked for sees who wants in, types the digits, and it goes on by itself', async () => {
    host.stack('su', line);
    const terminal = host.terminal(['su', 'alice', '-c', 'id -un'], 'bob');
    await terminal.see(/with \d{3} \d{3}\./);
    const question = await people.asked('alice');
    assert.deepEqual(
      question.question.parts.map(({ text }) => text),
      ['Let alice in on db1.example.com, by su?'],
    );
    const { Terminal, ...fields } = fieldsOf(question);
    assert.deepEqual(fields, {
      Host: 'db1.example.com',
      Service: 'su',
      User: 'alice',
      'Asked by user': 'bob',
    });
    assert.match(Terminal ?? '', /pts/);
    const passcode = passcodeOn(terminal.screen);
    await people.answer('alice', 'accept', question, passcode);
    await terminal.see(/^alice$/m);
    assert.equal(await terminal.ended(), 0);
  });

  test('su: a rejection shuts at once', async () => {
    const terminal = host.terminal(['su', 'alice', '-c', 'id -un'], 'bob');
    const question = await people.asked('alice');
    await people.answer('alice', 'reject', question);
    await terminal.see('su: Authentication failure');
    assert.doesNotMatch(terminal.screen, /^alice$/m);
    assert.notEqual(await terminal.ended(), 0);
  });

  test('sudo: the device shows the exact command', async () => {
    host.stack('sudo', line);
    host.write('/etc/sudoers', 'Defaults timestamp_timeout=0\nalice ALL=(ALL) ALL\n', 0o440);
    const terminal = host.terminal(['sudo', '-u', 'bob', 'sh', '-c', "id -un; echo 'it is'"], 'alice');
    await terminal.see(/with \d{3} \d{3}\./);
    const question = await people.asked('alice');
    assert.equal(question.question.parts[0]?.text, 'Run a command as another user on db1.example.com?');
    assert.equal(fieldsOf(question).Command, `sudo -u bob sh -c 'id -un; echo '\\''it is'\\'''`);
    const passcode = passcodeOn(terminal.screen);
    await people.answer('alice', 'accept', question, passcode);
    await terminal.see(/^bob\nit is$/m);
    assert.equal(await terminal.ended(), 0);
  });

  test('sshd: the digits stand in the prompt, and the device sees the address', async () => {
    host.stack('sshd', line);
    const ssh = await startSshd(host);
    const terminal = host.terminal(ssh('id', '-un'), 'bob');
    await terminal.see(/with \d{3} \d{3}\.\nThen press Enter: /);
    const question = await people.asked('alice');
    assert.equal(fieldsOf(question).From, '127.0.0.1');
    const passcode = passcodeOn(terminal.screen);
    await people.answer('alice', 'accept', question, passcode);
    terminal.type('\n');
    await terminal.see(/^alice$/m);
    assert.equal(await terminal.ended(), 0);
  });

  test('vsftpd: it shows nothing, so no digits are asked for; the answer opens', async () => {
    host.stack('vsftpd', line);
    const login = await startVsftpd(host);
    const reply = login('bob', 'not needed');
    const question = await people.asked('bob');
    assert.equal(question.question.passcode, undefined);
    assert.equal(fieldsOf(question).Service, 'vsftpd');
    await people.answer('bob', 'accept', question);
    assert.equal(await reply, '230 Login successful.');
  });

  test('who leaves takes the question with them: it is cancelled, and can’t be accepted', async () => {
    const terminal = host.terminal(['su', 'bob', '-c', 'id -un'], 'alice');
    await terminal.see(/with \d{3} \d{3}\./);
    const question = await people.asked('bob');
    const passcode = passcodeOn(terminal.screen);
    terminal.type('\x03');
    assert.notEqual(await terminal.ended(), 0);
    await until(
      async () => (await people.pending('bob')).length === 0,
      () => 'the question still stands',
    );
    assert.notEqual((await people.tryAnswer('bob', 'accept', question, passcode)).status, 0);
  });

  test('a user without an account looks like one who does not answer', async () => {
    host.run(['useradd', '-m', 'carol']);
    host.stack('su', `${line} timeout=7`);
    const tries = ['bob', 'carol'].map(async (user) => {
      const began = performance.now();
      const terminal = host.terminal(['su', user, '-c', 'id -un'], 'alice');
      const status = await terminal.ended();
      const screen = terminal.screen.replace(/\d{3} \d{3}/, '### ###');
      return { screen, status, seconds: (performance.now() - began) / 1000 };
    });
    const [known, unknown] = (await Promise.all(tries)) as [
      Awaited<(typeof tries)[0]>,
      Awaited<(typeof tries)[0]>,
    ];
    assert.equal(unknown.screen, known.screen);
    assert.equal(unknown.status, known.status);
    assert.match(known.screen, /Authentication failure/);
    assert.ok(Math.abs(known.seconds - unknown.seconds) < 2, `${known.seconds} and ${unknown.seconds}`);
  });

  test('by `serve`, for one who has no validator: one command says whose account it is, and another takes it away', async () => {
    const { data } = world;
    const [pam, passphrase] = [world.at('serve.sock'), world.at('passphrase')];
    writeFileSync(passphrase, `${PASSPHRASE}\n`, { mode: 0o600 });
    await world.command('configure', '--host', 'db1.example.com', '--address', 'db1.example.com:8475');
    await world.command('account', 'alice', 'alice@example.com');
    const gate = await startGate(data, {
      pam,
      args: ['--account', world.at('host')],
      env: { COUNTERSIGN_PASSPHRASE_FILE: passphrase },
    });
    try {
      host.stack('su', `${line.replace(socket, pam)} timeout=60`);
      const terminal = host.terminal(['su', 'alice', '-c', 'id -un'], 'bob');
      await terminal.see(/with \d{3} \d{3}\./);
      const question = await people.asked('alice');
      assert.equal(fieldsOf(question).Host, 'db1.example.com');
      await people.answer('alice', 'accept', question, passcodeOn(terminal.screen));
      await terminal.see(/^alice$/m);
      assert.equal(await terminal.ended(), 0);

      host.stack('su', `${line.replace(socket, pam)} timeout=7`);
      assert.equal((await countersignGate(data, ['disable', 'alice'])).status, 0);
      assert.match((await countersignGate(data, ['list'])).stdout, /alice {2}no validator {2}disabled/);
      assert.notEqual(await host.terminal(['su', 'alice', '-c', 'id -un'], 'bob').ended(), 0);
      assert.deepEqual(await people.pending('alice'), [], 'who is disabled is not even asked');
      assert.equal((await countersignGate(data, ['enable', 'alice'])).status, 0);

      assert.equal((await countersignGate(data, ['remove', 'alice'])).status, 0);
      const gone = host.terminal(['su', 'alice', '-c', 'id -un'], 'bob');
      assert.notEqual(await gone.ended(), 0);
      assert.deepEqual(await people.pending('alice'), []);
      assert.equal((await countersignGate(data, ['show', 'alice'])).status, 1);
    } finally {
      await gate.stop();
    }
  });

  test('where the broker can’t be reached nobody comes in, and for all in the same words', async () => {
    host.stack('su', line);
    await world.broker.stop();
    for (const user of ['bob', 'carol']) {
      const terminal = host.terminal(['su', user, '-c', 'id -un'], 'alice');
      await terminal.see('su: Authentication service cannot retrieve authentication info');
      assert.notEqual(await terminal.ended(), 0);
    }
  });
});
