import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { StandingInvitation } from '@countersign/client';
import { ENROLMENT_LIFE, formatDeviceLink, parseDeviceLink } from '@countersign/core';
import { accept, knocking } from './device-door.ts';
import { addDevice, newcomer, type Party, refused } from './parties.ts';
import { createWorld } from './world.ts';

const world = createWorld();

describe('a new device', () => {
  test('is let in by its code, and answers under the same identity with a key of its own', async () => {
    const [alice, host] = await world.pair();
    const phone = newcomer(world.clock);
    const { code } = await phone.knock(await alice.device.devices.invite('knock'));
    await accept(alice.device, (await alice.device.devices.door()).waiting[0]!, code);
    assert.deepEqual(await phone.complete(), { outcome: 'complete' });
    const asked = await host.enquirer.ask({ account: alice.name, text: 'Log in' });
    const party = await phone.party();
    const { requests } = await party.device.pending();
    await party.device.answer(requests[0]!, { decision: 'accept', shown: 'screen' });
    const outcome = await host.enquirer.wait(asked.hash);
    assert.equal(outcome.outcome, 'accepted');
    assert.ok('answer' in outcome);
    assert.equal(outcome.answer.device.kid, await party.device.session.kid());
    assert.notEqual(outcome.answer.device.kid, await alice.device.session.kid());
  });

  test('is let in by a PIN that carries its rights, without a code', async () => {
    const alice = await world.party('alice');
    const phone = newcomer(world.clock);
    const link = await alice.device.devices.invite('admit', { rights: ['answer'] });
    assert.deepEqual(parseDeviceLink(formatDeviceLink(link)), link);
    const waiting = await phone.knock(link);
    assert.equal(waiting.code, undefined);
    await alice.device.devices.accept((await alice.device.devices.door()).waiting[0]!, undefined);
    await phone.complete();
    const log = await alice.device.session.ownLog(0);
    assert.deepEqual(log.devices.get(waiting.facts.kid)!.rights, ['answer']);
  });

  test('is let in after slips of the finger: what can be no code at all is no try', async () => {
    const { alice, phone, seen, waiting } = await knocking(world);
    for (const slip of ['', 'AAAA', 'AAAA-AAA1', 'AAAA-AAAA-A', waiting.code!.slice(0, 8)]) {
      await assert.rejects(accept(alice.device, seen, slip), refused('code-wrong'));
    }
    await accept(alice.device, seen, waiting.code);
    assert.deepEqual(await phone.complete(), { outcome: 'complete' });
  });

  test('learns that it was turned away, forgets its keys, and may try again', async () => {
    const { alice, phone, link, seen } = await knocking(world);
    const decided = phone.complete(20);
    await alice.device.devices.reject(seen);
    assert.deepEqual(await decided, { outcome: 'rejected' });
    assert.equal(await phone.keyStore.load(), undefined);
    const { code } = await phone.knock(link);
    await accept(alice.device, (await alice.device.devices.door()).waiting[0]!, code);
    assert.deepEqual(await phone.complete(), { outcome: 'complete' });
  });

  test('learns that nobody let it in in time', async () => {
    const { alice, phone, seen } = await knocking(world);
    await world.atOffset(ENROLMENT_LIFE + 1, async () => {
      assert.deepEqual((await alice.device.devices.door()).waiting, []);
      await assert.rejects(alice.device.devices.reject(seen), refused('enrolment-expired'));
      assert.deepEqual(await phone.complete(), { outcome: 'expired' });
    });
  });

  test('waits without polling, and is told when it is decided', async () => {
    const { alice, phone, waiting, seen } = await knocking(world);
    const started = performance.now();
    const done = phone.complete(30);
    setTimeout(() => accept(alice.device, seen, waiting.code), 300);
    assert.deepEqual(await done, { outcome: 'complete' });
    assert.ok(performance.now() - started < 10_000);
  });

  test('is told to every device of the account at once', async () => {
    const alice = await world.party('alice');
    const tablet = await addDevice(alice, 'alice’s tablet');
    const stop = new AbortController();
    const cursors = [(await alice.device.pending()).cursor, (await tablet.device.pending()).cursor];
    const told = [alice, tablet].map(async ({ device }, i) => {
      for await (const happened of device.follow(cursors[i]!, stop.signal)) {
        if (happened.kind === 'event' && happened.event.kind === 'enrolment') return true;
      }
      return false;
    });
    await newcomer(world.clock).knock(await alice.device.devices.invite('knock'));
    assert.deepEqual(await Promise.all(told), [true, true]);
    stop.abort();
  });

  test('brought by a link is of the account that the link names, or of none', async () => {
    const [alice, mallet] = [await world.party('alice'), await world.party('mallet')];
    const link = await mallet.device.devices.invite('knock');
    const swapped = { ...link, identity: alice.device.session.keys.identity };
    await assert.rejects(newcomer(world.clock).knock(swapped), refused('account-changed'));
  });
});

