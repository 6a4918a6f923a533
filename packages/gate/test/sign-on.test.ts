import assert from 'node:assert/strict';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, test } from 'node:test';
import { sendErasure } from '@countersign/client/m-auth';
import { nodeNoise } from '@countersign/client/node';
import { decodeBase64url, encodeBase64url, type Field } from '@countersign/core';
import type { InterfaceRecord } from '@countersign/core/m-auth';
import { until } from '../../../e2e/until.ts';
import { listenForErasures } from '../src/host/erase-listener.ts';
import { HostRecords } from '../src/host/host-records.ts';
import { type AskApprovers, approversBy } from '../src/sign-on/approvers.ts';
import { ACCEPT, HOST, startHost } from './host.ts';

const DOOR = { service: 'login', tty: 'tty1' };
const SHORT = { gateMs: 5000, acknowledgeSeconds: 1 };

test('paired once: signs on again and again, with what it is about before the person’s eyes', async () => {
  await using host = await startHost();
  const alice = await host.pair('alice');
  for (let i = 0; i < 3; i++) {
    const signOn = await host.gate.open('alice', { ...DOOR, command: 'id -u' });
    assert.equal(signOn.stage, 'gate');
    const { end } = await alice.signOn(signOn.passcode, ({ message }) => {
      assert.equal(signOn.stage, 'shown');
      const { time: _, ...context } = message.context;
      assert.deepEqual(context, { account: 'alice', host: HOST, ...DOOR, command: 'id -u' });
      return ACCEPT;
    });
    assert.equal(end.outcome, 'granted');
    assert.equal((await signOn.result).outcome, 'granted');
  }
  assert.deepEqual(
    host.records.journal('alice').map(({ what }) => what),
    ['granted', 'granted', 'granted'],
  );
});

test('a person who says no is obeyed', async () => {
  await using host = await startHost();
  const alice = await host.pair('alice');
  for (const answer of ['deny', 'fraud'] as const) {
    const signOn = await host.gate.open('alice', DOOR);
    await alice.signOn(signOn.passcode, () => ({ answer, by: 'person' }));
    assert.equal((await signOn.result).outcome, 'refused');
  }
  assert.deepEqual(
    host.records.journal('alice').map(({ what }) => what),
    ['alarm: fraud', 'denied'],
  );
});

test('each try has another passcode, and an old one opens nothing', async () => {
  await using host = await startHost();
  const alice = await host.pair('alice');
  const first = await host.gate.open('alice', DOOR);
  first.cancel();
  await first.result;
  const second = await host.gate.open('alice', DOOR);
  assert.notEqual(second.passcode, first.passcode);
  assert.equal((await alice.signOn(first.passcode)).end.outcome, 'not-recognised');
  assert.equal((await alice.signOn(second.passcode)).end.outcome, 'granted');
});

test('a passcode that comes too late opens nothing', async () => {
  await using host = await startHost(SHORT);
  const alice = await host.pair('alice');
  const signOn = await host.gate.open('alice', DOOR);
  assert.equal((await signOn.result).outcome, 'late');
  assert.equal((await alice.signOn(signOn.passcode)).end.outcome, 'not-recognised');
});

test('an acknowledgement that comes too late opens nothing', async () => {
  await using host = await startHost(SHORT);
  const alice = await host.pair('alice');
  const signOn = await host.gate.open('alice', DOOR);
  await alice.signOn(signOn.passcode, async () => {
    await new Promise((resolve) => setTimeout(resolve, 1300));
    return ACCEPT;
  });
  const result = await signOn.result;
  // whose clock is first ends it
  assert.ok(result.outcome !== 'granted' && ['unacknowledged', 'lost'].includes(result.why));
});

