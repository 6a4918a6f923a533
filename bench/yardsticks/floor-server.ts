/**
 * The floor: the least that a server can do for a confirmation. Bare `node:http`, the same three exchanges, two
 * verifications by the same crypto provider, two group-committed writes on an integer key (WAL, FULL). No
 * limits, no contacts, no schemas, no log of devices, no streams, no replay of a request: nothing but the cost
 * of the ground.
 *
 * Arguments: the database's path, and a JSON file of public keys by kid.
 * @module
 */
import { readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { DatabaseSync } from 'node:sqlite';
import type { PublicSigningJwk } from '@countersign/core';
import { sodiumCrypto } from '../../packages/broker/src/index.ts';

const [path, keyFile] = process.argv.slice(2);
const keys = new Map(
  Object.entries(JSON.parse(readFileSync(keyFile!, 'utf8')) as Record<string, PublicSigningJwk>),
);

const database = new DatabaseSync(path!);
database.exec(`PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;
  CREATE TABLE requests (id INTEGER PRIMARY KEY, jws TEXT NOT NULL, response TEXT) STRICT;`);
const begin = database.prepare('BEGIN IMMEDIATE');
const commit = database.prepare('COMMIT');
const insert = database.prepare('INSERT INTO requests (jws) VALUES (?)');
const update = database.prepare('UPDATE requests SET response = ? WHERE id = ? AND response IS NULL');

let queue: { work: () => number; resolve: (value: number) => void }[] = [];

function write(work: () => number): Promise<number> {
  return new Promise((resolve) => {
    queue.push({ work, resolve });
    if (queue.length === 1) setImmediate(flush);
  });
}

function flush(): void {
  const batch = queue;
  queue = [];
  begin.run();
  const values = batch.map(({ work }) => work());
  commit.run();
  for (const [i, { resolve }] of batch.entries()) resolve(values[i]!);
}

async function verify(jws: string): Promise<boolean> {
  const [header, payload, signature] = jws.split('.');
  const { kid } = JSON.parse(Buffer.from(header!, 'base64url').toString()) as { kid: string };
  JSON.parse(Buffer.from(payload!, 'base64url').toString());
  const key = keys.get(kid);
  const input = Buffer.from(`${header}.${payload}`);
  return key !== undefined && sodiumCrypto.verify(key, input, Buffer.from(signature!, 'base64url'));
}

const waiting = new Map<number, (response: string) => void>();

async function handle(call: IncomingMessage, body: string, reply: ServerResponse): Promise<void> {
  const [, , id, last] = call.url!.split('/');
  if (call.method === 'GET') {
    waiting.set(Number(id), (response) => send(reply, 200, { response }));
  } else if (last === 'response') {
    const { response } = JSON.parse(body) as { response: string };
    if (!(await verify(response))) return send(reply, 403, {});
    const changes = await write(() => Number(update.run(response, Number(id)).changes));
    if (changes === 0) return send(reply, 409, {});
    waiting.get(Number(id))?.(response);
    waiting.delete(Number(id));
    send(reply, 200, { state: 'answered' });
  } else {
    const { request } = JSON.parse(body) as { request: string };
    if (!(await verify(request))) return send(reply, 403, {});
    send(reply, 201, { id: await write(() => Number(insert.run(request).lastInsertRowid)) });
  }
}

function send(reply: ServerResponse, status: number, value: object): void {
  const text = JSON.stringify(value);
  reply.writeHead(status, { 'content-type': 'application/json', 'content-length': text.length });
  reply.end(text);
}

const server = createServer((call, reply) => {
  let body = '';
  call.setEncoding('utf8');
  call.on('data', (chunk: string) => {
    body += chunk;
  });
  call.on('end', () => void handle(call, body, reply));
});
server.keepAliveTimeout = 150_000;
server.listen(0, '127.0.0.1', () => {
  const { port } = server.address() as AddressInfo;
  process.stdout.write(`${JSON.stringify({ local: `http://127.0.0.1:${port}` })}\n`);
});
