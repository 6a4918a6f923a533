/**
 * A broker that is whole and malicious: a real one, with its real key and database, behind a hand that may
 * change whatever goes out.
 * @module
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { RunningBroker } from '../packages/broker/src/index.ts';
import { startTestBroker } from './parties.ts';

// biome-ignore lint/suspicious/noExplicitAny: a malicious hand reaches into any answer, of whatever form
export type Tamper = (path: string, body: any, method: string) => unknown;

/** A good call, refused. */
export class Refusal {
  readonly code: string;
  readonly message = 'refused';

  constructor(code: string) {
    this.code = code;
  }
}

export interface MaliciousBroker extends AsyncDisposable {
  readonly origin: string;
  /** The honest part, with its keys. */
  readonly broker: RunningBroker;
  /** Changes what callers are told, from now on. */
  tamper(hand: Tamper): void;
  /** Honest again. */
  behave(): void;
}

export async function startMaliciousBroker(clock: {
  now(): number;
  monotonic(): number;
}): Promise<MaliciousBroker> {
  let hand: Tamper | undefined;
  let upstream = '';
  const server = createServer((call, reply) => {
    serve(call, reply).catch((error: unknown) => reply.writeHead(500).end(String(error)));
  });

  async function serve(call: IncomingMessage, reply: ServerResponse): Promise<void> {
    // A malicious broker need not wait for an answer to give one.
    const url = hand === undefined ? call.url : call.url?.replace(/\?wait=\d+$/, '');
    const answer = await fetch(upstream + url, {
      method: call.method ?? 'GET',
      headers: {
        'content-type': 'application/json',
        ...(call.headers.dpop ? { dpop: String(call.headers.dpop) } : {}),
      },
      ...(call.method === 'POST' ? { body: await bodyOf(call) } : {}),
    });
    const type = answer.headers.get('content-type') ?? '';
    const body: unknown = type.startsWith('application/json')
      ? await answer.json()
      : Buffer.from(await answer.arrayBuffer());
    const path = call.url ?? '';
    // What the honest part refuses is left alone, but for its tree: a forged one may be larger.
    const inReach = hand !== undefined && (answer.ok || path.startsWith('/tlog/'));
    const changed = (inReach && (await hand!(path, body, call.method ?? ''))) || undefined;
    const status = changed instanceof Refusal ? 404 : changed === undefined ? answer.status : 200;
    const told = changed ?? body;
    const bytes = told instanceof Uint8Array || typeof told === 'string' ? told : JSON.stringify(told);
    reply.writeHead(status, { 'content-type': type }).end(bytes);
  }

  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const honest = await startTestBroker(clock, { origin });
  upstream = honest.broker.local;
  return {
    origin,
    broker: honest.broker,
    tamper(next) {
      hand = next;
    },
    behave() {
      hand = undefined;
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await honest[Symbol.asyncDispose]();
    },
  };
}

async function bodyOf(call: IncomingMessage): Promise<string> {
  let text = '';
  call.setEncoding('utf8');
  for await (const chunk of call) text += chunk;
  return text;
}

/** A compact JWS with one character of its payload's text changed, encoded well again. */
export function alterPayload(jws: string, change: (text: string) => string): string {
  const [header, payload, signature] = jws.split('.') as [string, string, string];
  const text = Buffer.from(payload, 'base64url').toString('utf8');
  const changed = change(text);
  if (changed === text) throw new Error('nothing was altered');
  return [header, Buffer.from(changed, 'utf8').toString('base64url'), signature].join('.');
}

/** Changes the first letter or digit of a member's value to another. */
export function alterMember(name: string): (text: string) => string {
  return (text) =>
    text.replace(
      new RegExp(`("${name}":"?)([A-Za-z0-9_-])`),
      (_, before: string, first: string) =>
        before + (/[A-Za-z]/.test(first) ? (first === 'A' ? 'E' : 'A') : first === '1' ? '2' : '1'),
    );
}
