import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { test } from 'node:test';
import { systemClock } from '@countersign/client';
import express from 'express';
import Fastify from 'fastify';
import { flipFirst } from '../../core/test/tamper.ts';
import { expressSignOn, fastifySignOn, type SignedOn, webSignOn } from '../src/web/index.ts';
import { openState, safePath, sealState } from '../src/web/sign-on-state.ts';
import { HOST, startHost } from './host.ts';

type World = Awaited<ReturnType<typeof startHost>>;

function webOf({ gate, records }: World, origin: string) {
  return webSignOn({ gate, records, host: HOST, origin });
}

/** Signs on as a browser does, and gives the session's cookie. */
async function signOn(host: World, origin: string): Promise<string> {
  const alice = await host.pair('alice');
  const headers = {
    origin,
    'sec-fetch-site': 'same-origin',
    'content-type': 'application/x-www-form-urlencoded',
  };
  const started = await fetch(`${origin}/countersign/`, {
    method: 'POST',
    headers,
    body: 'user=alice&next=/hello?x=1',
  });
  assert.equal(started.status, 200);
  const cookie = started.headers.getSetCookie()[0]!.split(';')[0]!;
  const page = await started.text();
  const passcode = /aria-label="Passcode ([\d ]+)"/.exec(page)![1]!.replaceAll(' ', '');
  const wait = /url=([^"]+)"/.exec(page)![1]!.replaceAll('&amp;', '&');
  const [, end] = await Promise.all([
    alice.signOn(passcode),
    fetch(origin + wait.replace('seen=gate', 'seen=shown'), { headers: { cookie }, redirect: 'manual' }),
  ]);
  let answer = end;
  // a page in between says that the validator is waited for
  while (answer.status === 200) {
    answer = await fetch(origin + wait.replace('seen=gate', 'seen=shown'), {
      headers: { cookie },
      redirect: 'manual',
    });
  }
  assert.equal(answer.status, 303);
  assert.equal(answer.headers.get('location'), '/hello?x=1');
  return answer.headers
    .getSetCookie()
    .find((one) => one.startsWith('countersign-session='))!
    .split(';')[0]!;
}

async function expectGuarded(host: World, origin: string): Promise<void> {
  const refused = await fetch(`${origin}/hello?x=1`, { redirect: 'manual' });
  assert.equal(refused.status, 303);
  assert.equal(refused.headers.get('location'), '/countersign/?next=%2Fhello%3Fx%3D1');
  const cookie = await signOn(host, origin);
  const passed = await fetch(`${origin}/hello?x=1`, { headers: { cookie } });
  assert.equal(await passed.text(), 'hello alice');
  const [name, session] = cookie.split('=') as [string, string];
  const other = `${name}=${flipFirst(session)}`;
  assert.equal(
    (await fetch(`${origin}/hello`, { headers: { cookie: other }, redirect: 'manual' })).status,
    303,
  );
}

async function listen(server: Server): Promise<string> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return `http://127.0.0.1:${(server.address() as { port: number }).port}`;
}

test('Express: nothing passes without a session, and the user is known behind it', async () => {
  await using host = await startHost();
  const app = express();
  const server = createServer(app);
  const origin = await listen(server);
  app.use(expressSignOn(webOf(host, origin)));
  app.use(express.urlencoded({ extended: false }));
  app.get('/hello', (request, response) => {
    response.send(`hello ${(request as SignedOn).countersignUser}`);
  });
  try {
    await expectGuarded(host, origin);
  } finally {
    server.close();
    server.closeAllConnections();
  }
});

test('Fastify: the same', async () => {
  await using host = await startHost();
  const app = Fastify();
  const probe = createServer();
  const origin = await listen(probe);
  probe.close();
  app.addHook('onRequest', fastifySignOn(webOf(host, origin)));
  app.get('/hello', async (request) => `hello ${(request as unknown as SignedOn).countersignUser}`);
  await app.listen({ port: Number(new URL(origin).port), host: '127.0.0.1' });
  try {
    await expectGuarded(host, origin);
  } finally {
    await app.close();
  }
});

test('forward-auth: who has no session is sent to sign on, and back to where they wanted to go', async () => {
  await using host = await startHost();
  const server = createServer();
  const origin = await listen(server);
  const web = webOf(host, origin);
  server.on('request', (request, response) => void web.handle(request, response));
  try {
    const ask = (headers: Record<string, string>) =>
      fetch(`${origin}/countersign/forward`, { headers, redirect: 'manual' });
    const away = await ask({ 'x-forwarded-uri': '/report?of=june' });
    assert.equal(away.status, 303);
    assert.equal(away.headers.get('location'), '/countersign/?next=%2Freport%3Fof%3Djune');
    const evil = await ask({ 'x-forwarded-uri': '//evil.example' });
    assert.equal(evil.headers.get('location'), '/countersign/?next=%2F');
    const cookie = await signOn(host, origin);
    const passed = await ask({ cookie });
    assert.equal(passed.status, 204);
    assert.equal(passed.headers.get('countersign-user'), 'alice');
  } finally {
    server.close();
    server.closeAllConnections();
  }
});

test('approvers who do not answer in time: the page and the validator say so', async () => {
  let ahead = 0;
  const clock = { now: systemClock.now, monotonic: () => performance.now() + ahead };
  // They have two minutes, which are over as soon as they are asked.
  await using host = await startHost({ clock, approvers: () => (ahead = 120_000) });
  const alice = await host.pair('alice');
  host.records.setUser('alice', { approvals: { needed: 1, of: ['bob@example.com'] } });
  const server = createServer();
  const origin = await listen(server);
  const web = webOf(host, origin);
  server.on('request', (request, response) => void web.handle(request, response));
  try {
    const started = await fetch(`${origin}/countersign/`, {
      method: 'POST',
      headers: { origin, 'content-type': 'application/x-www-form-urlencoded' },
      body: 'user=alice&next=/',
    });
    const cookie = started.headers.getSetCookie()[0]!.split(';')[0]!;
    const page = await started.text();
    const passcode = /aria-label="Passcode ([\d ]+)"/.exec(page)![1]!.replaceAll(' ', '');
    const wait = /url=([^"]+)"/.exec(page)![1]!.replaceAll('&amp;', '&');
    const { end } = await alice.signOn(passcode);
    assert.deepEqual(end, { outcome: 'refused', reason: 'approval-late' });
    const answer = await fetch(origin + wait, { headers: { cookie }, redirect: 'manual' });
    assert.equal(answer.status, 403);
    assert.match(await answer.text(), /Not approved.*The approvers did not answer in time\./s);
  } finally {
    server.close();
    server.closeAllConnections();
  }
});

test('a state is good with its key, in its browser, and unaltered', () => {
  const key = new Uint8Array(32).fill(1);
  const state = { attempt: 'A'.repeat(22), user: 'alice', next: '/' };
  const sealed = sealState(key, state, 'browser');
  assert.deepEqual(openState(key, sealed, 'browser'), state);
  assert.equal(openState(new Uint8Array(32).fill(2), sealed, 'browser'), undefined);
  assert.equal(openState(key, sealed, 'another'), undefined);
  for (let i = 0; i < sealed.length; i++) {
    const other = sealed[i] === 'A' ? 'B' : 'A';
    assert.equal(
      openState(key, sealed.slice(0, i) + other + sealed.slice(i + 1), 'browser'),
      undefined,
      String(i),
    );
  }
});

test('the way back is a path of this site', () => {
  for (const good of ['/', '/a/b?c=d&e=f#g', '/a//b']) assert.equal(safePath(good), good);
  for (const bad of [
    '',
    'a',
    '//a',
    '/\\a',
    '/a\\b',
    '/a b',
    '/\u202Ea',
    'https://a/',
    '/\n',
    undefined,
    null,
  ]) {
    assert.equal(safePath(bad), '/');
  }
});