test('crossed passcodes open nothing, and both can still succeed', async () => {
  await using host = await startHost();
  const [alice, bob] = [await host.pair('alice'), await host.pair('bob')];
  const screens = [await host.gate.open('alice', DOOR), await host.gate.open('bob', DOOR)] as const;
  assert.equal((await alice.signOn(screens[1].passcode)).end.outcome, 'not-recognised');
  assert.equal((await bob.signOn(screens[0].passcode)).end.outcome, 'not-recognised');
  assert.equal((await alice.signOn(screens[0].passcode)).end.outcome, 'granted');
  assert.equal((await bob.signOn(screens[1].passcode)).end.outcome, 'granted');
});

test('two screens of one user: a passcode opens the one on which it stands', async () => {
  await using host = await startHost();
  const alice = await host.pair('alice');
  const [one, two] = [await host.gate.open('alice', DOOR), await host.gate.open('alice', DOOR)];
  assert.equal((await alice.signOn(two.passcode)).end.outcome, 'granted');
  assert.equal(one.stage, 'gate');
  // the ratchet has moved under the first, which goes on from there
  await new Promise((resolve) => setTimeout(resolve, 300));
  assert.equal((await alice.signOn(one.passcode)).end.outcome, 'granted');
  assert.equal((await one.result).outcome, 'granted');
});

test('an unknown user is shown a passcode and a gate like anyone, and nobody comes', async () => {
  await using host = await startHost(SHORT);
  const signOn = await host.gate.open('mallory', DOOR);
  assert.match(signOn.passcode, /^\d{6}$/);
  assert.deepEqual(await signOn.result, { outcome: 'late', why: 'unanswered' });
});

describe('a pair for some services', () => {
  /** A validator that is modified so as to take its pair for all of them. */
  async function modified(host: Awaited<ReturnType<typeof startHost>>, services: readonly string[]) {
    const alice = await host.pair('alice', 'modified', services);
    alice.record = { ...alice.record, services: ['*'] };
    return alice;
  }

  test('opens these, and no other, whatever the validator takes it for', async () => {
    await using host = await startHost(SHORT);
    const alice = await modified(host, ['wifi', 'web']);
    const elsewhere = await host.gate.open('alice', DOOR);
    assert.equal((await alice.signOn(elsewhere.passcode)).end.outcome, 'not-recognised');
    assert.deepEqual(await elsewhere.result, { outcome: 'late', why: 'unanswered' });
    // As with a user who has no validator: nothing is counted, and nothing said.
    assert.deepEqual([host.records.pairsOf('alice')[0]!.failed, host.records.journal('alice')], [0, []]);
    const signOn = await host.gate.open('alice', { service: 'wifi' });
    assert.equal((await alice.signOn(signOn.passcode)).end.outcome, 'granted');
    assert.equal((await signOn.result).outcome, 'granted');
  });

  test('leaves a gate of another service alone when its own has moved it', async () => {
    await using host = await startHost();
    const [wifi, phone] = [await modified(host, ['wifi']), await host.pair('alice')];
    const signOn = await host.gate.open('alice', DOOR);
    const other = await host.gate.open('alice', { service: 'wifi' });
    assert.equal((await wifi.signOn(other.passcode)).end.outcome, 'granted');
    assert.equal((await wifi.signOn(signOn.passcode)).end.outcome, 'not-recognised');
    assert.equal((await phone.signOn(signOn.passcode)).end.outcome, 'granted');
  });
});

