import assert from 'node:assert/strict';
import { type IncomingMessage, request } from 'node:http';
import { connect } from 'node:net';
import { text as readText } from 'node:stream/consumers';
import { after, before, describe, test } from 'node:test';
import { isErrorCode } from '@countersign/core';
import fc from 'fast-check';
import { startTestBroker, type TestBroker, TestClock } from './parties.ts';

const RUNS = process.env.SLOW ? 2000 : 100;
const HASH = 'A'.repeat(43);
const ROOM = 'A'.repeat(22);
const POSTS = [
  '/v1/accounts',
  '/v1/accounts/alice@example.com/log',
  '/v1/requests',
  `/v1/requests/${HASH}/response`,
  `/v1/requests/${HASH}/cancel`,
  `/v1/requests/${HASH}/report`,
  '/v1/contacts',
  '/v1/rooms',
  '/v1/accounts/alice@example.com/card',
  '/v1/sessions',
  '/v1/sessions/open',
  `/v1/sessions/${ROOM}/read`,
  `/v1/sessions/${ROOM}/messages`,
  `/v1/sessions/${ROOM}/digest`,
  '/v1/signatures',
  '/v1/accounts/alice@example.com/two-way',
  `/v1/accounts/alice@example.com/two-way/${HASH}/end`,
  '/v1/members',
  '/v1/accounts/alice@example.com/seats',
  '/v1/accounts/alice@example.com/sign-out',
  '/v1/accounts/alice@example.com/domains/check',
  '/v1/recommendations',
  `/v1/accounts/alice@example.com/sessions/${ROOM}/messages`,
  `/v1/accounts/alice@example.com/sessions/${ROOM}/reveal`,
  `/v1/accounts/alice@example.com/sessions/${ROOM}/delete`,
  `/v1/rooms/${ROOM}/items`,
  '/v1/accounts/alice@example.com/push',
  '/v1/accounts/alice@example.com/push/remove',
  '/v1/accounts/alice@example.com/addresses',
  '/v1/accounts/alice@example.com/addresses/confirm',
  '/v1/accounts/alice@example.com/addresses/remove',
  '/v1/accounts/alice@example.com/invitations',
  `/v1/accounts/alice@example.com/invitations/${HASH}/cancel`,
  '/v1/accounts/alice@example.com/enrolments',
  `/v1/accounts/alice@example.com/enrolments/${HASH}/accept`,
  `/v1/accounts/alice@example.com/enrolments/${HASH}/reject`,
  `/v1/accounts/alice@example.com/enrolments/${HASH}/complete`,
];
const GETS = [
  '/v1/accounts/alice@example.com/log',
  `/v1/requests/${HASH}`,
  `/v1/requests/${HASH}/receipt`,
  '/v1/accounts/alice@example.com/pending',
  '/v1/accounts/alice@example.com/history',
  '/v1/accounts/alice@example.com/contacts',
  '/v1/accounts/alice@example.com/stream',
  '/v1/accounts/alice@example.com/challenge',
  '/v1/accounts/alice@example.com/card',
  '/v1/accounts/alice@example.com/sessions',
  '/v1/accounts/alice@example.com/session-history',
  `/v1/accounts/alice@example.com/sessions/${ROOM}`,
  '/v1/accounts/alice@example.com/signatures',
  `/v1/signatures/${HASH}`,
  '/v1/accounts/alice@example.com/room-items',
  '/v1/accounts/alice@example.com/reached',
  '/v1/accounts/alice@example.com/members',
  `/v1/seats/${HASH}`,
  '/v1/accounts/alice@example.com/picture',
  '/v1/accounts/alice@example.com/profile',
  '/v1/accounts/alice@example.com/domains',
  '/v1/accounts/alice@example.com/recommended',
  '/v1/accounts/alice@example.com/recommended/bob@example.com',
  '/v1/accounts/alice@example.com/asked',
  '/v1/accounts/alice@example.com/asked/counts',
  '/v1/accounts/alice@example.com/addresses',
  '/v1/accounts/alice@example.com/invitations',
  '/v1/accounts/alice@example.com/enrolments',
  `/v1/accounts/alice@example.com/enrolments/${HASH}`,
  '/tlog/proof',
];

let home: TestBroker;

before(async () => {
  home = await startTestBroker(new TestClock());
});
after(() => home[Symbol.asyncDispose]());

