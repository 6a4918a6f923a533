import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type Device, Enquirer, type KnockingDevice } from '@countersign/client';
import {
  CODE_TRIES,
  createDeviceAdd,
  createEnrolmentAccept,
  ENROLMENT_LIFE,
  EnrolmentRejectStatement,
  formatDeviceLink,
  openEpoch,
  parseDeviceLink,
  signStatement,
} from '@countersign/core';
import { webCrypto } from '@countersign/core/webcrypto';
import { addDevice, newcomer, type Party, refused } from './parties.ts';
import { createWorld } from './world.ts';

const world = createWorld();
const accept = (device: Device, knocking: KnockingDevice, code?: string) =>
  device.devices.accept(knocking, code, { rights: ['answer', 'pay'] });

/** Alice, and a phone of hers before her door. */
async function knocking() {
  const alice = await world.party('alice');
  const phone = newcomer(world.clock);
  const link = await alice.device.devices.invite('knock');
  const waiting = await phone.knock(link);
  const { waiting: seen } = await alice.device.devices.door();
  return { alice, phone, link, waiting, seen: seen[0]! };
}

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

  test('learns that it was turned away, forgets its keys, and may try again', async () => {
    const { alice, phone, link, seen } = await knocking();
    const decided = phone.complete(20);
    await alice.device.devices.reject(seen);
    assert.deepEqual(await decided, { outcome: 'rejected' });
    assert.equal(await phone.keyStore.load(), undefined);
    const { code } = await phone.knock(link);
    await accept(alice.device, (await alice.device.devices.door()).waiting[0]!, code);
    assert.deepEqual(await phone.complete(), { outcome: 'complete' });
  });

  test('learns that nobody let it in in time', async () => {
    const { alice, phone, seen } = await knocking();
    await world.atOffset(ENROLMENT_LIFE + 1, async () => {
      assert.deepEqual((await alice.device.devices.door()).waiting, []);
      await assert.rejects(alice.device.devices.reject(seen), refused('enrolment-expired'));
      assert.deepEqual(await phone.complete(), { outcome: 'expired' });
    });
  });

  test('waits without polling, and is told when it is decided', async () => {
    const { alice, phone, waiting, seen } = await knocking();
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
    const told = [alice, tablet].map(async ({ device }) => {
      const { cursor } = await device.pending();
      for await (const happened of device.follow(cursor, stop.signal)) {
        if (happened.kind === 'event' && happened.event.kind === 'enrolment') return true;
      }
      return false;
    });
    await new Promise((resolve) => setTimeout(resolve, 300));
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

describe('the defects of the system before', () => {
  test('1: the gate is the server’s: a device that waits gets 403 on every route but its own room', async () => {
    const { alice, phone, waiting } = await knocking();
    const { device } = await phone.party();
    const { api, keys } = device.session;
    const log = await device.session.ownLog(0);
    const asked = alice.device.session;
    const forbidden: [route: string, call: () => Promise<unknown>][] = [
      ['get pending', () => api.list(keys.signer, keys.name, 'pending')],
      ['get history', () => api.list(keys.signer, keys.name, 'history')],
      ['get contacts', () => api.readContacts(keys.signer, keys.name, 1)],
      ['get enrolments', () => api.listEnrolments(keys.signer, keys.name)],
      [
        'post contacts',
        () => device.contacts.change({ name: 'a@b.c', identity: asked.keys.identity }, 'allow'),
      ],
      ['post log', () => device.devices.beginEpoch()],
      ['post invitations', () => device.devices.invite('knock')],
      [
        'post requests',
        () =>
          new Enquirer({ ...asked, keys, state: phone.state }).ask({ account: alice.name, text: 'Log in' }),
      ],
      [
        'stream',
        async () => {
          const socket = await api.openStream(keys.signer, keys.name, 0);
          const opened = await new Promise((resolve) => {
            socket.addEventListener('open', () => resolve(true));
            socket.addEventListener('error', () => resolve(false));
          });
          assert.equal(opened, false);
          return api.list(keys.signer, keys.name, 'pending');
        },
      ],
    ];
    const seen: number[] = [];
    const honest = globalThis.fetch;
    globalThis.fetch = async (...call) => {
      const answer = await honest(...call);
      if (!answer.ok) seen.push(answer.status);
      return answer;
    };
    try {
      for (const [route, call] of forbidden) {
        await assert.rejects(call(), { code: 'device-unknown' }, route);
      }
    } finally {
      globalThis.fetch = honest;
    }
    assert.ok(seen.length >= 6 && seen.every((status) => status === 403), String(seen));
    // Let in, and not yet in: still the wall.
    const { waiting: rows } = await alice.device.devices.door();
    await accept(alice.device, rows[0]!, waiting.code);
    await assert.rejects(api.list(keys.signer, keys.name, 'pending'), refused('device-unknown'));
    await assert.rejects(
      device.devices.revoke(waiting.facts.kid, 'retired'),
      refused('enrolment-incomplete'),
    );
    await phone.complete();
    await api.list(keys.signer, keys.name, 'pending');
    assert.equal(log.head.seq, 0);
  });

  test('2: knowing the account’s public keys approves nothing', async () => {
    const { alice, phone, waiting, seen } = await knocking();
    const { device } = await phone.party();
    const { signer } = device.session.keys;
    const log = await device.session.ownLog(0);
    // All that a stranger knows: the log, which is public, and its own keys and code.
    const own = { jws: seen.enrolment.device.jws, kid: waiting.facts.kid, enc: seen.enrolment.device.enc };
    const epoch = { key: log.epoch.key, privateKey: '{}' };
    const now = world.clock.now();
    const add = await createDeviceAdd(webCrypto, { signer, log, now }, own, ['answer'], epoch);
    await assert.rejects(device.session.api.appendLog(log.name, [add.jws]), refused('device-unknown'));
    const word = await createEnrolmentAccept(webCrypto, signer, seen.enrolment, waiting.code!, now);
    await assert.rejects(
      device.session.api.acceptEnrolment(log.name, waiting.facts.hash, word, [add.jws]),
      refused('device-unknown'),
    );
    assert.equal((await alice.device.session.ownLog(0)).head.seq, 0);
  });

  test('3: a device that waits approves and rejects nobody, itself or another', async () => {
    const { alice, phone, link } = await knocking();
    const tablet = newcomer(world.clock);
    await tablet.knock(link, 'alice’s tablet');
    const { device } = await phone.party();
    const { waiting: rows } = await alice.device.devices.door();
    assert.equal(rows.length, 2);
    for (const { facts } of rows) {
      const payload = {
        sub_id: device.session.keys.identity,
        enrolment: facts.hash,
        iat: world.clock.now(),
        reason: 'rejected' as const,
      };
      const { jws } = await signStatement(
        webCrypto,
        EnrolmentRejectStatement,
        device.session.keys.signer,
        payload,
      );
      await assert.rejects(
        device.session.api.settleEnrolment(alice.name, facts.hash, 'reject', jws),
        refused('device-unknown'),
      );
    }
    assert.equal((await alice.device.devices.door()).waiting.length, 2);
  });

  test('4: a device proves that it holds its key, over a challenge of this minute', async () => {
    const alice = await world.party('alice');
    const link = await alice.device.devices.invite('knock');
    const [thief, victim] = [newcomer(world.clock), newcomer(world.clock)];
    const honest = globalThis.fetch;
    const bodies: string[] = [];
    globalThis.fetch = async (input, init) => {
      if (String(input).endsWith('/enrolments') && init?.method === 'POST') bodies.push(String(init.body));
      return honest(input, init);
    };
    try {
      await victim.knock(link);
      await thief.knock(link);
    } finally {
      globalThis.fetch = honest;
    }
    const [theirs, own] = bodies.map((body) => JSON.parse(body) as { enrolment: string; ticket: string });
    const post = async (enrolment: string) => {
      const url = `${world.home.origin}/v1/accounts/${encodeURIComponent(alice.name)}/enrolments`;
      const body = JSON.stringify({ enrolment, ticket: own!.ticket });
      const answer = await fetch(url, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body,
      });
      return ((await answer.json()) as { code?: string }).code;
    };
    // Another's keys under one's own signature, and one's own keys under another's.
    const [head, payload, signature] = own!.enrolment.split('.') as [string, string, string];
    const mine = JSON.parse(Buffer.from(payload, 'base64url').toString());
    const stolen = JSON.parse(Buffer.from(theirs!.enrolment.split('.')[1]!, 'base64url').toString());
    const swapped = Buffer.from(JSON.stringify({ ...mine, device: stolen.device })).toString('base64url');
    assert.equal(await post(`${head}.${swapped}.${signature}`), 'signature-invalid');
    // A recorded enrolment, later: the same words are the same enrolment, and never a second one.
    await world.atOffset(121, async () => {
      assert.equal(await post(theirs!.enrolment), undefined);
      assert.equal((await alice.device.devices.door()).waiting.length, 2);
    });
    // A challenge of two minutes ago.
    const late = newcomer(world.clock);
    const bob = await world.party('bob');
    const doorOfBob = await bob.device.devices.invite('knock');
    globalThis.fetch = async (input, init) => {
      if (String(input).endsWith('/enrolments') && init?.method === 'POST') world.clock.offset += 121;
      return honest(input, init);
    };
    try {
      await assert.rejects(late.knock(doorOfBob), refused('challenge-invalid'));
    } finally {
      globalThis.fetch = honest;
      world.clock.offset = 0;
    }
  });

  test('5: both sides show the same fingerprint, name, model, system, address and time', async () => {
    const { waiting, seen } = await knocking();
    assert.deepEqual(seen.facts, waiting.facts);
    const { kid, name, model, os, address, askedAt } = seen.facts;
    assert.match(kid, /^M[A-Z2-7]{3}(-[A-Z2-7]{4}){6}$/);
    assert.deepEqual([name, model, os, address], ['alice’s phone', 'Pixel 9', 'Android 17', '127.0.0.1']);
    assert.ok(Math.abs(askedAt - world.clock.now()) < 5);
  });

  test('6: a wrong code lets nobody in, and the third one turns the device away', async () => {
    const { alice, phone, seen, waiting } = await knocking();
    for (let i = 0; i < CODE_TRIES; i++) {
      await assert.rejects(accept(alice.device, seen, 'AAAA-AAAA'), refused('code-wrong'));
    }
    await assert.rejects(accept(alice.device, seen, waiting.code), refused('code-wrong'));
    assert.deepEqual(await phone.complete(), { outcome: 'rejected' });
    assert.equal((await alice.device.session.ownLog(0)).head.seq, 0);
  });

  test('7: a device that was shown out reads nothing that is asked later, with all of the database', async () => {
    const [alice, host] = await world.pair();
    const phone = await addDevice(alice, 'alice’s phone');
    const asked = await host.enquirer.ask({ account: alice.name, text: 'Before' });
    const { requests } = await phone.device.pending();
    await phone.device.answer(requests[0]!, { decision: 'accept', shown: 'screen' });
    const receipt = await host.enquirer.receipt(asked.hash);
    await alice.device.devices.revoke(await phone.device.session.kid(), 'lost');
    const later = await host.enquirer.ask({ account: alice.name, text: 'After' });
    await assert.rejects(phone.device.pending(), refused('device-revoked'));
    // The whole log is public, and every box in it is tried with the phone's own key.
    const log = await alice.device.session.ownLog(0);
    const kid = await phone.device.session.kid();
    const opened = await Promise.allSettled(
      log.epochs.flatMap((epoch) =>
        Object.entries(epoch.sealed).map(([to, box]) =>
          openEpoch(
            log.name,
            { ...epoch, sealed: { [to]: box, [kid]: box } },
            to,
            phone.device.session.keys.opener,
          ).then(() => `${epoch.n} ${to}`),
        ),
      ),
    );
    const good = opened.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
    assert.deepEqual(good, [`0 ${kid}`]);
    const row = await world.home.broker.context.store.findRequest(later.hash);
    assert.equal(JSON.parse(Buffer.from(row!.jws.split('.')[1]!, 'base64url').toString()).sealed.epoch, 1);
    assert.equal((await host.enquirer.status(asked.hash)).outcome, 'accepted');
    assert.ok(receipt.response.length > 0);
    // The other device is not affected.
    const { requests: still } = await alice.device.pending();
    assert.equal(still.length, 1);
  });

  test('8: at most three wait and five come in an hour; then silence, and a notice', async () => {
    const alice = await world.party('alice');
    const link = await alice.device.devices.invite('knock');
    for (let i = 0; i < 3; i++) await newcomer(world.clock).knock(link);
    await assert.rejects(newcomer(world.clock).knock(link), refused('too-many-enrolments'));
    const { waiting: rows, notices } = await alice.device.devices.door();
    assert.equal(rows.length, 3);
    assert.deepEqual(
      notices.map(({ kind, count }) => ({ kind, count })),
      [{ kind: 'too-many-enrolments', count: 1 }],
    );
    for (const row of rows) await alice.device.devices.reject(row);
    for (let i = 0; i < 2; i++) await newcomer(world.clock).knock(link);
    await assert.rejects(newcomer(world.clock).knock(link), refused('too-many-enrolments'));
    await world.atOffset(3601, async () => {
      await newcomer(world.clock).knock(link);
    });
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