describe('disabling', () => {
  test('lets nobody in any more, until the user is enabled', async () => {
    await using host = await startHost(SHORT);
    const alice = await host.pair('alice');
    host.records.setDisabled('alice', true);
    const signOn = await host.gate.open('alice', DOOR);
    assert.equal((await alice.signOn(signOn.passcode)).end.outcome, 'not-recognised');
    assert.equal((await signOn.result).outcome, 'late');
    host.records.setDisabled('alice', false);
    const again = await host.gate.open('alice', DOOR);
    assert.equal((await alice.signOn(again.passcode)).end.outcome, 'granted');
  });

  test('cuts a sign-on in progress, also from another process', async () => {
    await using host = await startHost();
    const alice = await host.pair('alice');
    const signOn = await host.gate.open('alice', DOOR);
    const elsewhere = new HostRecords(`${host.folder}/data`);
    const { end } = await alice.signOn(signOn.passcode, async () => {
      elsewhere.setDisabled('alice', true);
      await new Promise((resolve) => setTimeout(resolve, 2000));
      return ACCEPT;
    });
    elsewhere.close();
    assert.deepEqual(end, { outcome: 'refused', reason: 'withdrawn' });
    assert.deepEqual(await signOn.result, { outcome: 'failed', why: 'withdrawn' });
  });

  test('reaches a gate at which nobody has come yet', async () => {
    await using host = await startHost(SHORT);
    const alice = await host.pair('alice');
    const signOn = await host.gate.open('alice', DOOR);
    host.records.setDisabled('alice', true);
    await new Promise((resolve) => setTimeout(resolve, 400));
    assert.equal((await alice.signOn(signOn.passcode)).end.outcome, 'not-recognised');
    assert.equal((await signOn.result).outcome, 'late');
  });
});

test('a demultiplexer that is started anew finds the gates that stand open', async () => {
  await using host = await startHost();
  const alice = await host.pair('alice');
  const signOn = await host.gate.open('alice', DOOR);
  await host.demultiplexer.stop();
  await host.demultiplexer.start();
  await new Promise((resolve) => setTimeout(resolve, 300));
  assert.equal((await alice.signOn(signOn.passcode)).end.outcome, 'granted');
});

test('without a demultiplexer no gate opens', async () => {
  await using host = await startHost();
  await host.demultiplexer.stop();
  await assert.rejects(host.gate.open('alice', DOOR), { code: 'gate-unavailable' });
});

test('one user opens so many gates at a time, and in a minute', async () => {
  await using host = await startHost();
  const open = [];
  for (let i = 0; i < 4; i++) open.push(await host.gate.open('alice', DOOR));
  await assert.rejects(host.gate.open('alice', DOOR), { code: 'too-many-pending' });
  await host.gate.open('alice', { ...DOOR, tty: 'tty2' });
  await host.gate.open('bob', DOOR);
  for (let i = 4; i < 20; i++) {
    const oldest = open.shift()!;
    oldest.cancel();
    await oldest.result;
    open.push(await host.gate.open('alice', DOOR));
  }
  open[0]!.cancel();
  await open[0]!.result;
  await assert.rejects(host.gate.open('alice', DOOR), { code: 'too-often' });
});

test('whoever tries names from one place comes to an end', async () => {
  await using host = await startHost();
  for (let i = 0; i < 32; i++) await host.gate.open(`name${i}`, DOOR);
  await assert.rejects(host.gate.open('alice', DOOR), { code: 'too-many-pending' });
  await host.gate.open('alice', { ...DOOR, tty: 'tty2' });
});

test('what can’t be shown whole is signed on to by nobody', async () => {
  await using host = await startHost(SHORT);
  const alice = await host.pair('alice');
  const signOn = await host.gate.open('alice', { ...DOOR, command: 'x'.repeat(2000) });
  assert.equal((await alice.signOn(signOn.passcode)).end.outcome, 'not-recognised');
});

