/**
 * Web sign-on behind real Caddy, which asks by `forward_auth`.
 */
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import type { NginxProcess } from './gate-processes.ts';
import { pairValidator, type TestValidator } from './gate-validator.ts';
import { visitGate } from './gate-visitor.ts';
import { createGateWorld } from './gate-world.ts';

const world = createGateWorld({ name: 'app.example' });
let caddy: NginxProcess;
let alice: TestValidator;

before(async () => {
  await world.ready();
  alice = await pairValidator(world.data, 'alice');
  caddy = await world.site('caddy');
});

const get = (path: string, headers: Record<string, string> = {}) =>
  fetch(caddy.origin + path, { headers, redirect: 'manual' });

test('without a session nothing passes, and the way leads to the sign-on and back', async () => {
  const answer = await get('/report?of=june&by=month', { 'countersign-user': 'alice' });
  assert.equal(answer.status, 303);
  const to = new URL(answer.headers.get('location')!, caddy.origin);
  assert.equal(to.pathname, '/countersign/');
  assert.equal(to.searchParams.get('next'), '/report?of=june&by=month');
  assert.match(await (await get(to.pathname + to.search)).text(), /name="user"/);
});

test('signed on by the validator, the application learns who it is from Caddy, and from nobody else', async () => {
  const visit = await visitGate(caddy.origin, caddy.origin, 'alice', '/report?of=june');
  const { end } = await alice.signOn(visit.passcode, async ({ message }) => {
    // the browser's address, and not the proxy's word for whatever the browser claims
    assert.equal(message.context.address, '127.0.0.1');
    return { answer: 'accept', by: 'person' };
  });
  assert.equal(end.outcome, 'granted');
  const { session, to } = await visit.end();
  assert.equal(to, '/report?of=june');
  const cookie = session!;
  const answer = await get('/report?of=june', { cookie, 'countersign-user': 'root' });
  assert.deepEqual([answer.status, await answer.text()], [200, 'you are alice at /report?of=june']);
});
