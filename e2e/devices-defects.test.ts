import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Enquirer } from '@countersign/client';
import {
  CODE_TRIES,
  createDeviceAdd,
  createEnrolmentAccept,
  EnrolmentRejectStatement,
  openEpoch,
  signStatement,
} from '@countersign/core';
import { webCrypto } from '@countersign/core/webcrypto';
import { generateProof } from 'dpop';
import { accept, knocking } from './device-door.ts';
import { addDevice, newcomer, refused } from './parties.ts';
import { createWorld } from './world.ts';

const world = createWorld();
type KeyPair = Parameters<typeof generateProof>[0];

describe('the defects of the system before', () => {
  test('1: the gate is the server’s: a device that waits gets 403 on every route but its own room', async () => {
    const { alice, phone, waiting } = await knocking(world);
    const { device } = await phone.party();
    const { api, keys } = device.session;
    const log = await device.session.ownLog(0);
    const asked = alice.device.session;
    const forbidden: [route: string, call: () => Promise<unknown>][] = [
      ['get pending', () => api.list(keys.signer, keys.name, 'pending')],
      ['get history', () => api.list(keys.signer, keys.name, 'history')],
      ['get contacts', () => api.readContacts(keys.signer, keys.name, 1)],
      ['get invitations', () => device.invitations.list()],
      [
        'cancel invitation',
        async () => device.invitations.cancel((await alice.device.invitations.list())[0]!),
      ],
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

  test('1: so it is on each route of the description, but for those that anybody may use', async () => {
    const { alice, phone, waiting } = await knocking(world);
    const { keys } = (await phone.party()).device.session;
    const { origin } = world.home;
    const { paths } = (await (await fetch(`${origin}/openapi.json`)).json()) as {
      paths: Record<string, Record<string, { security?: unknown; 'x-caller'?: string }>>;
    };
    const hash = waiting.facts.hash;
    const place: Record<string, string> = {
      name: alice.name,
      hash,
      sid: 'A'.repeat(22),
      subject: alice.name,
    };
    const address = 'alice@mail.example';
    const bodies: Record<string, object> = {
      push: {
        subscription: {
          endpoint: 'https://fcm.googleapis.com/x',
          keys: { p256dh: 'A'.repeat(87), auth: 'A'.repeat(22) },
        },
      },
      addresses: { address },
      'addresses/confirm': { address, code: '000000' },
      'addresses/remove': { address },
      'sessions/{sid}/messages': { body: 'x' },
      'two-way': { request: hash },
    };
    const unguarded: string[] = [];
    const walls: string[] = [];
    for (const [template, methods] of Object.entries(paths)) {
      const path = template.replace(/\{(\w+)\}/g, (_, name: string) => place[name] ?? hash);
      for (const [method, { security, 'x-caller': caller }] of Object.entries(methods)) {
        const route = `${method} ${template}`;
        if (security === undefined) {
          // What is signed is judged by its signature; what is read so, anybody may read.
          if (method === 'get') unguarded.push(`${template}: ${caller}`);
          else assert.ok(caller !== undefined && caller !== 'anybody', route);
          continue;
        }
        const proof = await generateProof(
          keys.signer.keyPair as KeyPair,
          origin + path,
          method.toUpperCase(),
        );
        const body = method === 'post' ? (bodies[template.split('{name}/')[1]!] ?? {}) : undefined;
        const answer = await fetch(origin + path, {
          method: method.toUpperCase(),
          headers: { dpop: proof, ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
          ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        });
        const told = (await answer.json()) as { code?: string };
        if (answer.status === 403 && told.code === 'device-unknown') walls.push(route);
        // A stream is refused as it is opened, see above; its own room is what a device that waits may see.
        else assert.ok(/stream$|enrolments\/\{hash\}$/.test(route), `${route}: ${JSON.stringify(told)}`);
      }
    }
    assert.ok(walls.length > 25, String(walls));
    assert.deepEqual(unguarded.sort(), [
      '/.well-known/countersign: anybody',
      '/health: anybody',
      '/tlog/proof: anybody',
      '/v1/accounts/{name}/card: anybody',
      '/v1/accounts/{name}/challenge: anybody',
      '/v1/accounts/{name}/log: anybody',
      '/v1/accounts/{name}/members: anybody',
      '/v1/accounts/{name}/picture: anybody',
      '/v1/accounts/{name}/profile: anybody',
      '/v1/requests/{hash}/receipt: whoever knows the hash',
      '/v1/requests/{hash}: whoever knows the hash',
      '/v1/seats/{hash}: anybody',
      '/v1/signatures/{hash}: whoever has the link',
    ]);
  });

  test('2: knowing the account’s public keys approves nothing', async () => {
    const { alice, phone, waiting, seen } = await knocking(world);
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
    const { alice, phone, link } = await knocking(world);
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
    const { waiting, seen } = await knocking(world);
    assert.deepEqual(seen.facts, waiting.facts);
    const { kid, name, model, os, address, askedAt } = seen.facts;
    assert.match(kid, /^M[A-Z2-7]{3}(-[A-Z2-7]{4}){6}$/);
    assert.deepEqual([name, model, os, address], ['alice’s phone', 'Pixel 9', 'Android 17', '127.0.0.1']);
    assert.ok(Math.abs(askedAt - world.clock.now()) < 5);
  });

  test('6: a wrong code lets nobody in, and the third one turns the device away', async () => {
    const { alice, phone, seen, waiting } = await knocking(world);
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
    // Whoever has the link can go on as often as they like: the devices are told once in an hour.
    const { store } = world.home.broker.context;
    const { id } = (await store.findAccount(alice.name))!;
    const told = async () => (await store.readEvents(id, 0, 100)).filter(({ kind }) => kind === 'notice');
    const before = (await told()).length;
    for (let i = 0; i < 4; i++) {
      await assert.rejects(newcomer(world.clock).knock(link), refused('too-many-enrolments'));
    }
    // One more only where the clock has come to the next hour meanwhile.
    const hours = new Set([notices[0]!.newest, world.clock.now()].map((at) => Math.floor(at / 3600)));
    assert.deepEqual([before, (await told()).length], [1, hours.size]);
    assert.equal((await alice.device.devices.door()).notices[0]?.count, 5);
    for (const row of rows) await alice.device.devices.reject(row);
    for (let i = 0; i < 2; i++) await newcomer(world.clock).knock(link);
    await assert.rejects(newcomer(world.clock).knock(link), refused('too-many-enrolments'));
    await world.atOffset(3601, async () => {
      await newcomer(world.clock).knock(link);
    });
  });
});
