import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { describe, test } from 'node:test';
import { MAX_SESSION_MESSAGES, SESSION_TRIES } from '@countersign/core';
import { customerTry } from '@countersign/core/session-exchange';
import { termsOf } from '@countersign/core/session-terms';
import { hardenValues } from '@countersign/core/session-values';
import { webCrypto } from '@countersign/core/webcrypto';
import { AgentSession, type AgentView } from '../packages/web/src/console/agent-session.ts';
import type { SessionKeeper } from '../packages/web/src/console/kept-session.ts';
import { startFaultProxy } from './fault-proxy.ts';
import { makeParty, type Party, refused, startTestBroker } from './parties.ts';
import { startBrokerProcess, temporaryFolder } from './processes.ts';
import { Customer, memoryKeeper, publishCard, signSession, startAgent } from './session-parties.ts';
import { until } from './until.ts';
import { createWorld } from './world.ts';

const world = createWorld();
const VALUE = '+49 30 1234567';

async function met(value = VALUE) {
  const bank = await world.party('bank');
  const agent = await startAgent(bank, value);
  const customer = new Customer(world.home.origin);
  return { bank, agent, customer, sid: agent.payload.sid };
}

/** All that a call's answer says, but for the time. */
const same = ({ status, body }: { status: number; body: unknown }) => JSON.stringify([status, body]);