describe('a PIN', () => {
  const wrong = 'AAAA-AAAA-AAAA-AAAA-AAAA-AAAA';

  test('that was never given, that was used, and that has expired are three errors', async () => {
    const alice = await world.party('alice');
    const link = await alice.device.devices.invite('admit', { lifetime: 60 });
    await assert.rejects(newcomer(world.clock).knock({ ...link, pin: wrong }), refused('pin-wrong'));
    await newcomer(world.clock).knock(link);
    await assert.rejects(newcomer(world.clock).knock(link), refused('pin-used'));
    const late = await alice.device.devices.invite('admit', { lifetime: 60 });
    await world.atOffset(61, () => assert.rejects(newcomer(world.clock).knock(late), refused('pin-expired')));
  });

  test('that comes a second time alerts the account: the first use may have been a thief’s', async () => {
    const alice = await world.party('alice');
    const link = await alice.device.devices.invite('admit');
    await newcomer(world.clock).knock(link);
    await assert.rejects(newcomer(world.clock).knock(link), refused('pin-used'));
    const { notices } = await alice.device.devices.door();
    assert.deepEqual(
      notices.map(({ kind, count }) => ({ kind, count })),
      [{ kind: 'pin-used', count: 1 }],
    );
  });

  test('that was taken back lets nobody come, is an error of its own, and alerts the account', async () => {
    const alice = await world.party('alice');
    const { devices, invitations } = alice.device;
    const pin = await devices.invite('admit', { rights: ['answer'] });
    const link = await devices.invite('knock');
    const kept = await devices.invite('admit', { rights: ['answer'] });
    const given = await invitations.list();
    const giver = `${alice.name.split('@')[0]}’s device`;
    assert.deepEqual(
      given.map(({ use, rights, by }) => [use, rights, by.name]),
      [
        ['admit', ['answer'], giver],
        ['knock', undefined, giver],
        ['admit', ['answer'], giver],
      ],
    );
    // By another device of the account, which may admit; and again, as after a lost answer.
    const tablet = await addDevice(alice, 'alice’s tablet', ['admit']);
    for (const one of [given[0]!, given[1]!, given[1]!]) await tablet.device.invitations.cancel(one);
    assert.deepEqual(await invitations.list(), [given[2]]);
    for (const gone of [pin, link]) {
      await assert.rejects(newcomer(world.clock).knock(gone), refused('pin-cancelled'));
    }
    const { notices } = await devices.door();
    assert.deepEqual(
      notices.map(({ kind, count }) => [kind, count]),
      [['pin-cancelled', 2]],
    );
    await newcomer(world.clock).knock(kept);
    await assert.rejects(invitations.cancel(given[2]!), refused('pin-used'));
    assert.deepEqual(await invitations.list(), []);
  });

  test('is taken back only by a device that may let others in, and only while it stands', async () => {
    const alice = await world.party('alice');
    const phone = await addDevice(alice, 'alice’s phone', ['answer']);
    await alice.device.devices.invite('knock', { lifetime: 60 });
    const [given] = (await alice.device.invitations.list()) as [StandingInvitation];
    await assert.rejects(phone.device.invitations.cancel(given), refused('device-not-entitled'));
    const mallet = await world.party('mallet');
    await assert.rejects(mallet.device.invitations.cancel(given), refused('pin-wrong'));
    await world.atOffset(61, () =>
      assert.rejects(alice.device.invitations.cancel(given), refused('pin-expired')),
    );
  });

  test('is worth nothing once the device that gave it was shown out', async () => {
    const alice = await world.party('alice');
    const tablet = await addDevice(alice, 'alice’s tablet', ['admit', 'answer']);
    const [pin, link] = [
      await tablet.device.devices.invite('admit', { rights: ['answer'] }),
      await tablet.device.devices.invite('knock'),
    ];
    await alice.device.devices.revoke(await tablet.device.session.kid(), 'lost');
    for (const given of [pin, link]) {
      await assert.rejects(newcomer(world.clock).knock(given), refused('pin-expired'));
    }
  });

  test('gives no right that the device which gave it lacks', async () => {
    const alice = await world.party('alice');
    const tablet = await addDevice(alice, 'alice’s tablet', ['admit', 'answer']);
    const lent = tablet.device.devices.invite('admit', { rights: ['pay'] });
    await assert.rejects(lent, refused('device-not-entitled'));
    const phone = await addDevice(alice, 'alice’s phone', ['answer']);
    await assert.rejects(phone.device.devices.invite('knock'), refused('device-not-entitled'));
  });
});

