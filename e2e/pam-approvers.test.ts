/**
 * Approvers within PAM, whole: sudo and su wait in gate mode while people whom the host asks at a broker answer by the
 * command line.
 */
import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import type { SignOnContext } from '@countersign/core/m-auth';
import { fieldsOf, type GatePeople } from './gate-people.ts';
import { pairValidator, type TestValidator } from './gate-validator.ts';
import { createGateWorld, passcodeOn } from './gate-world.ts';
import { type Host, SKIP } from './pam-host.ts';
import { until } from './until.ts';

const APPROVERS = ['bob', 'carol', 'dave'] as const;
/** All that an attempt may take by su, in seconds: nobody answers there. */
const SU_SECONDS = 45;

describe('approvers within PAM', { skip: SKIP }, () => {
  const world = createGateWorld({ name: 'db1.example', programs: true, people: ['alice', ...APPROVERS] });
  let people: GatePeople;
  let host: Host;
  let alice: TestValidator;

  before(async () => {
    await world.ready();
    ({ people, host } = world);
    alice = await pairValidator(world.data, 'alice');
    const approvers = APPROVERS.map((name) => `${name}@example.com`);
    await world.command('approvers', 'alice', ...approvers, '--needed', '2', '--own', 'alice@example.com');
    await world.serve({ pam: world.pam, account: true });
    host.stack('sudo', world.line('mode=gate', 'timeout=180'));
    host.stack('su', world.line('mode=gate', `timeout=${SU_SECONDS}`));
    host.write('/etc/sudoers', 'Defaults timestamp_timeout=0, passwd_tries=1\nalice ALL=(ALL) ALL\n', 0o440);
  });

  /** A program of Alice’s, whose validator says yes by itself. */
  async function signOn(words: readonly string[], user: string) {
    const terminal = host.terminal(words, user);
    const passcode = await passcodeOn(terminal);
    let context: SignOnContext | undefined;
    const signed = alice.signOn(passcode, async ({ message }) => {
      context = message.context;
      return { answer: 'accept', by: 'rule' };
    });
    return { terminal, signed, context: () => context! };
  }
  const sudo = () => signOn(['sudo', '-u', 'bob', 'sh', '-c', "id -un; echo 'a b'"], 'alice');
  const su = () => signOn(['su', 'alice', '-c', 'id -un'], 'bob');

  /** Nobody is asked any more, and the demultiplexer forwards nothing. */
  async function allIsClosed(): Promise<void> {
    for (const who of APPROVERS) {
      await until(
        async () => (await people.pending(who)).length === 0,
        () => `${who} is asked still`,
      );
    }
    const count = (event: string) => world.demultiplexer.lines.filter((one) => one.event === event).length;
    await until(() => count('joined') === count('pair-ended'));
  }

  test('sudo: two of three agree to what the person saw, and the command is run; the third is asked no more', async () => {
    const { terminal, signed, context } = await sudo();
    const question = await people.asked('bob');
    const { account, tty, command } = context();
    assert.equal(command, `sudo -u bob sh -c 'id -un; echo '\\''a b'\\''' (in folder /)`);
    assert.deepEqual(fieldsOf(question), {
      User: account,
      Host: 'db1.example',
      Service: 'sudo',
      Terminal: tty,
      Command: command,
      From: context().remote,
    });
    assert.deepEqual(await people.pending('alice'), []);
    await people.answer('bob', 'accept', question);
    const second = await people.asked('carol');
    assert.doesNotMatch(terminal.screen, /^bob$/m, 'one is not enough');
    await people.answer('carol', 'accept', second);
    assert.equal((await signed).end.outcome, 'granted');
    await terminal.see(/^bob\na b$/m);
    assert.equal(await terminal.ended(), 0);
    await allIsClosed();
  });

  test('sudo: one of them says no, and the command is not run', async () => {
    const { terminal, signed } = await sudo();
    await people.answer('carol', 'accept', await people.asked('carol'));
    await people.answer('dave', 'reject', await people.asked('dave'));
    assert.deepEqual((await signed).end, { outcome: 'refused', reason: 'approver' });
    assert.equal(await terminal.ended(), 1);
    assert.doesNotMatch(terminal.screen, /^bob$/m);
    await allIsClosed();
  });

  test('su: who gives up while approvers are asked takes the question back', async () => {
    const { terminal, signed } = await su();
    const question = await people.asked('bob');
    terminal.type('\u0003');
    assert.notEqual(await terminal.ended(), 0);
    assert.notEqual((await signed).end.outcome, 'granted');
    await allIsClosed();
    assert.notEqual((await people.tryAnswer('bob', 'accept', question)).status, 0);
  });

  // Comes last: who was asked and did not answer is left alone for a while.
  test('su: too few answer in time, and a yes after that opens nothing', async () => {
    const began = performance.now();
    const { terminal, signed } = await su();
    const [first, late] = [await people.asked('bob'), await people.asked('carol')];
    await people.answer('bob', 'accept', first);
    assert.deepEqual((await signed).end, { outcome: 'refused', reason: 'approval-late' });
    await terminal.see('su: Authentication failure');
    assert.notEqual(await terminal.ended(), 0);
    assert.ok(performance.now() - began < (SU_SECONDS + 30) * 1000);
    assert.notEqual((await people.tryAnswer('carol', 'accept', late)).status, 0);
    assert.doesNotMatch(terminal.screen, /^alice$/m);
    await allIsClosed();
  });
});
