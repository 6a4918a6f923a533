import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, describe, test } from 'node:test';
import { CountersignError } from '@countersign/core';
import WebSocket from 'ws';
import { RELAY_LIMITS, Relay, type RelayLimits } from '../src/relay.ts';

const HOLD = 200;
const stops: (() => void)[] = [];
after(() => {
  for (const stop of stops) stop();
});

/** A relay behind a bare server: the role and the place stand in the path, and the caller's address too. */
async function start(limits: Partial<RelayLimits> = {}) {
  const relay = new Relay({ ...RELAY_LIMITS, hold: HOLD, ...limits });
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  server.on('upgrade', (request, socket, head) => {
    const [, role, place, address] = request.url!.split('/') as [
      string,
      'host' | 'validator',
      string,
      string,
    ];
    try {
      relay.open(request, socket, head, { place: place!, role: role!, address: address! });
    } catch (error) {
      assert.ok(error instanceof CountersignError && error.code === 'overloaded');
      socket.end('HTTP/1.1 503 Refused\r\nconnection: close\r\n\r\n');
    }
  });
  stops.push(() => {
    relay.closeAll();
    server.close();
    server.closeAllConnections();
  });
  const { port } = server.address() as AddressInfo;
  const come = async (role: 'host' | 'validator', place = 'here', address = '192.0.2.1') => {
    const socket = new WebSocket(`ws://127.0.0.1:${port}/${role}/${place}/${address}`);
    const heard: Buffer[] = [];
    socket.on('message', (data) => heard.push(data as Buffer));
    socket.on('error', () => {});
    const closed = new Promise((resolve) => socket.once('close', resolve));
    await Promise.race([new Promise((resolve) => socket.once('open', resolve)), closed]);
    return { socket, heard, closed, text: () => Buffer.concat(heard).toString() };
  };
  return { relay, come };
}

/** Waits for what must come: where it does not, the run's own deadline ends it. */
async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setTimeout(resolve, 2));
}

const settled = () => new Promise((resolve) => setTimeout(resolve, 50));

describe('a relay', () => {
  test('passes bytes on both ways, and what came first too; one end is the other’s', async () => {
    const { relay, come } = await start();
    const validator = await come('validator');
    validator.socket.send(Buffer.from('first, '));
    validator.socket.send(Buffer.from('second'));
    await settled();
    const host = await come('host');
    await until(() => host.text() === 'first, second');
    host.socket.send(Buffer.from('answer'));
    await until(() => validator.text() === 'answer');
    validator.socket.close();
    await host.closed;
    await until(() => relay.count === 0);
  });

  test('joins each validator to one host’s connection, and no two to the same', async () => {
    const { come } = await start();
    const hosts = [await come('host'), await come('host')];
    for (const word of ['a', 'b']) (await come('validator')).socket.send(Buffer.from(word));
    await until(() => hosts.every(({ text }) => text() !== ''));
    assert.deepEqual(hosts.map(({ text }) => text()).sort(), ['a', 'b']);
  });

  test('joins nobody across places, and lets go of whoever nobody waits for, without a word', async () => {
    const { come } = await start();
    const host = await come('host', 'there');
    const began = performance.now();
    const validator = await come('validator', 'elsewhere');
    validator.socket.send(Buffer.from('anybody?'));
    await validator.closed;
    assert.ok(performance.now() - began >= HOLD - 5);
    assert.deepEqual([validator.heard, host.heard], [[], []]);
  });

  test('ends a host that speaks before somebody came, and text', async () => {
    const { come } = await start();
    const early = await come('host');
    early.socket.send(Buffer.from('who is there?'));
    await early.closed;
    await come('host', 'other');
    const wordy = await come('validator', 'other');
    wordy.socket.send('text');
    await wordy.closed;
  });

  test('passes no more than a sign-on needs', async () => {
    const { come } = await start({ most: 1000 });
    const host = await come('host');
    const validator = await come('validator');
    for (let i = 0; i < 3; i++) validator.socket.send(Buffer.alloc(400));
    await Promise.all([validator.closed, host.closed]);
    assert.ok(Buffer.concat(host.heard).length <= 1000);
  });

  test('ends a pair that is too old', async () => {
    const { come } = await start({ longest: 100 });
    const host = await come('host');
    const validator = await come('validator');
    validator.socket.send(Buffer.from('a'));
    await Promise.all([validator.closed, host.closed]);
  });

  test('gives no connection of a host to who says nothing', async () => {
    const { relay, come } = await start();
    await come('host');
    const silent = await come('validator');
    await silent.closed;
    await until(() => relay.count === 1);
  });

  test('has limits: a network’s, a place’s, and its own; what is gone counts no more', async () => {
    const { relay, come } = await start({ perNetwork: 2, waiting: 3, total: 4 });
    const first = [await come('host'), await come('host')];
    const refused = await come('host');
    assert.equal(refused.socket.readyState, WebSocket.CLOSED);
    await come('host', 'here', '192.0.2.2');
    // The place is full, though this network is not.
    assert.equal((await come('host', 'here', '192.0.2.2')).socket.readyState, WebSocket.CLOSED);
    await come('host', 'there', '192.0.2.2');
    assert.equal((await come('host', 'there', '192.0.2.3')).socket.readyState, WebSocket.CLOSED);
    assert.equal(relay.count, 4);
    first[0]!.socket.close();
    await first[0]!.closed;
    await until(() => relay.count < 4);
    assert.equal((await come('host', 'there', '192.0.2.3')).socket.readyState, WebSocket.OPEN);
  });

  test('joins a validator to the newest of a host’s connections', async () => {
    const { come } = await start();
    const hosts = [await come('host'), await come('host')];
    (await come('validator')).socket.send(Buffer.from('a'));
    await until(() => hosts.some(({ text }) => text() !== ''));
    assert.deepEqual(
      hosts.map(({ text }) => text()),
      ['', 'a'],
    );
  });
});