describe('devices of an account', () => {
  test('two that change the log at once: one wins, the other repeats on the new head', async () => {
    const alice = await world.party('alice');
    const tablet = await addDevice(alice, 'alice’s tablet', ['answer', 'admit']);
    await Promise.all([alice.device.devices.beginEpoch(), tablet.device.devices.beginEpoch()]);
    assert.equal((await alice.device.session.ownLog(0)).epoch.n, 2);
  });

  test('a lost one is frozen at once: its stream is cut, its answers refused, and it is thawed if found', async () => {
    const [alice, host] = await world.pair();
    const phone = await addDevice(alice, 'alice’s phone');
    const kid = await phone.device.session.kid();
    await host.enquirer.ask({ account: alice.name, text: 'Log in' });
    const { requests, cursor } = await phone.device.pending();
    const stop = new AbortController();
    const follow = async () => {
      for await (const _ of phone.device.follow(cursor, stop.signal));
    };
    const cut = assert.rejects(follow(), refused('device-frozen'));
    await new Promise((resolve) => setTimeout(resolve, 300));
    await alice.device.devices.freeze(kid);
    await cut;
    await assert.rejects(
      phone.device.answer(requests[0]!, { decision: 'accept', shown: 'screen' }),
      refused('device-frozen'),
    );
    await alice.device.devices.thaw(kid);
    const { requests: again } = await phone.device.pending();
    assert.equal(again.length, 1);
  });

  test('rights are enforced by whoever reads the log, not by what a program shows', async () => {
    const [alice, host] = await world.pair();
    const phone = await addDevice(alice, 'alice’s phone', ['answer']);
    const payment = { account: alice.name, text: 'Pay 10 €', kind: 'payment' as const };
    const asked = await host.enquirer.ask(payment);
    const mayNot = (party: Party) => async () => {
      const { requests } = await party.device.pending();
      await party.device.answer(requests[0]!, { decision: 'accept', shown: 'screen' });
    };
    await assert.rejects(mayNot(phone), refused('device-not-entitled'));
    await alice.device.devices.setRights(await phone.device.session.kid(), ['answer', 'pay']);
    await world.atOffset(61, async () => {
      await mayNot(phone)();
      assert.equal((await host.enquirer.wait(asked.hash)).outcome, 'accepted');
    });
  });

  test('the last one that may let others in stays', async () => {
    const alice = await world.party('alice');
    const kid = await alice.device.session.kid();
    await assert.rejects(alice.device.devices.revoke(kid, 'retired'), refused('last-device'));
    await assert.rejects(alice.device.devices.setRights(kid, ['answer']), refused('last-device'));
  });
});
