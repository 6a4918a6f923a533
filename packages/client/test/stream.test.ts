import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { type RawData, WebSocketServer } from 'ws';
import type { Session } from '../src/session.ts';
import { sleep as pause } from '../src/sleep.ts';
import { openEvents } from '../src/stream.ts';

test('a broker that sends more than is read is cut, and nothing is missed or told twice', async () => {
  const ALL = 3500;
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
  await once(server, 'listening');
  const begun: number[] = [];
  server.on('connection', (socket, { url }) => {
    const from = Number(new URL(url!, 'ws://x').searchParams.get('cursor'));
    begun.push(from);
    for (let cursor = from + 1; cursor <= ALL; cursor++) socket.send(JSON.stringify({ cursor }));
  });
  const { port } = server.address() as AddressInfo;
  const session = {
    keys: {},
    api: {
      openStream: async (_signer: unknown, _name: unknown, cursor: number) =>
        new WebSocket(`ws://127.0.0.1:${port}/?cursor=${cursor}`),
      parseEvent: (data: RawData) => JSON.parse(String(data)) as unknown,
    },
  } as unknown as Session;
  const stop = new AbortController();
  const read: number[] = [];
  try {
    for await (const told of openEvents(session, 0, stop.signal)) {
      assert.ok(told.kind === 'event');
      read.push(told.event.cursor);
      // Whoever reads is busy at times.
      if (read.length % 700 === 1) await sleep(100);
      if (read.length === ALL) break;
    }
  } finally {
    stop.abort();
    for (const socket of server.clients) socket.terminate();
    server.close();
  }
  assert.deepEqual(
    read,
    Array.from({ length: ALL }, (_, i) => i + 1),
  );
  assert.ok(begun.length > 1, `lines began at ${begun.join(', ')}`);
});

test('a reader that stops while its line is made stops there', async () => {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const stop = new AbortController();
  const session = {
    keys: {},
    api: {
      openStream: async () => {
        stop.abort();
        return new WebSocket(`ws://127.0.0.1:${port}/`);
      },
      list: async () => ({ requests: [] }),
    },
  } as unknown as Session;
  try {
    const told = await Array.fromAsync(openEvents(session, 0, stop.signal));
    assert.deepEqual(told, []);
    await pause(3_600_000, stop.signal);
  } finally {
    for (const socket of server.clients) socket.terminate();
    server.close();
  }
});

test('a line that died without a word is left for another one, and one that beats is kept', async () => {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
  await once(server, 'listening');
  const beat = JSON.stringify({ cursor: 0, kind: 'beat' });
  let lines = 0;
  const beats: NodeJS.Timeout[] = [];
  server.on('connection', (socket) => {
    lines++;
    if (lines === 1) return;
    beats.push(setInterval(() => socket.send(beat), 100));
    setTimeout(() => socket.send(JSON.stringify({ cursor: 1, kind: 'log' })), 4000);
  });
  const { port } = server.address() as AddressInfo;
  const session = {
    keys: {},
    api: {
      openStream: async () => new WebSocket(`ws://127.0.0.1:${port}/`),
      parseEvent: (data: RawData) => JSON.parse(String(data)) as unknown,
    },
  } as unknown as Session;
  const stop = new AbortController();
  const ups: boolean[] = [];
  const events = openEvents(session, 0, stop.signal, (up) => ups.push(up), 3000);
  try {
    // The beats before it are told to nobody.
    const { value } = await events.next();
    assert.deepEqual(value, { kind: 'event', event: { cursor: 1, kind: 'log' } });
    assert.deepEqual([lines, ups], [2, [true, false, true]]);
  } finally {
    stop.abort();
    await events.return(undefined);
    beats.forEach(clearInterval);
    for (const socket of server.clients) socket.terminate();
    server.close();
  }
});
