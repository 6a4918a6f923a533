import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Rooms } from '@countersign/client';
import { createMessage, createRoomKey, parseStatement, RoomKeyStatement } from '@countersign/core';
import { generateOpener, webCrypto } from '@countersign/core/webcrypto';
import { HOUR, ROOM_ITEMS_PER_HOUR } from '../packages/broker/src/limits.ts';
import { addDevice, newcomer, type Party, refused } from './parties.ts';
import { createWorld } from './world.ts';

const world = createWorld();
const memberOf = ({ device }: Party) => {
  const { name, identity } = device.session.keys;
  return { name, identity };
};

async function said(party: Party, room: string): Promise<(string | undefined)[]> {
  const rooms = await party.device.rooms.read();
  return rooms.find((one) => one.room === room)!.messages.map(({ text }) => text);
}

async function talk() {
  const [alice, bob] = [await world.party('alice'), await world.party('bob')];
  const room = await alice.device.rooms.create('Lunch', [memberOf(bob)]);
  await alice.device.rooms.send(room, 'Where?');
  await bob.device.rooms.read();
  await bob.device.rooms.send(room, 'Here: https://example.com');
  return { alice, bob, room };
}

describe('a room', () => {
  test('is read by its members, in one order, each message by its author and device', async () => {
    const { alice, bob, room } = await talk();
    assert.deepEqual(await said(alice, room), ['Where?', 'Here: https://example.com']);
    assert.deepEqual(await said(bob, room), ['Where?', 'Here: https://example.com']);
    const [{ name, members, messages, suspects }] = (await bob.device.rooms.read()) as [
      Awaited<ReturnType<typeof bob.device.rooms.read>>[number],
    ];
    assert.deepEqual([name, members, suspects], ['Lunch', [memberOf(alice), memberOf(bob)], []]);
    assert.deepEqual(
      messages.map(({ from, gap }) => [from.name, from.device, gap]),
      [
        [alice.name, `${alice.name.split('@')[0]}’s device`, undefined],
        [bob.name, `${bob.name.split('@')[0]}’s device`, undefined],
      ],
    );
  });

  test('is neither read nor written by anybody else', async () => {
    const { alice, room } = await talk();
    const mallet = await world.party('mallet');
    assert.deepEqual(await mallet.device.rooms.read(), []);
    const log = await mallet.device.session.ownLog(0);
    const { signer, opener } = mallet.device.session.keys;
    const by = { signer, log, now: world.clock.now() };
    const key = { n: 0, key: opener.publicKey };
    const { jws } = await createMessage(webCrypto, by, room, key, log.identity, 'Hello');
    await assert.rejects(mallet.device.session.api.addRoomItem(room, jws), refused('room-unknown'));
    await assert.rejects(alice.device.rooms.send('A'.repeat(22), 'Hello'), refused('room-unknown'));
  });

  test('is made with nobody who blocks its maker, and says no more in an hour than people do', async () => {
    const [alice, mallet] = [await world.party('alice'), await world.party('mallet')];
    await alice.device.contacts.change(mallet.device.session.keys, 'block');
    await assert.rejects(mallet.device.rooms.create('Lunch', [memberOf(alice)]), refused('not-permitted'));
    assert.deepEqual(await alice.device.rooms.read(), []);
    const { roomItems } = world.home.broker.context;
    const bob = await world.party('bob');
    const room = await bob.device.rooms.create('Lunch', [memberOf(alice)]);
    const { id } = (await world.home.broker.context.store.findAccount(bob.name))!;
    roomItems.count(String(id), world.clock.now(), ROOM_ITEMS_PER_HOUR - 2);
    await assert.rejects(bob.device.rooms.send(room, 'And again'), refused('too-often'));
    world.clock.offset += HOUR;
    await bob.device.rooms.send(room, 'An hour later');
    assert.deepEqual(await said(alice, room), ['An hour later']);
  });

  test('is nothing that the broker can read', async () => {
    const { room } = await talk();
    const { store } = world.home.broker.context;
    const members = (await store.findMembers(room))!;
    const items = (await store.listRoomItems(members[0]!, 0, 100)).filter((item) => item.room === room);
    assert.equal(items.length, 4);
    for (const { jws } of items) {
      const text = Buffer.from(jws.split('.')[1]!, 'base64url').toString();
      assert.doesNotMatch(text, /Where|Here/);
    }
  });

  test('shows a new device what was said before, if whoever let it in says so', async () => {
    const { alice, room } = await talk();
    for (const history of [true, false]) {
      const phone = newcomer(world.clock);
      const { code, facts } = await phone.knock(await alice.device.devices.invite('knock'), 'phone');
      const { waiting } = await alice.device.devices.door();
      await alice.device.devices.accept(waiting.find((one) => one.facts.hash === facts.hash)!, code, {
        history,
      });
      await phone.complete();
      const party = await phone.party();
      const before = history ? 'Where?' : undefined;
      assert.equal((await said(party, room))[0], before);
      await party.device.rooms.send(room, `from the phone, ${history}`);
      assert.equal((await said(alice, room)).at(-1), `from the phone, ${history}`);
    }
  });

  test('shows a device that was shown out nothing new, with all of the database', async () => {
    const { alice, bob, room } = await talk();
    const phone = await addDevice(alice, 'alice’s phone');
    await phone.device.rooms.read();
    await alice.device.devices.revoke(await phone.device.session.kid(), 'lost');
    // Bob has not heard of it: the broker sends him to read again, and a new key follows.
    await bob.device.rooms.send(room, 'Still there?');
    assert.equal((await said(alice, room)).at(-1), 'Still there?');
    await assert.rejects(phone.device.rooms.read(), refused('device-revoked'));
    const { store } = world.home.broker.context;
    const all = await store.listRoomItems((await store.findMembers(room))![0]!, 0, 100);
    const parsed = await Promise.all(
      all.map(({ jws }) => parseStatement(webCrypto, RoomKeyStatement, jws).catch(() => undefined)),
    );
    const newest = parsed.flatMap((one) => (one?.payload.room === room ? [one.payload] : [])).at(-1)!;
    const { epoch } = newest.sealed[alice.device.session.keys.identity]!;
    assert.equal(newest.n, 1);
    assert.equal(epoch, 1);
    assert.equal(await phone.device.session.epochOpener(1).catch(() => undefined), undefined);
  });

  test('takes nothing that is sealed to a key which a device that was shown out may hold', async () => {
    const { alice, bob, room } = await talk();
    const items = await alice.device.session.api.readRoomItems(
      alice.device.session.keys.signer,
      alice.name,
      0,
    );
    const statements = await Promise.all(
      items.map(({ statement }) =>
        parseStatement(webCrypto, RoomKeyStatement, statement).catch(() => undefined),
      ),
    );
    const { n, key } = statements.find((one) => one !== undefined)!.payload;
    await bob.device.devices.beginEpoch();
    const log = await alice.device.session.ownLog(0);
    const by = { signer: alice.device.session.keys.signer, log, now: world.clock.now() };
    const old = await createMessage(webCrypto, by, room, { n, key }, log.identity, 'too late');
    await assert.rejects(alice.device.session.api.addRoomItem(room, old.jws), refused('room-key-stale'));
  });

  test('is not ended by a member who makes a bad key: it is not read, and all else is', async () => {
    const { alice, bob, room } = await talk();
    await alice.device.devices.beginEpoch();
    const logs = [await alice.device.session.ownLog(0), await bob.device.session.ownLog(0)];
    const { api, keys } = bob.device.session;
    const by = { signer: keys.signer, log: logs[1]!, now: world.clock.now() };
    const opener = await generateOpener({ extractable: true });
    const bad = { key: opener.publicKey, privateKey: 'no key' };
    const stranger = await (await world.party('mallet')).device.session.ownLog(0);
    for (const sealedTo of [[logs[0]!], [...logs, stranger]]) {
      const { jws } = await createRoomKey(webCrypto, by, room, 1, sealedTo, bad);
      await assert.rejects(api.addRoomItem(room, jws), refused('room-key-stale'));
    }
    await api.addRoomItem(room, (await createRoomKey(webCrypto, by, room, 1, logs, bad)).jws);
    const to = { n: 1, key: opener.publicKey };
    await api.addRoomItem(room, (await createMessage(webCrypto, by, room, to, keys.identity, 'lost')).jws);
    await alice.device.devices.beginEpoch();
    await alice.device.rooms.send(room, 'Still here');
    for (const party of [alice, bob]) {
      assert.deepEqual(await said(party, room), [
        'Where?',
        'Here: https://example.com',
        undefined,
        'Still here',
      ]);
      const [read] = await party.device.rooms.read();
      assert.deepEqual(
        read!.suspects.map(({ code }) => code),
        ['json-invalid'],
      );
    }
  });

  test('makes what could mislead visible, and leaves a gap where something was kept back', async () => {
    const { alice, bob, room } = await talk();
    await alice.device.rooms.read();
    await alice.device.rooms.send(room, 'turn\u202eeht');
    assert.equal((await said(bob, room)).at(-1), 'turn<U+202E>eht');
    const honest = globalThis.fetch;
    const fresh = new Rooms(bob.device.session);
    globalThis.fetch = async (input, init) => {
      const answer = await honest(input, init);
      if (!String(input).includes('/room-items')) return answer;
      const body = (await answer.json()) as { items: { statement: string }[] };
      // All but the first message.
      if (body.items.length > 2) body.items.splice(2, 1);
      return Response.json(body);
    };
    try {
      const [read] = await fresh.read();
      assert.deepEqual(
        read!.messages.map(({ gap }) => gap),
        [true, undefined],
      );
    } finally {
      globalThis.fetch = honest;
    }
  });

  test('says at once on every device that something was said', async () => {
    const { alice, bob, room } = await talk();
    const stop = new AbortController();
    const { cursor } = await alice.device.pending();
    const told = (async () => {
      for await (const happened of alice.device.follow(cursor, stop.signal)) {
        if (happened.kind === 'event' && happened.event.kind === 'room') return true;
      }
      return false;
    })();
    await new Promise((resolve) => setTimeout(resolve, 200));
    await bob.device.rooms.send(room, 'Now');
    assert.equal(await told, true);
    stop.abort();
  });
});