describe('a mutual session', () => {
  test('ends with the same passcode on both sides, and the agent’s only after the customer’s', async () => {
    const { agent, customer, sid } = await met();
    assert.equal((await customer.open(agent.token)).status, 200);
    await assert.rejects(agent.reveal(), refused('session-early'));
    const matched = await customer.try(agent.payload, '(+49) 30 123-45-67');
    assert.match(matched!.passcode, /^\d{6}$/);
    // The agent's page has the key by now, and still can't show it.
    await assert.rejects(agent.reveal(), refused('session-early'));
    assert.equal(agent.view.passcode, undefined);
    await matched!.seen();
    await until(() => agent.view.where === 'seen');
    await agent.reveal();
    assert.equal(agent.view.passcode, matched!.passcode);
    assert.equal((await customer.read(sid, 0)).status, 200);
  });

  test('tells both that the values differ, and nothing else; the next try may match', async () => {
    const { agent, customer } = await met();
    await customer.open(agent.token);
    assert.equal(await customer.try(agent.payload, '0000'), undefined);
    await until(() => agent.view.where === 'mismatch');
    const matched = await customer.try(agent.payload, VALUE);
    assert.ok(matched !== undefined);
  });

  test('opens once; unknown, opened, expired, deleted and foreign look the same', async () => {
    const { bank, agent, customer, sid } = await met();
    assert.equal((await customer.open(agent.token)).status, 200);
    const other = await startAgent(bank, VALUE);
    await other.delete();
    const late = await signSession(bank, { lifetime: 30 });
    await bank.device.session.api.startSession(late.jws);
    const seconds = [
      await new Customer(world.home.origin).open(agent.token),
      await new Customer(world.home.origin).open(other.token),
      await new Customer(world.home.origin).open('A'.repeat(22)),
      await new Customer(world.home.origin).open('nonsense'),
      await new Customer(world.home.origin).read(sid),
      await new Customer(world.home.origin).say(sid, { kind: 'open' }),
      await customer.say(sid, {}),
      await new Customer(world.home.origin).read('A'.repeat(22)),
      await new Customer(world.home.origin).open('A'.repeat(65)),
      await new Customer(world.home.origin, 'short').open(other.token),
      await new Customer(world.home.origin, 'short').read(sid),
      await new Customer(world.home.origin).read('short'),
      await new Customer(world.home.origin).say('short', { kind: 'open' }),
    ];
    await world.atOffset(31, async () => {
      seconds.push(await new Customer(world.home.origin).open(late.token));
    });
    assert.deepEqual([...new Set(seconds.map(same))], [same(seconds[0]!)]);
    assert.equal(seconds[0]!.status, 404);
    assert.equal(seconds[0]!.body.code, 'session-invalid');
  });

  test('opens again for the page that opened it, whose answer was lost, and then for no other', async () => {
    const { agent, customer, sid } = await met();
    await using line = await startFaultProxy();
    line.target(world.home.origin);
    const lost = new Customer(line.origin, customer.key);
    line.cut('POST /v1/sessions/open', 'after');
    await assert.rejects(lost.open(agent.token));
    const again = await lost.open(agent.token);
    assert.equal(again.status, 200);
    assert.equal(same(again), same(await customer.open(agent.token)));
    assert.equal(again.body.sid, sid);
    const unknown = same(await new Customer(world.home.origin).open('A'.repeat(22)));
    assert.equal(same(await new Customer(world.home.origin).open(agent.token)), unknown);
    // It is the page's as before.
    const matched = await customer.try(agent.payload, VALUE);
    assert.ok(matched !== undefined);
    assert.equal((await customer.open(agent.token)).status, 200);
    await agent.delete();
    assert.equal(same(await customer.open(agent.token)), unknown);
  });

  test('takes as long to refuse for one reason as for another', async () => {
    const { bank, agent, customer, sid } = await met();
    await customer.open(agent.token);
    const ended = await startAgent(bank, VALUE);
    await new Customer(world.home.origin).open(ended.token);
    await ended.delete();
    const late = await signSession(bank, { lifetime: 30 });
    await bank.device.session.api.startSession(late.jws);
    const stranger = new Customer(world.home.origin);
    const opens = [agent.token, ended.token, late.token, 'A'.repeat(22), 'short'];
    const sids = [sid, ended.payload.sid, late.payload.sid, 'A'.repeat(22), 'short'];
    const works = [
      ...opens.map((token) => () => stranger.open(token)),
      ...sids.map((one) => () => stranger.read(one, 0)),
      ...sids.map((one) => () => stranger.say(one, { kind: 'seen' })),
    ];
    const least = works.map(() => Number.POSITIVE_INFINITY);
    const apart = () => Math.max(...least) - Math.min(...least);
    await world.atOffset(31, async () => {
      // Turn by turn, and the quickest of each: what else this machine does is no reason of the server's.
      for (let round = 0; round < 3 || (round < 30 && apart() >= 15); round++) {
        for (const [i, work] of works.entries()) {
          const begun = performance.now();
          assert.equal((await work()).status, 404);
          least[i] = Math.min(least[i]!, performance.now() - begun);
        }
      }
    });
    assert.ok(Math.min(...least) >= 79, String(least));
    assert.ok(apart() < 15, String(least));
  });

  test('takes five tries, and the limit survives a restart of the server and of the agent’s page', async () => {
    await using folder = await temporaryFolder();
    const first = await startBrokerProcess(folder.path);
    const bank = await makeParty(first.origin, 'bank@example.com', world.clock);
    const keeper = memoryKeeper();
    const agent = await startAgent(bank, VALUE, keeper);
    const customer = new Customer(first.origin);
    await customer.open(agent.token);
    const wrong = async (times: number) => {
      for (let i = 0; i < times; i++) assert.equal(await customer.try(agent.payload, `${i}`), undefined);
    };
    await wrong(3);
    agent.leave();
    await first.stop('SIGKILL');
    await using _again = await startBrokerProcess(folder.path, { port: Number(new URL(first.origin).port) });
    const resumed = await AgentSession.resume(bank.device, keeper);
    resumed!.run(() => {}).catch(() => {});
    await wrong(SESSION_TRIES - 3);
    const { sid } = agent.payload;
    assert.equal((await customer.say(sid, { kind: 'open', session: sid, try: 1 })).status, 404);
    assert.equal((await customer.read(sid, 0)).status, 404);
    const { api, keys } = bank.device.session;
    const [row] = await api.listSessions(keys.signer, keys.name);
    assert.deepEqual([row!.tries, row!.outcome], [SESSION_TRIES, 'too-many-tries']);
    assert.equal(await AgentSession.resume(bank.device, keeper), undefined);
  });

  test('counts a try by what is said, and takes no more words than five tries need', async () => {
    const { bank, agent, customer, sid } = await met();
    await customer.open(agent.token);
    const state = async () => {
      const { api, keys } = bank.device.session;
      return (await api.listSessions(keys.signer, keys.name))[0]!;
    };
    for (let i = 1; i <= SESSION_TRIES; i++) {
      assert.equal((await customer.say(sid, { kind: 'open', session: sid, try: i })).status, 200);
      assert.equal((await state()).tries, i);
    }
    let answers = 0;
    while ((await customer.say(sid, { kind: 'answer' })).status === 200) answers++;
    assert.equal(answers, MAX_SESSION_MESSAGES - SESSION_TRIES);
    assert.equal(
      (await customer.say(sid, { kind: 'seen', long: 'x'.repeat(320) })).body.code,
      'input-invalid',
    );

    const other = await met();
    await other.customer.open(other.agent.token);
    for (let i = 0; i <= SESSION_TRIES; i++) {
      const { status } = await other.customer.say(other.sid, { kind: 'open', try: 'none' });
      assert.equal(status, i < SESSION_TRIES ? 200 : 404);
    }
    assert.equal((await other.customer.read(other.sid, 0)).status, 404);
  });

  test('shows the wire and the database neither value nor passcode', async () => {
    const seen: string[] = [];
    const honest = globalThis.fetch;
    globalThis.fetch = async (input, init) => {
      const answer = await honest(input, init);
      seen.push(String(input), String(init?.body ?? ''), await answer.clone().text());
      return answer;
    };
    let passcode: string;
    try {
      const { agent, customer } = await met();
      await customer.open(agent.token);
      const matched = await customer.try(agent.payload, VALUE);
      await matched!.seen();
      await until(() => agent.view.where === 'seen');
      await agent.reveal();
      ({ passcode } = matched!);
    } finally {
      globalThis.fetch = honest;
    }
    const { readFileSync } = await import('node:fs');
    const stored = ['broker.db', 'broker.db-wal'].map((name) =>
      readFileSync(`${world.home.data}/${name}`).toString('latin1'),
    );
    for (const text of [...seen, ...stored]) {
      for (const secret of [VALUE, '+49301234567', '49301234567', passcode])
        assert.ok(!text.includes(secret));
    }
  });

  test('says whether the agent’s page is there', async () => {
    const bank = await world.party('bank');
    const { token, payload, jws } = await signSession(bank);
    await bank.device.session.api.startSession(jws);
    const customer = new Customer(world.home.origin);
    await customer.open(token);
    assert.equal((await customer.read(payload.sid, 0)).body.agent_here, false);
    const { keys, api } = bank.device.session;
    const polling = api.readSession(keys.signer, keys.name, payload.sid, { after: 0, version: 1, wait: 2 });
    await until(async () => (await customer.read(payload.sid, 0)).body.agent_here);
    await polling;
  });

  test('stands 30 to 900 seconds, and only by a device that may ask', async () => {
    const bank = await world.party('bank');
    for (const lifetime of [29, 901]) {
      await assert.rejects(signSession(bank, { lifetime }), refused('session-lifetime'));
    }
    const { jws } = await signSession(bank);
    await bank.device.devices.setRights(await bank.device.session.kid(), ['admit', 'recover', 'answer']);
    await assert.rejects(bank.device.session.api.startSession(jws), refused('device-not-entitled'));
  });
});

