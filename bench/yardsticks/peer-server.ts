/**
 * The peer: `oidc-provider` with signed CIBA (OpenID Client-Initiated Backchannel Authentication): clients
 * authenticate by private_key_jwt, requests come as signed request objects, tokens are polled for. CIBA leaves
 * open how a device answers; here by a signed JWS on a route of its own.
 *
 * Arguments: a JSON file of clients and of devices' keys, `map` or `sqlite`, and the database's path.
 * @module
 */
import { generateKeyPairSync } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { PublicSigningJwk } from '@countersign/core';
import Provider, { type ClientMetadata } from 'oidc-provider';
import { sodiumCrypto } from '../../packages/broker/src/index.ts';
import { mapAdapters, sqliteAdapters } from './peer-adapters.ts';

const [configuration, kind, path] = process.argv.slice(2);
const { clients, devices } = JSON.parse(readFileSync(configuration!, 'utf8')) as {
  clients: ClientMetadata[];
  devices: Record<string, PublicSigningJwk>;
};

const server = createServer();
await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
const { port } = server.address() as AddressInfo;
const issuer = `http://127.0.0.1:${port}`;

const signingKey = generateKeyPairSync('ed25519').privateKey.export({ format: 'jwk' });
const provider = new Provider(issuer, {
  adapter: kind === 'map' ? mapAdapters() : sqliteAdapters(path!),
  clients,
  jwks: { keys: [{ ...signingKey, kty: 'OKP', alg: 'EdDSA', use: 'sig', kid: 'bench' }] },
  clientAuthMethods: ['private_key_jwt'],
  enabledJWA: {
    clientAuthSigningAlgValues: ['EdDSA'],
    idTokenSigningAlgValues: ['EdDSA'],
    requestObjectSigningAlgValues: ['EdDSA'],
  },
  ttl: { AccessToken: 600, BackchannelAuthenticationRequest: 600, Grant: 600, IdToken: 600 },
  findAccount: (_ctx, id) => ({ accountId: id, claims: () => ({ sub: id }) }),
  features: {
    devInteractions: { enabled: false },
    requestObjects: { enabled: true, requireSignedRequestObject: true },
    ciba: {
      enabled: true,
      deliveryModes: ['poll'],
      processLoginHint: (_ctx, hint) => hint ?? '',
      processLoginHintToken: () => '',
      validateRequestContext: () => undefined,
      validateBindingMessage: () => undefined,
      verifyUserCode: () => undefined,
      triggerAuthenticationDevice: () => undefined,
    },
  },
});

/** A device's word that its person accepts. */
async function answer(jws: string): Promise<boolean> {
  const [header, payload, signature] = jws.split('.');
  const { kid } = JSON.parse(Buffer.from(header!, 'base64url').toString()) as { kid: string };
  const key = devices[kid];
  const input = Buffer.from(`${header}.${payload}`);
  if (key === undefined) return false;
  if (!(await sodiumCrypto.verify(key, input, Buffer.from(signature!, 'base64url')))) return false;
  const { req } = JSON.parse(Buffer.from(payload!, 'base64url').toString()) as { req: string };
  const request = await provider.BackchannelAuthenticationRequest.find(req);
  if (request?.accountId !== kid) return false;
  const grant = new provider.Grant({ accountId: kid, clientId: request.clientId! });
  grant.addOIDCScope('openid');
  await grant.save();
  await provider.backchannelResult(request, grant);
  return true;
}

async function takeAnswer(call: IncomingMessage, reply: ServerResponse): Promise<void> {
  let body = '';
  for await (const chunk of call.setEncoding('utf8')) body += chunk;
  const taken = await answer((JSON.parse(body) as { response: string }).response);
  reply.writeHead(taken ? 200 : 403, { 'content-length': 2 }).end('{}');
}

const oidc = provider.callback();
server.on('request', (call, reply) => {
  if (call.url === '/device') void takeAnswer(call, reply);
  else void oidc(call, reply);
});
server.keepAliveTimeout = 150_000;
process.stdout.write(`${JSON.stringify({ local: issuer })}\n`);
