import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { describe, test } from 'node:test';
import { SESSION_TRIES } from '@countersign/core';
import { refused } from './parties.ts';
import { Customer, publishCard, signSession, startAgent } from './session-parties.ts';
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
      await customer.open(agent.token),
      await new Customer(world.home.origin).open(agent.token),
      await new Customer(world.home.origin).open(other.token),
      await new Customer(world.home.origin).open('A'.repeat(22)),
      await new Customer(world.home.origin).open('nonsense'),
      await new Customer(world.home.origin).read(sid),
      await new Customer(world.home.origin).say(sid, {}, 'seen'),
      await new Customer(world.home.origin).read('A'.repeat(22)),
    ];
    await world.atOffset(31, async () => {
      seconds.push(await new Customer(world.home.origin).open(late.token));
    });
    assert.deepEqual([...new Set(seconds.map(same))], [same(seconds[0]!)]);
    assert.equal(seconds[0]!.status, 404);
    assert.equal(seconds[0]!.body.code, 'session-invalid');
  });

  test('takes five tries, and the limit survives a restart of both pages', async () => {
    const { bank, agent, customer, sid } = await met();
    await customer.open(agent.token);
    for (let i = 0; i < SESSION_TRIES; i++)
      assert.equal(await customer.try(agent.payload, `${i}`), undefined);
    assert.equal((await customer.say(sid, { kind: 'open', session: sid, try: 1 }, 'try')).status, 404);
    assert.equal((await customer.read(sid, 0)).status, 404);
    const [row] = await bank.device.session.api.listSessions(bank.device.session.keys.signer, bank.name);
    assert.equal(row!.outcome, 'too-many-tries');
  });

  test('is not opened by what looks at the link', async () => {
    const { agent, bank } = await met();
    const link = `${world.home.origin}/s/${encodeURIComponent(bank.name)}`;
    for (const agentName of ['Slackbot-LinkExpanding 1.0', 'facebookexternalhit/1.1', 'WhatsApp/2.23']) {
      for (const method of ['GET', 'HEAD']) {
        await fetch(`${link}#t=${agent.token}`, { method, headers: { 'user-agent': agentName } });
      }
    }
    assert.equal((await new Customer(world.home.origin).open(agent.token)).status, 200);
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
    await new Promise((resolve) => setTimeout(resolve, 100));
    assert.equal((await customer.read(payload.sid, 0)).body.agent_here, true);
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
      for (let i = 0; i < 50 && (await outcome()) === undefined; i++) {
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
      assert.equal(await outcome(), 'expired');
    });
  });
});

test('an organisation’s card has versions, and only a device that may admit changes it', async () => {
  const bank = await world.party('bank');
  await publishCard(bank);
  await assert.rejects(publishCard(bank), refused('card-conflict'));
  await publishCard(bank, 2);
  await bank.device.devices.setRights(await bank.device.session.kid(), ['admit', 'recover', 'ask']);
  assert.ok(await bank.device.session.api.readCard(bank.name));
});

async function until(holds: () => boolean): Promise<void> {
  for (let i = 0; i < 100 && !holds(); i++) await new Promise((resolve) => setTimeout(resolve, 50));
  assert.ok(holds());
}