test('what is no message of a customer’s page is passed over by the agent’s', async () => {
  const honest = globalThis.fetch;
  const bad = ['not json', 'null', '"open"', '[]', '{"kind":"open"}', '{"kind":"answer","try":{}}', ''];
  let given = 0;
  // A server that hands on whatever somebody with the link wrote, before what the page writes.
  globalThis.fetch = async (input, init) => {
    const answer = await honest(input, init);
    if (!/\/sessions\/[\w-]{22}\?/.test(String(input)) || given > 0) return answer;
    const read = (await answer.json()) as { messages: object[] };
    given = read.messages.unshift(...bad.map((body) => ({ cursor: 0, body })));
    return Response.json(read);
  };
  try {
    const { agent, customer } = await met();
    await customer.open(agent.token);
    await (await customer.try(agent.payload, VALUE))!.seen();
    await until(() => agent.view.where === 'seen');
    assert.ok(given >= bad.length);
  } finally {
    globalThis.fetch = honest;
  }
});

describe('an agent’s page that is loaded anew', () => {
  /** The page is gone; another one is there with what the tab kept. */
  async function reload(agent: AgentSession, bank: Party, keeper: SessionKeeper): Promise<AgentSession> {
    agent.leave();
    const again = await AgentSession.resume(bank.device, keeper);
    assert.ok(again);
    again.run(() => {}).catch(() => {});
    return again;
  }

  async function kept() {
    const bank = await world.party('bank');
    const keeper = memoryKeeper();
    const agent = await startAgent(bank, VALUE, keeper);
    const customer = new Customer(world.home.origin);
    await customer.open(agent.token);
    return { bank, keeper, agent, customer, sid: agent.payload.sid };
  }

  test('before a try, or between two, answers as before', async () => {
    const { bank, keeper, agent, customer } = await kept();
    const second = await reload(agent, bank, keeper);
    assert.equal(await customer.try(agent.payload, '47'), undefined);
    const third = await reload(second, bank, keeper);
    const matched = await customer.try(agent.payload, VALUE);
    await matched!.seen();
    await until(() => third.view.where === 'seen');
    await third.reveal();
    assert.equal(third.view.passcode, matched!.passcode);
  });

  test('after a match shows the passcode that the customer sees, and not before they do', async () => {
    const { bank, keeper, agent, customer } = await kept();
    const matched = await customer.try(agent.payload, VALUE);
    const again = await reload(agent, bank, keeper);
    await assert.rejects(again.reveal(), refused('session-early'));
    await matched!.seen();
    await until(() => again.view.where === 'seen');
    const last = await reload(again, bank, keeper);
    await until(() => last.view.where === 'seen');
    await last.reveal();
    assert.equal(last.view.passcode, matched!.passcode);
  });

  test('begins no try twice, and tells the customer of one that was lost', async () => {
    const { bank, keeper, agent, customer, sid } = await kept();
    const terms = termsOf(agent.payload, world.home.origin);
    const begun = customerTry(webCrypto, terms, await hardenValues(webCrypto, terms, [VALUE]), 1);
    await customer.say(sid, begun.message);
    const share = JSON.parse((await customer.read(sid)).body.messages[0].body);
    const again = await reload(agent, bank, keeper);
    await customer.say(sid, begun.receive(share).message);
    await until(() => again.view.where === 'filled');
    const told = (await customer.read(sid)).body.messages.map(({ body }: { body: string }) =>
      JSON.parse(body),
    );
    assert.deepEqual(
      told.map(({ kind }: { kind: string }) => kind).filter((kind: string) => kind !== 'share'),
      told.length > 2 ? ['mismatch', 'mismatch'] : ['mismatch'],
    );
    customer.skip(1);
    assert.ok(await customer.try(agent.payload, VALUE));
  });

  test('is over with the session: nothing is kept', async () => {
    const { bank, keeper, agent } = await kept();
    await agent.delete();
    assert.equal(await keeper.load(0), undefined);
    assert.equal(await AgentSession.resume(bank.device, keeper), undefined);
  });

  test('or away: the customer is told, and the history says so', async () => {
    const { bank, agent, customer, sid } = await kept();
    agent.leave();
    const terms = termsOf(agent.payload, world.home.origin);
    const begun = customerTry(webCrypto, terms, await hardenValues(webCrypto, terms, [VALUE]), 1);
    await customer.say(sid, begun.message);
    let here = true;
    for (let i = 0; i < 20 && here; i++) here = (await customer.read(sid, 1)).body.agent_here;
    assert.equal(here, false);
    const { keys, api } = bank.device.session;
    await api.changeSession(keys.signer, keys.name, sid, 'delete');
    const entries = await api.readSessionHistory(keys.signer, keys.name, 1);
    assert.equal(typeof JSON.parse(entries.at(-1)!.entry).away_at, 'number');
  });
});