test('an erase statement that is sent kills its pair, and no other, and the host says so', async (t) => {
  await using host = await startHost();
  const [alice, bob] = [await host.pair('alice'), await host.pair('bob')];
  // Of the release before: two pairs that chose one tag, at the head of all that are announced.
  const [{ id: _, ...chosen }] = host.records.pairsOf('bob') as [InterfaceRecord];
  const before = new DatabaseSync(join(host.folder, 'data', 'gate.db'));
  for (const id of ['0', '1'].map((digit) => encodeBase64url(new Uint8Array(16).fill(Number(digit))))) {
    const add = before.prepare('INSERT INTO pairs (id, user, made_at, record) VALUES (?, ?, 0, ?)');
    add.run(id, 'mallory', JSON.stringify({ ...chosen, id }));
  }
  before.close();
  const over = new AbortController();
  t.after(() => over.abort());
  const erased = Promise.withResolvers<string>();
  const listening = listenForErasures({
    records: host.records,
    demultiplexer: { path: `${host.folder}/interfaces.sock` },
    noise: nodeNoise,
    signal: over.signal,
    erased: erased.resolve,
  });
  const send = async (token: Uint8Array) => {
    const pair = { id: alice.record.id, addresses: ['there'], erase: encodeBase64url(token) };
    return sendErasure(nodeNoise, pair, () => host.connect());
  };
  assert.equal(await send(nodeNoise.randomBytes(16)), false);
  assert.equal(host.records.pairsOf('alice').length, 1);
  await until(
    () => send(decodeBase64url(alice.record.erase)),
    () => 'the host has never announced it',
  );
  assert.equal(await erased.promise, 'alice');
  // and what is gone is confirmed by nobody
  assert.equal(await send(decodeBase64url(alice.record.erase)), false);
  assert.equal(host.records.pairsOf('alice').length, 0);
  const signOn = await host.gate.open('bob', DOOR);
  assert.equal((await bob.signOn(signOn.passcode)).end.outcome, 'granted');
  over.abort();
  await listening;
});

describe('approvers', () => {
  const rule = {
    needed: 2,
    of: ['bob@example.com', 'carol@example.com', 'alice@example.com', 'BOB@example.com'],
  };

  /** An enquirer whose accounts answer as they are told to. */
  function answering(answers: Record<string, string>) {
    const cancelled: string[] = [];
    const asked: string[] = [];
    const shown: (readonly Field[])[] = [];
    const enquirer = {
      async ask({ account, fields }: { account: string; fields?: readonly Field[] }) {
        asked.push(account);
        shown.push(fields ?? []);
        return { hash: account } as never;
      },
      async wait(hash: string, signal?: AbortSignal) {
        const outcome = answers[hash];
        if (outcome !== undefined) return { outcome } as never;
        await new Promise((resolve) => signal?.addEventListener('abort', resolve));
        return { outcome: 'pending', expiresAt: 0 } as never;
      },
      async cancel(hash: string) {
        cancelled.push(hash);
      },
    };
    return { asked, shown, cancelled, ask: approversBy(async () => enquirer) };
  }

  async function run(approvers: AskApprovers | undefined) {
    await using host = await startHost(approvers === undefined ? {} : { approvers });
    const alice = await host.pair('alice');
    host.records.setUser('alice', { account: 'alice@example.com', approvals: rule });
    const signOn = await host.gate.open('alice', DOOR);
    const [{ end }, result] = await Promise.all([alice.signOn(signOn.passcode), signOn.result]);
    return { end: end.outcome, result };
  }

  test('enough of them agree, and the one who signs on is never asked', async () => {
    const world = answering({ 'bob@example.com': 'accepted', 'carol@example.com': 'accepted' });
    const { end, result } = await run(world.ask);
    assert.equal(end, 'granted');
    assert.equal(result.outcome, 'granted');
    assert.deepEqual(world.asked.sort(), ['bob@example.com', 'carol@example.com']);
    const context = [
      { name: 'User', value: 'alice' },
      { name: 'Host', value: HOST },
      { name: 'Service', value: DOOR.service },
      { name: 'Terminal', value: DOOR.tty },
    ];
    assert.deepEqual(world.shown, [context, context]);
  });

  test('one rejection ends it, and the others’ questions are cancelled', async () => {
    const world = answering({ 'bob@example.com': 'rejected' });
    const { end, result } = await run(world.ask);
    assert.equal(end, 'refused');
    assert.equal(result.outcome, 'approver-denied');
    assert.deepEqual(world.cancelled, ['carol@example.com']);
  });

  test('a question that expires is no consent: with too few left it ends, closed', async () => {
    const { result } = await run(answering({ 'bob@example.com': 'expired' }).ask);
    assert.deepEqual(result, { outcome: 'failed', why: 'withdrawn' });
  });

  test('a broker that can’t be reached closes it', async () => {
    const unreachable = approversBy(async () => {
      throw new Error('no route');
    });
    assert.deepEqual((await run(unreachable)).result, { outcome: 'failed', why: 'withdrawn' });
  });

  test('a host without an account of its own asks nobody, and lets nobody in', async () => {
    assert.deepEqual((await run(undefined)).result, { outcome: 'failed', why: 'withdrawn' });
  });
});

