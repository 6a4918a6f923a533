import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, test } from 'node:test';
import type { SignOnContext } from '@countersign/core/m-auth';
import type { BootTime } from '../src/grants/boot-time.ts';
import { grantTimeText, parseGrantTime } from '../src/grants/grant.ts';
import { type GrantEvent, watchGrants } from '../src/grants/watch-grants.ts';
import { HostRecords } from '../src/host/host-records.ts';
import type { Attempt } from '../src/pam/index.ts';
import { type AskApprovers, approversBy } from '../src/sign-on/approvers.ts';
import { gateAuthenticator } from '../src/sign-on/pam-gate.ts';
import { ACCEPT, HOST, startHost } from './host.ts';

const NOW = 1_800_000_000;
const HALF_AN_HOUR = { user: 'alice', service: 'sshd', seconds: 1800, by: '1 of bob@example.com' };
const RULE = { needed: 1, of: ['bob@example.com'] };

/** A machine whose clocks the test moves. */
class Machine {
  boot = 'first';
  seconds = 1000;
  now = NOW;

  readonly time = (): BootTime => ({ boot: this.boot, seconds: this.seconds, now: this.now });

  pass(seconds: number): void {
    this.seconds += seconds;
    this.now += seconds;
  }
}

function records() {
  const folder = mkdtempSync(join(tmpdir(), 'countersign-grants-'));
  const machine = new Machine();
  const host = new HostRecords(folder, machine.time);
  return {
    folder,
    machine,
    host,
    grants: host.grants,
    journal: () => host.journal('alice').map(({ what }) => what.replace(/ \([0-9a-f]{8}\)$/, '')),
    [Symbol.dispose]() {
      host.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

describe('a grant', () => {
  test('opens for its user and its service, and for nobody and nothing else', () => {
    using world = records();
    world.grants.open(HALF_AN_HOUR);
    assert.ok(world.grants.covering('alice', 'sshd'));
    for (const [user, service] of [
      ['alice', 'sudo'],
      ['bob', 'sshd'],
      ['alice', '*'],
      ['Alice', 'sshd'],
    ] as const) {
      assert.equal(world.grants.covering(user, service), undefined);
    }
  });

  test('is over to the second, and the journal says so', () => {
    using world = records();
    world.grants.open({ ...HALF_AN_HOUR, why: 'the disk is full' });
    world.machine.pass(1799);
    assert.ok(world.grants.covering('alice', 'sshd'));
    world.machine.pass(1);
    assert.equal(world.grants.covering('alice', 'sshd'), undefined);
    assert.deepEqual(
      world.grants.sweep().map(({ state }) => state),
      ['over'],
    );
    assert.deepEqual(world.journal(), [
      'grant over',
      'GRANT OPENED for 30 minutes, by 1 of bob@example.com: the disk is full',
    ]);
  });

  test('a clock that is set back makes it no longer: it is closed, with an alarm', () => {
    using world = records();
    world.grants.open(HALF_AN_HOUR);
    world.machine.pass(600);
    world.machine.now -= 599;
    assert.equal(world.grants.covering('alice', 'sshd'), undefined);
    world.grants.sweep();
    assert.equal(world.journal()[0], 'alarm: grant closed, clock set back');
    // and setting it right again does not open it
    world.machine.now += 599;
    assert.equal(world.grants.covering('alice', 'sshd'), undefined);
  });

  test('a clock that is set back at once, before anybody looks, gains nothing', () => {
    using world = records();
    world.grants.open(HALF_AN_HOUR);
    world.machine.seconds += 1801;
    world.machine.now += 1780;
    assert.equal(world.grants.covering('alice', 'sshd'), undefined);
  });

  test('a clock that is set forward ends it', () => {
    using world = records();
    world.grants.open(HALF_AN_HOUR);
    world.machine.now += 1800;
    assert.equal(world.grants.covering('alice', 'sshd'), undefined);
  });

  test('a start of the machine closes all: how long it was off, its own clock alone would say', () => {
    using world = records();
    world.grants.open(HALF_AN_HOUR);
    world.machine.boot = 'second';
    world.machine.seconds = 1000;
    assert.equal(world.grants.covering('alice', 'sshd'), undefined);
    world.grants.sweep();
    assert.equal(world.journal()[0], 'alarm: grant closed, rebooted');
  });

  test('outlives the daemon', () => {
    using world = records();
    world.grants.open(HALF_AN_HOUR);
    const again = new HostRecords(world.folder, world.machine.time);
    assert.ok(again.grants.covering('alice', 'sshd'));
    again.close();
  });

  test('is open from a minute to 12 hours, no shorter and no longer', () => {
    using world = records();
    for (const seconds of [59, 12 * 3600 + 1, 90.5, Number.NaN]) {
      assert.throws(() => world.grants.open({ ...HALF_AN_HOUR, seconds }), RangeError);
    }
    for (const seconds of [60, 12 * 3600]) world.grants.open({ ...HALF_AN_HOUR, seconds });
    assert.deepEqual(
      ['1m', '12h', '720m', '0m', '13h', '721m', '30', '1.5h', '-1h', '01m'].map(parseGrantTime),
      [60, 43_200, 43_200, ...Array(7).fill(undefined)],
    );
    assert.deepEqual([60, 3600, 5400, 43_200].map(grantTimeText), [
      '1 minute',
      '1 hour',
      '1 hour 30 minutes',
      '12 hours',
    ]);
  });

  for (const [what, change] of [
    ['revoking', ({ grants }) => grants.revoke(grants.list()[0]!.id, 'root')],
    ['disabling its user', ({ host }) => host.setDisabled('alice', true)],
    ['removing its user', ({ host }) => host.removeUser('alice')],
    ['another rule of approvers', ({ host }) => host.setUser('alice', { approvals: RULE })],
  ] as [string, (world: ReturnType<typeof records>) => unknown][]) {
    test(`${what} ends it`, () => {
      using world = records();
      world.grants.open(HALF_AN_HOUR);
      change(world);
      assert.deepEqual(world.grants.list(), []);
      assert.match(world.journal()[0]!, /^GRANT REVOKED, by /);
    });
  }

  test('a web session that was begun under it ends with it', async () => {
    await using host = await startHost();
    await host.pair('alice');
    const [pair] = host.records.pairsOf('alice');
    const { grants } = host.records;
    const { id } = grants.open({ ...HALF_AN_HOUR, service: 'web' });
    const [under, beside] = [Buffer.alloc(32, 1), Buffer.alloc(32, 2)];
    host.records.addSession(under, 'alice', pair!.id, NOW + 1000, NOW, id);
    host.records.addSession(beside, 'alice', pair!.id, NOW + 1000, NOW);
    assert.equal(host.records.sessionUser(under, NOW), 'alice');
    grants.revoke(id, 'root');
    assert.equal(host.records.sessionUser(under, NOW), undefined);
    assert.equal(host.records.sessionUser(beside, NOW), 'alice');
  });

  test('is told of loudly: opened, revoked, over', async () => {
    using world = records();
    const told: GrantEvent[] = [];
    const over = new AbortController();
    const watching = watchGrants(
      world.grants,
      (event) => event.event === 'failure' || told.push(event),
      over.signal,
    );
    const seen = async (count: number) => {
      while (told.length < count) await new Promise((resolve) => setTimeout(resolve, 20));
    };
    const { id } = world.grants.open(HALF_AN_HOUR);
    await seen(1);
    world.grants.revoke(id, 'root');
    await seen(2);
    world.grants.open({ ...HALF_AN_HOUR, service: 'sudo' });
    await seen(3);
    world.machine.pass(1800);
    await seen(4);
    over.abort();
    await watching;
    assert.deepEqual(
      told.map(({ event, what, service }) => [event, what, service]),
      [
        ['alarm', 'GRANT OPEN', 'sshd'],
        ['grant', 'GRANT REVOKED', 'sshd'],
        ['alarm', 'GRANT OPEN', 'sudo'],
        ['grant', 'grant over', 'sudo'],
      ],
    );
  });
});

describe('signing on', () => {
  const DOOR = { service: 'sshd', address: '192.0.2.1' };
  const yes: AskApprovers = ({ heard }) => heard(true);

  /** Alice, whose sign-ons need Bob, and how often he was asked. */
  async function world(rule: object = RULE, approvers: AskApprovers = yes) {
    const machine = new Machine();
    const asked = { times: 0 };
    const host = await startHost(
      {
        approvers: (call) => {
          asked.times++;
          approvers(call);
        },
      },
      machine.time,
    );
    const alice = await host.pair('alice');
    host.records.setUser('alice', { approvals: { ...RULE, ...rule } });
    const signOn = async (service = 'sshd', looking = () => {}) => {
      const opened = await host.gate.open('alice', { ...DOOR, service });
      const [{ end }, result] = await Promise.all([
        alice.signOn(opened.passcode, ({ message }) => {
          assert.equal(message.context.service, service);
          looking();
          return ACCEPT;
        }),
        opened.result,
      ]);
      return { end: end.outcome, result: result.outcome };
    };
    return { machine, asked, host, alice, signOn, [Symbol.asyncDispose]: () => host[Symbol.asyncDispose]() };
  }

  test('consent that stands opens a grant: nobody is asked again, for the same service, until it is over', async () => {
    await using story = await world({ openSeconds: 1800 });
    for (const service of ['sshd', 'sshd', 'sudo']) {
      assert.equal((await story.signOn(service)).result, 'granted');
    }
    assert.equal(story.asked.times, 2);
    story.machine.pass(1800);
    assert.equal((await story.signOn()).result, 'granted');
    assert.equal(story.asked.times, 3);
  });

  test('without --open-for, each sign-on is asked about', async () => {
    await using story = await world();
    for (let i = 0; i < 2; i++) await story.signOn();
    assert.equal(story.asked.times, 2);
    assert.deepEqual(story.host.records.grants.list(), []);
  });

  test('a no of an approver opens nothing, for now or later', async () => {
    await using story = await world({ openSeconds: 1800 }, ({ heard }) => heard(false));
    assert.equal((await story.signOn()).result, 'approver-denied');
    assert.deepEqual(story.host.records.grants.list(), []);
  });

  test('a program of the user’s own opens none, whatever it says it is; the person and approvers are told that it is one', async () => {
    const questions: object[] = [];
    const ask = approversBy(async () => ({
      async ask(question) {
        questions.push(question);
        return { hash: 'hash' } as never;
      },
      wait: async () => ({ outcome: 'accepted' }) as never,
      cancel: async () => {},
    }));
    await using story = await world({ openSeconds: 1800 }, ask);
    const { host, alice } = story;
    const attempt = (uid: number): Attempt => ({
      ...{ service: 'sudo', user: 'alice', mode: 'gate', style: 'info', qr: 'none', tty: 'pts/1' },
      ...{ remoteHost: '192.0.2.1', peer: { pid: 1, uid, gid: uid }, deadline: Number.POSITIVE_INFINITY },
      signal: new AbortController().signal,
    });
    const contexts: SignOnContext[] = [];
    const say = async (text: string) => {
      const [, ...digits] = /passcode (\d{3}) (\d{3})/.exec(text)!;
      await alice.signOn(digits.join(''), ({ message }) => {
        contexts.push(message.context);
        return ACCEPT;
      });
    };
    const nothing = async () => '';
    const conversation = { prompt: nothing, secret: nothing, info: say, error: async () => {} };
    const authenticate = gateAuthenticator(host.gate);

    assert.equal(await authenticate(attempt(1000), conversation), 'granted');
    const { address, remote } = contexts[0]!;
    const who = 'a program of alice on this host, which says it is sudo';
    assert.deepEqual({ address, remote }, { address: undefined, remote: who });
    assert.deepEqual(questions, [
      {
        account: 'bob@example.com',
        kind: 'login',
        text: `Let a program of alice go on, on ${HOST}, which says it is sudo?`,
        fields: [
          { name: 'User', value: 'alice' },
          { name: 'Host', value: HOST },
          { name: 'Service', value: 'sudo' },
          { name: 'Terminal', value: 'pts/1' },
          { name: 'From', value: who },
        ],
        lifetime: (questions[0] as { lifetime: number }).lifetime,
      },
    ]);
    assert.deepEqual(host.records.grants.list(), []);

    // By root's own login program, the same words open one.
    assert.equal(await authenticate(attempt(0), conversation), 'granted');
    assert.deepEqual(
      host.records.grants.list().map(({ service }) => service),
      ['sudo'],
    );
  });

  test('a grant that ends while the person looks at it lets them in no more', async () => {
    for (const end of ['revoked', 'over'] as const) {
      await using story = await world();
      const { grants } = story.host.records;
      const { id } = grants.open(HALF_AN_HOUR);
      const { result } = await story.signOn('sshd', () => {
        if (end === 'revoked') grants.revoke(id, 'root');
        else story.machine.pass(1800);
      });
      assert.notEqual(result, 'granted');
      assert.equal(story.asked.times, 0);
    }
  });

  test('a grant is no sign-on: a no of the person is obeyed', async () => {
    await using story = await world();
    story.host.records.grants.open(HALF_AN_HOUR);
    const opened = await story.host.gate.open('alice', DOOR);
    opened.cancel();
    assert.notEqual((await opened.result).outcome, 'granted');
  });
});

test('records of the release before are brought up to this one', () => {
  using world = records();
  const path = join(world.folder, 'gate.db');
  world.host.setUser('alice', { account: 'alice@example.com' });
  const old = new DatabaseSync(path);
  old.exec(
    `DROP TABLE wifi_keys; DROP TABLE grants; ALTER TABLE web_sessions DROP COLUMN grant_id;
     ALTER TABLE users DROP COLUMN disabled; PRAGMA user_version = 1;`,
  );
  old.close();
  const again = new HostRecords(world.folder, world.machine.time);
  assert.equal(again.user('alice').account, 'alice@example.com');
  again.grants.open(HALF_AN_HOUR);
  assert.ok(again.grants.covering('alice', 'sshd'));
  again.close();
});
