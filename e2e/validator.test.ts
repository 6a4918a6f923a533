/**
 * The validator's command line, as a process of its own, against a host on a real port.
 */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { cp, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { parseEraseStatement } from '@countersign/core/m-auth';
import decodeQR from 'qr/decode.js';
import { countersign, type RunOptions, temporaryFolder } from './processes.ts';
import { SigningHost } from './signing-host.ts';

const run = promisify(execFile);
let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let host: SigningHost;
before(async () => {
  folder = await temporaryFolder();
  host = await SigningHost.start();
});
after(async () => {
  await host[Symbol.asyncDispose]();
  await folder[Symbol.asyncDispose]();
});

/** What `countersign validator` starts. */
const PROGRAM = fileURLToPath(import.meta.resolve('@countersign/gate/validator'));

const store = (name = 'phone') => join(folder.path, name);

function validator(words: readonly string[], options: RunOptions & { store?: string } = {}) {
  const env = { COUNTERSIGN_VALIDATOR: options.store ?? store(), ...options.env };
  return countersign('none', words, { program: PROGRAM, ...options, env });
}

async function pair(name: string, words: readonly string[] = []) {
  const { link, ended } = host.enroll();
  const [run, event] = await Promise.all([
    validator(['add', link, '--yes', '--json', ...words], { store: store(name) }),
    ended,
  ]);
  assert.equal(run.status, 0, run.stderr);
  assert.equal(event.kind, 'paired');
  return JSON.parse(run.stdout) as { added: string; erase: string };
}

async function signOn(
  passcode: string,
  shown: string,
  words: readonly string[],
  options: RunOptions & { store?: string } = {},
) {
  const { ended } = host.open(shown);
  const run = await validator(['sign-on', 'server', passcode, ...words], options);
  const events = passcode === shown ? await ended : [];
  return { run, granted: events.some(({ kind }) => kind === 'granted'), events };
}

/** Reads a QR code of half blocks, the light ones drawn, as on a dark terminal. */
function scan(rows: readonly string[]): string {
  const SCALE = 4;
  const [width, height] = [Math.max(...rows.map((row) => row.length)) * SCALE, rows.length * 2 * SCALE];
  const data = new Uint8Array(width * height * 4).fill(255);
  for (let i = 0; i < width * height; i++) {
    const [x, y] = [Math.floor((i % width) / SCALE), Math.floor(i / width / SCALE)];
    const drawn = y % 2 === 0 ? '█▀' : '█▄';
    if (!drawn.includes(rows[y >> 1]![x] ?? ' ')) data.fill(0, i * 4, i * 4 + 3);
  }
  return decodeQR({ width, height, data });
}

describe('countersign validator', () => {
  test('says all there is to know by --help, and what it is not told is a mistake', async () => {
    const helps = [[], ['add'], ['list'], ['sign-on'], ['rules'], ['remove'], ['erase']];
    for (const { status, stdout } of await Promise.all(
      helps.map((words) => validator([...words, '--help'])),
    )) {
      assert.equal(status, 0);
      assert.match(stdout, /Usage: countersign validator/);
      assert.match(stdout, /Exit status:/);
    }
    const wrong = [['nope'], ['sign-on'], ['erase'], ['add', 'ABCD'], ['erase', '--all', '--show']];
    for (const { status } of await Promise.all(wrong.map((words) => validator(words)))) {
      assert.ok([9, 64].includes(status), String(status));
    }
    const through = await countersign('none', ['validator', 'sign-on', '--help']);
    assert.match(through.stdout, /countersign validator sign-on/, 'and `countersign` starts it');
    assert.deepEqual(await readdir(folder.path), [], 'and nothing was made');
  });

  test('pairs, shows the statement for paper, and lists; keys are sealed on the disk', async () => {
    const { erase } = await pair('phone', ['--name', 'server']);
    assert.equal(parseEraseStatement(erase).scope, 'all');
    const { stdout } = await validator(['list', '--json']);
    const { interfaces } = JSON.parse(stdout);
    assert.deepEqual(
      interfaces.map(({ name, account, host, services }: Record<string, unknown>) => ({
        name,
        account,
        host,
        services,
      })),
      [{ name: 'server', account: 'alice', host: 'server.example', services: ['login', 'sshd'] }],
    );
    for (const file of await readdir(store())) {
      const bytes = await readFile(join(store(), file));
      for (const word of ['alice', 'server', 'ratchet', 'm-auth validator/1'])
        assert.ok(!bytes.includes(word), `${file}: ${word}`);
    }
    const wrong = await validator(['list'], { env: { COUNTERSIGN_PASSPHRASE: 'another' } });
    assert.equal(wrong.status, 9);
    assert.match(wrong.stderr, /passphrase-wrong/);
  });

  test('signs on when the person says yes on a terminal, having been shown all of it', async () => {
    const { run, granted } = await signOn('123456', '123456', [], { terminal: true, input: 'y\n' });
    assert.equal(run.status, 0, run.stdout + run.stderr);
    assert.ok(granted);
    for (const word of ['alice', 'server.example', 'sshd', '127.0.0.1', 'Signed on']) {
      assert.ok(run.stdout.includes(word), word);
    }
    assert.match(run.stdout, /\d+ s left/);
  });

  test('denies when the person says no, and reports a fraud', async () => {
    const no = await signOn('234567', '234567', [], { terminal: true, input: 'n\n' });
    assert.deepEqual([no.run.status, no.granted], [1, false]);
    const fraud = await signOn('234568', '234568', [], { terminal: true, input: 'f\n' });
    assert.deepEqual([fraud.run.status, fraud.granted], [1, false]);
    assert.ok(fraud.events.some((event) => event.kind === 'denied' && event.why === 'fraud' && event.alarm));
  });

  test('with nobody to ask and no rule denies', async () => {
    const { run, granted } = await signOn('345678', '345678', ['--json']);
    assert.equal(granted, false);
    assert.equal(run.status, 1);
    assert.equal(JSON.parse(run.stdout).outcome, 'answered');
  });

  test('with a passcode that the interface does not show: refused, and the person is warned', async () => {
    const { run } = await signOn('111111', '222222', []);
    assert.equal(run.status, 3);
    assert.match(run.stderr, /the screen is not the interface that you picked/);
  });

  test('by rules accepts what they allow, and denies the rest', async () => {
    await validator([
      'rules',
      'server',
      '--service',
      'sshd',
      '--network',
      '127.0.0.0/8',
      '--otherwise',
      'accept',
    ]);
    const yes = await signOn('456789', '456789', ['--json']);
    assert.deepEqual([yes.run.status, yes.granted, JSON.parse(yes.run.stdout).outcome], [0, true, 'granted']);
    await validator(['rules', 'server', '--network', '10.0.0.0/8', '--otherwise', 'accept']);
    const no = await signOn('567890', '567890', []);
    assert.deepEqual([no.run.status, no.granted], [1, false]);
    assert.match(no.run.stderr, /Denied by your rules: network/);
    await validator(['rules', 'server', '--otherwise', 'accept']);
    const other = await signOn('678901', '678901', ['--service', 'login']);
    assert.deepEqual([other.run.status, other.granted], [1, false]);
  });

  test('of a copied folder fails after the next success, with the alarm', async () => {
    await cp(store(), store('copy'), { recursive: true });
    assert.ok((await signOn('100001', '100001', [])).granted);
    const { run, granted, events } = await signOn('100002', '100002', [], { store: store('copy') });
    assert.deepEqual([run.status, granted], [7, false]);
    assert.match(run.stderr, /ALARM/);
    assert.ok(events.some((event) => event.kind === 'denied' && event.why === 'old-ratchet' && event.alarm));
    assert.ok((await signOn('100003', '100003', [])).granted, 'and the owner goes on');
  });

  test('picks nothing by itself: a name that is not in the list is no interface', async () => {
    const { status, stderr } = await validator(['sign-on', host.address, '123456']);
    assert.equal(status, 9);
    assert.match(stderr, /interface-unknown/);
  });

  test('on a terminal the statement is a QR code too, which a camera reads', async () => {
    const { link, ended } = host.enroll();
    const words = ['add', link, '--yes', '--name', 'server'];
    const [run] = await Promise.all([validator(words, { store: store('shown'), terminal: true }), ended]);
    assert.equal(run.status, 0, run.stdout);
    const [statement] = /countersign-erase:all:[A-Z2-7-]+/.exec(run.stdout)!;
    assert.equal(scan(run.stdout.split('\n').filter((line) => /^[█▀▄ ]{20,}$/.test(line))), statement);
  });

  test('is asked for the code, which stands on no command line and no screen', async () => {
    const { link, ended } = host.enroll();
    const words = ['add', '--yes', '--name', 'server'];
    const options = { store: store('asked'), terminal: true, answers: [link] };
    const [run] = await Promise.all([validator(words, options), ended]);
    assert.equal(run.status, 0, run.stdout);
    assert.match(run.stdout, /Paired: server/);
    assert.ok(!run.stdout.includes('countersign-pair:'), run.stdout);
  });

  test('reads the code from standard input, and says so where nobody can be asked', async () => {
    const { link, ended } = host.enroll();
    const words = ['add', '-', '--yes', '--name', 'server'];
    const options = { store: store('piped'), input: `${link}\n` };
    const [run] = await Promise.all([validator(words, options), ended]);
    assert.equal(run.status, 0, run.stderr);
    const none = await validator(['add', '--yes'], { store: store('nobody') });
    assert.equal(none.status, 64);
    assert.match(none.stderr, /standard input/);
  });

  test('takes no second interface of one name, and leaves no key of the first try', async () => {
    const { link, ended } = host.enroll();
    const [run, event] = await Promise.all([validator(['add', link, '--yes', '--name', 'server']), ended]);
    assert.equal(run.status, 9);
    assert.match(run.stderr, /interface-exists/);
    assert.equal(event.kind, 'failed');
  });

  test('remove ends the pair on the host too', async () => {
    await pair('tablet', ['--name', 'server']);
    const before = host.records.size;
    const { status, stdout } = await validator(['remove', 'server'], { store: store('tablet') });
    assert.equal(status, 0);
    assert.match(stdout, /The host says that it is gone there too/);
    assert.equal(host.records.size, before - 1);
    assert.match(
      (await validator(['list', '--json'], { store: store('tablet') })).stdout,
      /"interfaces":\[\]/,
    );
  });

  test('erase --all needs no passphrase and no network, takes less than a second, and leaves nothing', async (t) => {
    const env = { COUNTERSIGN_PASSPHRASE: 'not the one' };
    const timed = [
      '-c',
      'TIMEFORMAT="%R %U %S"; time "$@" >&2',
      'bash',
      process.execPath,
      PROGRAM,
      'erase',
      '--all',
    ];
    const took: number[] = [];
    // What the machine does besides is left out: the time by the clock or, if that is less, by the processor; the best of a few.
    while (took.length < 5 && (took.at(-1) ?? 1) >= 1) {
      const one = store(`erased-${took.length}`);
      await cp(store('copy'), one, { recursive: true });
      const { stderr } = await run('bash', timed, {
        env: { ...process.env, ...env, COUNTERSIGN_VALIDATOR: one },
      });
      const [real, user, system] = stderr.trim().split('\n').at(-1)!.split(' ').map(Number);
      took.push(Math.min(real!, user! + system!));
      assert.deepEqual(await readdir(one), []);
      assert.equal((await validator(['sign-on', 'server', '123456'], { store: one })).status, 9);
    }
    t.diagnostic(`erased in ${took.join(', ')} s, the start of the program with it`);
    assert.ok(took.at(-1)! < 1, `${took.join(', ')} s`);
  });

  test('a host that does not answer is said so', async () => {
    const dead = await SigningHost.start();
    const { link } = dead.enroll();
    await dead[Symbol.asyncDispose]();
    const { status, stderr } = await validator(['add', link, '--yes'], { store: store('unreachable') });
    assert.equal(status, 69);
    assert.match(stderr, /does not answer/);
  });
});