describe('approvers that change while a sign-on is open', () => {
  const BOB = { account: 'alice@example.com', approvals: { needed: 1, of: ['bob@example.com'] } };
  const [EVE, DAVE] = [
    { ...BOB.approvals, of: ['eve@example.com'] },
    { ...BOB.approvals, of: ['dave@example.com'] },
  ];

  /** What becomes of it, and who was asked. */
  async function run(
    before: Parameters<HostRecords['setUser']>[1],
    after: Parameters<HostRecords['setUser']>[1],
    when: 'shown' | 'asked',
  ) {
    const asked: string[] = [];
    let change = () => {};
    await using host = await startHost({
      approvers: ({ rule, heard }) => {
        asked.push(...rule.of);
        if (when === 'asked') change();
        heard(true);
      },
    });
    const alice = await host.pair('alice');
    host.records.setUser('alice', before);
    // By a command: this process hears of it later, if at all before it is over.
    const elsewhere = new HostRecords(join(host.folder, 'data'));
    change = () => elsewhere.setUser('alice', after);
    const signOn = await host.gate.open('alice', DOOR);
    await alice.signOn(signOn.passcode, () => {
      if (when === 'shown') change();
      return ACCEPT;
    });
    elsewhere.close();
    return { outcome: (await signOn.result).outcome, asked };
  }

  for (const when of ['shown', 'asked'] as const) {
    test(`end it, once it is ${when}, and none of the new ones is asked`, async () => {
      for (const after of [
        { ...BOB, approvals: EVE },
        { ...BOB, account: 'bob@example.com' },
        { account: BOB.account },
      ]) {
        const { outcome, asked } = await run(BOB, after, when);
        assert.equal(outcome, 'failed');
        assert.deepEqual(
          asked.filter((account) => account !== 'bob@example.com'),
          [],
        );
      }
    });
  }

  test('end it where none were needed', async () => {
    assert.deepEqual(await run({}, { approvals: DAVE }, 'shown'), { outcome: 'failed', asked: [] });
  });

  test('do not, where they are as they were', async () => {
    assert.equal((await run(BOB, BOB, 'asked')).outcome, 'granted');
  });
});

test('no window goes beyond the time that a login program waits', async () => {
  const asked: number[] = [];
  await using host = await startHost({
    gateMs: 120_000,
    acknowledgeSeconds: 120,
    approvers: ({ seconds, heard }) => {
      asked.push(seconds);
      heard(true);
    },
  });
  const alice = await host.pair('alice');
  host.records.setUser('alice', { approvals: { needed: 1, of: ['bob@example.com'] } });
  const deadline = performance.now() + 20_000;
  const signOn = await host.gate.open('alice', DOOR, deadline);
  assert.equal(signOn.closes, deadline);
  const { end } = await alice.signOn(signOn.passcode, ({ message: { acknowledge } }) => {
    assert.ok(acknowledge >= 1 && acknowledge <= 20, `${acknowledge} s`);
    return ACCEPT;
  });
  assert.equal(end.outcome, 'granted');
  assert.ok(asked.length === 1 && asked[0]! >= 1 && asked[0]! <= 20, `${asked} s`);
  await assert.rejects(host.gate.open('alice', DOOR, performance.now() + 4000), { code: 'gate-unavailable' });
});