test('an agent’s page whose server stays away asks no longer than the session lasts, and says so', async () => {
  const { clock } = world;
  const home = await startTestBroker(clock);
  const bank = await makeParty(home.origin, 'bank@example.com', clock);
  const keeper = memoryKeeper();
  const wish = { fields: [{ name: 'Phone number', type: 'number' as const }], values: ['47'], lifetime: 300 };
  const agent = await AgentSession.start(bank.device, wish, home.origin, keeper);
  const views: AgentView[] = [];
  const running = agent.run((view) => views.push(view));
  await home[Symbol.asyncDispose]();
  await until(() => views.at(-1)?.online === false);
  assert.equal(views.at(-1)!.where, 'waiting', 'it may go on');
  await assert.rejects(agent.close(), refused('broker-unreachable'), 'its link would still open');
  await world.atOffset(301, () => running);
  assert.deepEqual([agent.view.where, views.at(-1)!.where], ['gone', 'gone']);
  assert.equal(await keeper.load(0), undefined);
  await agent.close();
});

test('a customer’s word that they saw a passcode counts only after the agent’s page found the values equal', async () => {
  const { agent, customer, sid } = await met();
  await customer.open(agent.token);
  assert.equal(await customer.try(agent.payload, '47'), undefined);
  assert.equal((await customer.say(sid, { kind: 'seen', session: sid })).status, 404);
});

