import assert from 'node:assert/strict';
import { request } from 'node:http';
import { json } from 'node:stream/consumers';
import { test } from 'node:test';
import { createCosignScene } from './cosign-scene.ts';

const { world, freshProvider } = createCosignScene();

interface Answer {
  readonly status: number;
  readonly retryAfter: string | undefined;
  readonly body: { readonly code?: string; readonly retry_after?: number };
}

/** One call, from an address of this machine's loopback network. */
function call(url: string, { from = '127.0.0.1', method = 'GET', forwarded = '' } = {}): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const sent = request(url, {
      method,
      localAddress: from,
      agent: false,
      headers: {
        'content-type': 'application/json',
        ...(forwarded === '' ? {} : { 'x-forwarded-for': forwarded }),
      },
    });
    sent.on('error', reject);
    sent.on('response', (answer) => {
      const { statusCode, headers } = answer;
      json(answer).then(
        (body) =>
          resolve({ status: statusCode!, retryAfter: headers['retry-after'], body: body as Answer['body'] }),
        reject,
      );
    });
    sent.end(method === 'GET' ? undefined : '{}');
  });
}

async function limited(limits: object, trustProxy: readonly string[] = []) {
  const provider = await freshProvider();
  await provider[Symbol.asyncDispose]();
  return world.restart(provider, { limits, trustProxy });
}

test('an address that calls too often is told when it may again, and others are served', async () => {
  await using provider = await limited({ reading: 3 });
  const url = `${provider.origin}/v1/provider`;
  for (let n = 0; n < 3; n++) assert.equal((await call(url)).status, 200);
  const { status, retryAfter, body } = await call(url);
  assert.equal(status, 429);
  assert.equal(body.code, 'too-often');
  assert.ok(body.retry_after! > 0 && body.retry_after! <= 60);
  assert.equal(retryAfter, String(body.retry_after));
  assert.equal((await call(url, { from: '127.0.0.2' })).status, 200);
});

test('reading, asking and registering are counted apart, each over all of its routes', async () => {
  await using provider = await limited({ reading: 2, asking: 1, registering: 2 });
  const at = (path: string, method: string) => call(`${provider.origin}${path}`, { method });
  const codes = async (path: string, method = 'POST') => (await at(path, method)).body.code;
  assert.equal(await codes('/v1/transactions'), 'input-invalid');
  assert.equal(await codes('/v1/accounts/alice/policy'), 'too-often');
  assert.equal(await codes('/v1/registrations'), 'input-invalid');
  assert.equal(await codes(`/v1/registrations/${'a'.repeat(22)}/proof`), 'input-invalid');
  assert.equal(await codes(`/v1/registrations/${'a'.repeat(22)}/codes`), 'too-often');
  assert.equal(await codes(`/v1/transactions/${'0'.repeat(64)}`, 'GET'), 'cosign-unknown');
  assert.equal(await codes('/v1/accounts/alice', 'GET'), 'cosign-not-enrolled');
  assert.equal(await codes('/openapi.json', 'GET'), 'too-often');
});

test('calls of no route are counted too', async () => {
  await using provider = await limited({ reading: 2 });
  const codes: (string | undefined)[] = [];
  for (let n = 0; n < 3; n++) codes.push((await call(`${provider.origin}/v1/${n}`)).body.code);
  assert.deepEqual(codes, ['route-unknown', 'route-unknown', 'too-often']);
});

test('where a call came from is believed of a proxy that is trusted, and of nobody else', async () => {
  await using behind = await limited({ reading: 1 }, ['127.0.0.1']);
  const url = `${behind.origin}/v1/provider`;
  assert.equal((await call(url, { forwarded: '192.0.2.1' })).status, 200);
  assert.equal((await call(url, { forwarded: '192.0.2.2' })).status, 200);
  assert.equal((await call(url, { forwarded: '192.0.2.2' })).status, 429);
  assert.equal((await call(url, { forwarded: '2001:db8:1:2::1' })).status, 200);
  assert.equal((await call(url, { forwarded: '2001:db8:1:2:ffff::9' })).status, 429);
  assert.equal((await call(url, { forwarded: '2001:db8:1:3::1' })).status, 200);
  // Not the proxy: what it says of itself is worth nothing.
  assert.equal((await call(url, { from: '127.0.0.9', forwarded: '192.0.2.8' })).status, 200);
  assert.equal((await call(url, { from: '127.0.0.9', forwarded: '192.0.2.9' })).status, 429);
});