interface Answer {
  status: number;
  code: string;
  text: string;
}

async function post(path: string, body: string | Uint8Array, type = 'application/json'): Promise<Answer> {
  const headers = { 'content-type': type };
  return readAnswer(await fetch(home.origin + path, { method: 'POST', headers, body: body as BodyInit }));
}

async function get(path: string, headers: Record<string, string> = {}): Promise<Answer> {
  return readAnswer(await fetch(home.origin + path, { headers }));
}

async function readAnswer(answer: Response): Promise<Answer> {
  const text = await answer.text();
  return { status: answer.status, code: (JSON.parse(text) as { code: string }).code, text };
}

/** A refusal that a caller can act on, and that tells nothing of the inside. */
function assertRefused({ status, code, text }: Answer, expected?: string): void {
  assert.ok(status >= 400 && status < 500, `status ${status}: ${text}`);
  assert.ok(isErrorCode(code), `code ${code}`);
  if (expected !== undefined) assert.equal(code, expected, text);
  assert.doesNotMatch(text, /\bat \S+ \(|\.[jt]s:\d|node_modules|Error:|\bSQL/i);
}

test('the table of routes is the whole of the interface', async () => {
  const { paths } = (await (await fetch(`${home.origin}/openapi.json`)).json()) as {
    paths: Record<string, Record<string, unknown>>;
  };
  const described = Object.entries(paths).flatMap(([path, methods]) =>
    Object.keys(methods).map((method) => `${method} ${path}`),
  );
  const named = (path: string) =>
    path
      .replace('alice@example.com', '{name}')
      .replace('bob@example.com', '{subject}')
      .replace(HASH, '{hash}')
      .replace(`rooms/${ROOM}`, 'rooms/{room}')
      .replace(ROOM, '{sid}');
  const tested = [
    ...POSTS.map((path) => `post ${named(path)}`),
    ...GETS.map((path) => `get ${named(path)}`),
    'get /.well-known/countersign',
    'get /health',
  ];
  assert.deepEqual(described.sort(), tested.sort());
});

for (const path of POSTS) {
  describe(`POST ${path}`, () => {
    const deep = `${'{"request":'.repeat(20_000)}1${'}'.repeat(20_000)}`;
    const cases: [what: string, body: string | Uint8Array, code: string | undefined][] = [
      ['no body', '', 'json-invalid'],
      // Where nothing needs to be said, an empty object is good, and the account is not there.
      [
        'an empty object',
        '{}',
        /\/(?:reveal|delete|push\/remove|two-way\/[^/]+\/end|sign-out|domains\/check)$/.test(path)
          ? 'account-unknown'
          : 'input-invalid',
      ],
      ['another form', '[1,2,3]', 'input-invalid'],
      ['null', 'null', 'input-invalid'],
      [
        'unknown members',
        '{"request":"a","statement":"a","response":"a","entries":["a"],"x":1}',
        'input-invalid',
      ],
      ['broken JSON', '{"request":', 'json-invalid'],
      ['a member named twice', '{"request":"a","request":"b"}', 'json-invalid'],
      ['a member named twice in disguise', '{"request":"a","\\u0072equest":"b"}', 'json-invalid'],
      ['a deep nest', deep, 'json-invalid'],
      ['a nest of arrays', `${'['.repeat(50_000)}${']'.repeat(50_000)}`, 'json-invalid'],
      [
        'bytes that are not UTF-8',
        new Uint8Array([0x7b, 0x22, 0xff, 0xfe, 0x22, 0x3a, 0x31, 0x7d]),
        'json-invalid',
      ],
      ['a lone surrogate', '{"request":"\\ud800"}', 'json-invalid'],
      ['a prototype', '{"__proto__":{"request":"a"}}', 'input-invalid'],
      ['too much', `{"request":"${'a'.repeat(300_000)}"}`, 'body-too-large'],
      ['numbers for texts', '{"request":1,"statement":2,"response":3,"entries":4}', 'input-invalid'],
    ];
    for (const [what, body, code] of cases) {
      test(`refuses ${what}`, async () => assertRefused(await post(path, body), code));
    }
    test('refuses another content type', async () =>
      assertRefused(await post(path, 'a=1', 'text/plain'), 'input-invalid'));
    test('refuses arbitrary JSON, and goes on', async () => {
      await fc.assert(
        fc.asyncProperty(fc.json({ maxDepth: 6 }), async (body) => assertRefused(await post(path, body))),
        { numRuns: RUNS },
      );
    });
    test('refuses arbitrary statements, and goes on', async () => {
      const part = fc.oneof(
        fc.base64String(),
        fc.string(),
        fc.json().map((text) => Buffer.from(text).toString('base64url')),
      );
      const member =
        path === '/v1/requests' ? 'request' : path.endsWith('/response') ? 'response' : 'statement';
      await fc.assert(
        fc.asyncProperty(fc.array(part, { minLength: 1, maxLength: 4 }), async (parts) => {
          const statement = parts.join('.');
          const bodies = [
            { [member]: statement },
            { entries: [statement] },
            { statement, entries: [statement] },
            { enrolment: statement, ticket: 'a' },
          ];
          for (const body of bodies) assertRefused(await post(path, JSON.stringify(body)));
        }),
        { numRuns: RUNS },
      );
    });
  });
}

for (const path of GETS) {
  test(`GET ${path} refuses odd queries and names`, async () => {
    for (const query of [
      '?wait=0',
      '?wait=121',
      '?wait=-1',
      '?wait=1e3',
      '?from=x',
      '?max=0',
      '?max=9999',
      '?odd=1',
      '?max=1&max=2',
    ]) {
      assertRefused(await get(path + query));
    }
    for (const name of [
      '',
      'x',
      '%00',
      '%ff',
      '..%2f..',
      'A'.repeat(400),
      'alice@',
      '%F0%9F%98%80@example.com',
    ]) {
      assertRefused(await get(path.replace('alice@example.com', name).replace(HASH, name)));
    }
    assertRefused(await get(path, { dpop: 'x'.repeat(5000) }));
  });
}

test('an upgrade with a bad name, path, cursor or proof is refused, and the broker goes on', async () => {
  for (const path of [
    '/',
    '/v1/accounts/%ff/stream',
    '/v1/accounts/x/stream?cursor=-1',
    '//',
    '/v1/accounts//stream',
  ]) {
    const headers = {
      connection: 'Upgrade',
      upgrade: 'websocket',
      'sec-websocket-version': '13',
      'sec-websocket-key': 'x',
    };
    const answer = Promise.withResolvers<IncomingMessage>();
    const { hostname, port } = new URL(home.origin);
    request({ hostname, port, path, headers }, answer.resolve).on('error', answer.reject).end();
    const { statusCode = 0 } = await answer.promise;
    assert.ok(statusCode >= 400 && statusCode < 500, `${path}: ${statusCode}`);
  }
  assert.equal((await get('/health')).status, 200);
});

test('what is no HTTP is refused with a code too, and the broker goes on', async () => {
  const { hostname, port } = new URL(home.origin);
  const post = 'POST /v1/requests HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n';
  for (const bytes of [
    'FOO / HTTP/1.1\r\nhost: x\r\n\r\n',
    'GET / and more HTTP/1.1\r\nhost: x\r\n\r\n',
    'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
    '\x16\x03\x01\x02\x00\r\n\r\n',
    `GET / HTTP/1.1\r\nhost: x\r\na: ${'b'.repeat(40_000)}\r\n\r\n`,
    `${post}transfer-encoding: chunked\r\n\r\nnot a length\r\n`,
    `${post}content-length: 5\r\ncontent-length: 6\r\n\r\n{"a":1`,
    `${post}content-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n`,
  ]) {
    const socket = connect(Number(port), hostname);
    socket.write(bytes, 'latin1');
    const [head, text = ''] = (await readText(socket)).split('\r\n\r\n');
    const status = Number(/^HTTP\/1\.1 (\d+)/.exec(head!)?.[1]);
    assertRefused({ status, text, code: (JSON.parse(text) as { code: string }).code }, 'input-invalid');
  }
  assert.equal((await get('/health')).status, 200);
});

test('arbitrary addresses are refused, and the broker goes on', async () => {
  await fc.assert(
    fc.asyncProperty(fc.webPath(), async (path) => {
      const { status } = await fetch(home.origin + path);
      assert.ok(status < 500, `${path}: ${status}`);
    }),
    { numRuns: RUNS },
  );
  assert.equal((await get('/health')).status, 200);
});
