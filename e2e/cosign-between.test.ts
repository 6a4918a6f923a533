import assert from 'node:assert/strict';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';
import { after, before, test } from 'node:test';
import { type CosignProcesses, startCosignProcesses } from './cosign-processes.ts';
import { freePort } from './free-port.ts';

type Json = Record<string, unknown>;

/** Somebody who passes calls on to a provider, and its answers back, as they like. */
interface Between {
  readonly origin: string;
  body(path: string, body: Json): Json;
  answer(path: string, answer: Json): Json;
  /** What was posted. */
  readonly paths: string[];
}

const stack = new AsyncDisposableStack();
let world: CosignProcesses;
/** At the address that the provider has published, as a proxy of its own is. */
let inside: Between;
/** At an address of their own, as whoever phishes is. */
let outside: Between;
let mallet: string;

before(async () => {
  world = stack.use(await startCosignProcesses());
  const port = await freePort();
  const provider = `http://127.0.0.1:${port}`;
  [inside, outside] = [await passOn(provider), await passOn(provider)];
  await world.provider('sfactor', ['--port', String(port), '--origin', inside.origin]);
  await world.cli('mallet', ['account', 'create', 'mallet@example.com', '--broker', world.broker]);
  mallet = (await world.cli('mallet', ['account', 'show', '--link'])).trim();
});
after(() => stack.disposeAsync());

async function passOn(provider: string): Promise<Between> {
  const server = createServer(async (call, reply) => {
    const [path, posts] = [call.url ?? '', call.method === 'POST'];
    const headers = { 'content-type': 'application/json' };
    const body = posts ? JSON.stringify(between.body(path, (await json(call)) as Json)) : undefined;
    if (posts) between.paths.push(path);
    const answer = await fetch(provider + path, posts ? { method: 'POST', headers, body: body! } : {});
    const said = between.answer(path, (await answer.json()) as Json);
    reply.writeHead(answer.status, headers).end(JSON.stringify(said));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  stack.defer(() => {
    server.close();
    server.closeAllConnections();
  });
  const between: Between = {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    body: (_path, body) => body,
    answer: (_path, answer) => answer,
    paths: [],
  };
  return between;
}

const register = async (url: string) => [
  ...['cosign', 'register', 'alice', '--provider', url, '--countersign', await world.link()],
];

test('an address that the provider has not published gets no signature of the account', async () => {
  const { status, stderr } = await world.run('laptop', await register(outside.origin));
  assert.equal(status, 9, stderr);
  assert.match(stderr, /sfactor is reached at \S+, and not at \S+ \(provider-answer-invalid\)/);
  assert.deepEqual(outside.paths, []);
});

test('whoever puts a link of theirs in the place of the person’s gets no signature of the account', async () => {
  inside.body = (path, body) => (path === '/v1/registrations' ? { ...body, countersign: mallet } : body);
  const { status, stderr } = await world.run('laptop', await register(inside.origin));
  inside.body = (_path, body) => body;
  assert.equal(status, 9, stderr);
  assert.match(stderr, /challenge is not one for this account .*\(provider-answer-invalid\)/);
  assert.deepEqual(inside.paths, ['/v1/registrations']);
});

test('a provider that is named by its account is found on the chain', async () => {
  const words = await register('sfactor');
  const [said] = await Promise.all([world.cli('laptop', words), world.answer('accept')]);
  assert.match(said, /^alice is registered\.$/m);
  await world.cli('operator', ['cosign', 'enroll', 'alice', '--data', world.at('sfactor')]);
});

test('an account of somebody else’s, named in the answer, is not required', async () => {
  const { id: theirs } = await world.client.account('bob');
  const lie = (path: string, answer: Json) =>
    path === '/v1/accounts/alice' ? { ...answer, signer_id: theirs } : answer;
  const require = ['cosign', 'require', 'alice', '--provider', inside.origin];
  inside.answer = lie;
  const unasked = await world.run('laptop', require);
  assert.equal(unasked.status, 1, unasked.stderr);
  assert.match(unasked.stdout, /adds account sfactor\.alice weight 1.*\nNothing was signed\./s);
  const before = await world.client.account('alice');
  assert.equal(before.active.weight_threshold, 1);
  const no = await world.run('laptop', require, { terminal: true, answers: ['no'] });
  assert.match(no.stdout, /Sign this\? .*Nothing was signed\./s);
  await world.cli('laptop', [...require, '--yes']);
  inside.answer = (_path, answer) => answer;
  const [signer] = await world.client.accounts(['sfactor.alice']);
  const { active } = await world.client.account('alice');
  assert.deepEqual(active.account_auths, [[signer!.id, 1]]);
});

test('an address that the provider has not published gets no signature of a policy', async () => {
  await writeFile(world.at('policy.json'), '{}');
  const words = ['cosign', 'policy', 'set', 'alice', world.at('policy.json'), '--provider', outside.origin];
  const { status, stderr } = await world.run('laptop', words);
  assert.equal(status, 9, stderr);
  assert.match(stderr, /\(provider-answer-invalid\)/);
  assert.deepEqual(outside.paths, []);
});