describe('the history of sessions', () => {
  test('keeps metadata after the end, for good, as a chain of hashes', async () => {
    const { bank, agent, customer, sid } = await met();
    await customer.open(agent.token);
    await (await customer.try(agent.payload, VALUE))!.seen();
    await agent.delete();
    const { keys, api } = bank.device.session;
    const entries = await api.readSessionHistory(keys.signer, keys.name, 1);
    let prev: string | null = null;
    for (const [i, { entry, hash }] of entries.entries()) {
      const read = JSON.parse(entry) as { seq: number; prev: string | null };
      assert.deepEqual([read.seq, read.prev], [i + 1, prev]);
      assert.equal(createHash('sha256').update(entry).digest('base64url'), hash);
      prev = hash;
    }
    const parsed = entries.map(({ entry }) => JSON.parse(entry) as Record<string, unknown>);
    assert.deepEqual(
      parsed.map(({ event, outcome }) => [event, outcome]),
      [
        ['created', undefined],
        ['ended', 'authenticated'],
      ],
    );
    assert.equal(parsed[0]!.sid, sid);
    assert.deepEqual(parsed[0]!.fields, ['Phone number (number)']);
  });

  test('notes a session that nobody opened as expired', async () => {
    const bank = await world.party('bank');
    const { jws } = await signSession(bank, { lifetime: 30 });
    await bank.device.session.api.startSession(jws);
    await world.atOffset(32, async () => {
      const { keys, api } = bank.device.session;
      const outcome = async () => (await api.listSessions(keys.signer, keys.name))[0]!.outcome;
      assert.equal(await until(outcome), 'expired');
    });
  });
});

test('an organisation’s card has versions, and only a device that may admit changes it', async () => {
  const bank = await world.party('bank');
  await publishCard(bank);
  await publishCard(bank, 2);
  await assert.rejects(publishCard(bank), refused('card-conflict'));
  await bank.device.devices.setRights(await bank.device.session.kid(), ['admit', 'recover', 'ask']);
  const { card } = await bank.device.session.api.readCard(bank.name);
  assert.ok(card !== undefined);
});
