/**
 * A small push service (RFC 8030) for tests: it takes messages over TLS, checks who sends them (RFC 8292), and opens
 * them as a browser would (RFC 8291, RFC 8188).
 * @module
 */
import { spawnSync } from 'node:child_process';
import { createDecipheriv, createECDH, type ECDH, hkdfSync, randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:https';
import { join } from 'node:path';
import { createLocalJWKSet, jwtVerify } from 'jose';
import { until } from './until.ts';

/** A message as it came. */
export interface Pushed {
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: Buffer;
  /** What the browser's service worker is given. */
  readonly opened: string;
  /** Claims of whoever sent it. */
  readonly sender: { readonly aud?: string | string[] | undefined; readonly sub?: string | undefined };
}

export interface PushService extends AsyncDisposable {
  readonly origin: string;
  /** What processes are to trust: for NODE_EXTRA_CA_CERTS. */
  readonly certificate: string;
  readonly pushed: readonly Pushed[];
  /** The answer to all that comes. */
  status: number;
  /** A browser's subscription here. */
  subscription(): { endpoint: string; expirationTime: null; keys: { p256dh: string; auth: string } };
  /** Waits until so many messages came. */
  until(count: number): Promise<void>;
}

interface Subscriber {
  readonly key: ECDH;
  readonly auth: Buffer;
}

export async function startPushService(folder: string): Promise<PushService> {
  const [certificate, key] = [join(folder, 'push.crt'), join(folder, 'push.key')];
  const words = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  const name = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost', '-days', '2'];
  const made = spawnSync('openssl', [...words, ...name, '-keyout', key, '-out', certificate]);
  if (made.status !== 0) throw new Error(String(made.stderr));

  const subscribers = new Map<string, Subscriber>();
  const pushed: Pushed[] = [];
  const service = { status: 201 };
  const server: Server = createServer(
    { cert: readFileSync(certificate), key: readFileSync(key) },
    async (call, answer) => {
      const chunks: Buffer[] = [];
      for await (const chunk of call) chunks.push(chunk as Buffer);
      const subscriber = subscribers.get(call.url ?? '');
      try {
        if (subscriber === undefined) throw new Error('no such subscription');
        const body = Buffer.concat(chunks);
        const sender = await senderOf(call.headers.authorization ?? '');
        pushed.push({ headers: call.headers, body, opened: open(body, subscriber), sender });
        answer.writeHead(service.status).end();
      } catch (error) {
        answer.writeHead(400).end(String(error));
      }
    },
  );
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const origin = `https://localhost:${(server.address() as { port: number }).port}`;
  return Object.assign(service, {
    origin,
    certificate,
    pushed,
    subscription() {
      const key = createECDH('prime256v1');
      const p256dh = key.generateKeys('base64url');
      const auth = randomBytes(16);
      const path = `/${randomBytes(16).toString('base64url')}`;
      subscribers.set(path, { key, auth });
      return {
        endpoint: origin + path,
        expirationTime: null,
        keys: { p256dh, auth: auth.toString('base64url') },
      };
    },
    async until(count: number) {
      await until(
        () => pushed.length >= count,
        () => `${pushed.length} messages came, not ${count}`,
      );
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  });
}

/** RFC 8292 section 3: `vapid t=<JWT>, k=<key>`. */
async function senderOf(authorization: string): Promise<Pushed['sender']> {
  const [, token, key] = /^vapid t=([^,]+), k=(\S+)$/.exec(authorization) ?? [];
  const point = Buffer.from(key ?? '', 'base64url');
  const jwk = {
    kty: 'EC',
    crv: 'P-256',
    x: point.subarray(1, 33).toString('base64url'),
    y: point.subarray(33).toString('base64url'),
  };
  const { payload } = await jwtVerify(token ?? '', createLocalJWKSet({ keys: [jwk] }), {
    algorithms: ['ES256'],
  });
  return payload;
}

/** RFC 8291 section 4, of one record of RFC 8188. */
function open(body: Buffer, { key, auth }: Subscriber): string {
  const salt = body.subarray(0, 16);
  const idLength = body[20]!;
  const theirs = body.subarray(21, 21 + idLength);
  const sealed = body.subarray(21 + idLength);
  const secret = key.computeSecret(theirs);
  const info = Buffer.concat([Buffer.from('WebPush: info\0'), key.getPublicKey(), theirs]);
  const ikm = Buffer.from(hkdfSync('sha256', secret, auth, info, 32));
  const contentKey = Buffer.from(hkdfSync('sha256', ikm, salt, 'Content-Encoding: aes128gcm\0', 16));
  const nonce = Buffer.from(hkdfSync('sha256', ikm, salt, 'Content-Encoding: nonce\0', 12));
  const decipher = createDecipheriv('aes-128-gcm', contentKey, nonce);
  decipher.setAuthTag(sealed.subarray(-16));
  const padded = Buffer.concat([decipher.update(sealed.subarray(0, -16)), decipher.final()]);
  return padded.subarray(0, padded.lastIndexOf(2)).toString('utf8');
}
