import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { describe, test } from 'node:test';
import type { StreamEvent } from '@countersign/client';
import { generateProof } from 'dpop';
import { addDevice, type Party, refused, revokeDevice } from './parties.ts';
import { until } from './until.ts';
import { createWorld } from './world.ts';

const world = createWorld();
const { clock, pair } = world;

/** The next so many events of a stream. */
async function take(stream: AsyncGenerator<StreamEvent>, count: number) {
  const events = [];
  for (let i = 0; i < count; i++) {
    const { value } = await stream.next();
    assert.equal(value?.kind, 'event');
    events.push(value.event);
  }
  return events;
}

describe('a device on a stream', () => {
  test('hears of a question with all of it, and of what became of it', async () => {
    const [alice, host] = await pair();
    const stop = new AbortController();
    const { cursor } = await alice.device.pending();
    const stream = alice.device.follow(cursor, stop.signal);
    const asked = await host.enquirer.ask({ account: alice.name, text: 'Log in' });
    const [posted] = await take(stream, 1);
    assert.equal(posted?.kind, 'request');
    const request = await alice.device.examine(posted!.request!);
    assert.equal(request.hash, asked.hash);
    await alice.device.answer(request, { decision: 'accept', shown: 'screen' });
    const [settled] = await take(stream, 1);
    assert.deepEqual([settled?.kind, settled?.request?.state], ['settled', 'answered']);
    stop.abort();
    await stream.return(undefined);
  });

  test('that was cut resumes from its cursor and misses nothing', async () => {
    const [alice, host] = await pair();
    const { cursor } = await alice.device.pending();
    const first = new AbortController();
    const stream = alice.device.follow(cursor, first.signal);
    const one = await host.enquirer.ask({ account: alice.name, text: 'One' });
    const [event] = await take(stream, 1);
    assert.equal(event?.request?.hash, one.hash);
    first.abort();
    await stream.return(undefined);

    const two = await host.enquirer.ask({ account: alice.name, text: 'Two' });
    await host.enquirer.cancel(two.hash);
    const three = await host.enquirer.ask({ account: alice.name, text: 'Three' });

    const second = new AbortController();
    const again = alice.device.follow(event!.cursor, second.signal);
    const seen = await take(again, 3);
    assert.deepEqual(
      seen.map(({ kind, request }) => [kind, request?.hash]),
      [
        ['request', two.hash],
        ['settled', two.hash],
        ['request', three.hash],
      ],
    );
    assert.ok(seen.every(({ cursor: place }, i) => i === 0 || place > seen[i - 1]!.cursor));
    second.abort();
    await again.return(undefined);
  });

  test('whose cursor the broker no longer keeps is told to read the list again', async () => {
    const [alice] = await pair();
    const stop = new AbortController();
    const stream = alice.device.follow(1_000_000_000, stop.signal);
    assert.deepEqual((await stream.next()).value, { kind: 'resync' });
    stop.abort();
  });

  test('whose next event is the oldest that is kept has missed nothing', async () => {
    const [alice, host] = await pair();
    await host.enquirer.ask({ account: alice.name, text: 'One' });
    const { store } = world.home.broker.context;
    const { newest } = await store.eventBounds((await store.findAccount(alice.name))!.id);
    await store.pruneEvents(0, clock.now(), 1000);
    await store.pruneEvents(clock.now() + 1, clock.now(), 1000);
    assert.equal((await store.eventBounds((await store.findAccount(alice.name))!.id)).oldest, newest);
    const stop = new AbortController();
    const stream = alice.device.follow(newest - 1, stop.signal);
    assert.equal((await take(stream, 1))[0]?.cursor, newest);
    const missed = alice.device.follow(newest - 2, stop.signal);
    assert.deepEqual((await missed.next()).value, { kind: 'resync' });
    stop.abort();
    await stream.return(undefined);
  });

  test('that is revoked is cut at once, and not let in again', async () => {
    const [alice] = await pair();
    const tablet = await addDevice(alice, 'alice’s tablet');
    const { cursor } = await tablet.device.pending();
    const stream = tablet.device.follow(cursor, new AbortController().signal);
    const next = stream.next();
    await untilStreams(1);
    await revokeDevice(alice, await tablet.device.session.kid());
    await assert.rejects(async () => {
      await next;
      for await (const _ of stream);
    }, refused('device-revoked'));
  });

  test('that is revoked while its proof is checked gets no stream', async () => {
    const [alice] = await pair();
    const tablet = await addDevice(alice, 'alice’s tablet');
    const kid = await tablet.device.session.kid();
    const { proofs, streams } = world.home.broker.context;
    const { check } = proofs;
    const before = streams.count;
    proofs.check = async (...call) => {
      const device = await check.apply(proofs, call);
      if (device.kid === kid) await revokeDevice(alice, kid);
      return device;
    };
    try {
      const stream = tablet.device.follow(0, new AbortController().signal);
      await assert.rejects(async () => {
        for await (const _ of stream);
      }, refused('device-revoked'));
      assert.equal(streams.count, before);
    } finally {
      proofs.check = check;
    }
  });

  test('needs its own proof: none, another account’s and a used one are refused', async () => {
    const [alice, host] = await pair();
    const path = `/v1/accounts/${encodeURIComponent(alice.name)}/pending`;
    const proofBy = (party: Party, url = world.home.origin + path) =>
      generateProof(
        party.device.session.keys.signer.keyPair as Parameters<typeof generateProof>[0],
        url,
        'GET',
      );
    const call = async (dpop: string | undefined) => {
      const answer = await fetch(world.home.origin + path, dpop === undefined ? {} : { headers: { dpop } });
      const { code } = (await answer.json()) as { code?: string };
      return [answer.status, code];
    };
    assert.deepEqual(await call(undefined), [401, 'proof-invalid']);
    assert.deepEqual(await call('nonsense'), [401, 'proof-invalid']);
    assert.deepEqual(await call(await proofBy(host)), [403, 'device-unknown']);
    assert.deepEqual(await call(await proofBy(alice, `${world.home.origin}/elsewhere`)), [
      401,
      'proof-invalid',
    ]);
    const good = await proofBy(alice);
    assert.deepEqual(await call(good), [200, undefined]);
    assert.deepEqual(await call(good), [401, 'proof-replayed']);
  });
});

/** A stream whose frames are written by hand. */
async function rawStream({ name, device }: Party): Promise<Socket> {
  const { keys } = device.session;
  const path = `/v1/accounts/${encodeURIComponent(name)}/stream`;
  const proof = await generateProof(
    keys.signer.keyPair as Parameters<typeof generateProof>[0],
    world.home.origin + path,
    'GET',
  );
  const { port } = new URL(world.home.origin);
  const socket = connect(Number(port), '127.0.0.1');
  socket.write(
    `GET ${path} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: countersign.v1, dpop.${proof}\r\n\r\n`,
  );
  return socket;
}

test('a line on which nothing happens says so twice a minute', { timeout: 120_000 }, async () => {
  const [alice] = await pair();
  const { cursor } = await alice.device.pending();
  const socket = await alice.device.session.api.openStream(
    alice.device.session.keys.signer,
    alice.name,
    cursor,
  );
  const begun = performance.now();
  const [{ data }] = (await once(socket, 'message')) as [MessageEvent];
  assert.deepEqual(JSON.parse(String(data)), { cursor, kind: 'beat' });
  assert.ok(performance.now() - begun < 40_000);
  socket.close();
});

test('what is no frame, or too long a one, ends that stream and no other', async () => {
  const [alice, host] = await pair();
  const { streams } = world.home.broker.context;
  const stop = new AbortController();
  const before = streams.count;
  const stream = alice.device.follow((await alice.device.pending()).cursor, stop.signal);
  const next = take(stream, 1);
  await untilStreams(before + 1);
  // By RFC 6455 section 5.2: reserved bits and opcodes, no mask, a payload of 2000 bytes, one of 2^63.
  for (const frame of [
    Buffer.from('GET / HTTP/1.1\r\n\r\n'),
    Buffer.from([0xff, 0x80, 0, 0, 0, 0]),
    Buffer.from([0x83, 0x80, 0, 0, 0, 0]),
    Buffer.from([0x81, 0x01, 0x41]),
    Buffer.concat([Buffer.from([0x82, 0xfe, 0x07, 0xd0, 0, 0, 0, 0]), Buffer.alloc(2000)]),
    Buffer.from([0x82, 0xff, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]),
  ]) {
    const socket = await rawStream(alice);
    await untilStreams(before + 2);
    socket.on('error', () => {});
    socket.resume();
    socket.write(frame);
    await untilStreams(before + 1);
    socket.destroy();
  }
  const asked = await host.enquirer.ask({ account: alice.name, text: 'Still there?' });
  assert.equal((await next)[0]?.request?.hash, asked.hash);
  stop.abort();
  await stream.return(undefined);
});

test('a reader that does not read is cut, and never buffered for without bound', {
  timeout: 60_000,
}, async () => {
  const [alice, host] = await pair();
  const before = world.home.broker.context.streams.count;
  const socket = await rawStream(alice);
  await untilStreams(before + 1);
  socket.pause();

  const { store, streams } = world.home.broker.context;
  const asked = await host.enquirer.ask({
    account: alice.name,
    text: 'A long one',
    sealed: false,
    fields: Array.from({ length: 64 }, (_, i) => ({ name: `field ${i}`, value: 'x'.repeat(100) })),
  });
  const row = (await store.findRequest(asked.hash))!;
  let sent = 0;
  while (streams.count > before && sent < 5000) {
    sent++;
    streams.publish(row.accountId, { id: 1_000_000 + sent, kind: 'request', requestId: row.id }, row);
    if (sent % 50 === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  await untilStreams(before);
  const bytes = sent * row.jws.length;
  assert.ok(bytes < 64 * 1024 * 1024, `cut after ${bytes} bytes`);
  socket.destroy();
});

async function untilStreams(count: number): Promise<void> {
  const { streams } = world.home.broker.context;
  await until(
    () => streams.count === count,
    () => `${streams.count} streams, not ${count}`,
  );
}
