/**
 * A confirmation through the peer: backchannel authentication, the device's answer, and the client's poll with
 * the ID token verified. The poll comes when the answer is known to be there, so none is in vain.
 * @module
 */
import { createPublicKey, type KeyObject, randomUUID, sign, verify } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Connections, expectJson } from '../connection.ts';
import type { Times } from '../load.ts';
import { type Member, now, type Population } from '../population.ts';
import { type ServerProcess, startServer } from '../server-process.ts';

const SCRIPT = fileURLToPath(import.meta.resolve('./peer-server.ts'));
const GRANT = 'urn:openid:params:grant-type:ciba';
const ASSERTION = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';
const FORM = 'application/x-www-form-urlencoded';

/** All that can be signed before the clock runs: two client assertions and the request object. */
export interface PeerQuestion {
  readonly account: Member;
  readonly post: string;
  readonly poll: string;
}

export class Peer implements AsyncDisposable {
  readonly server: ServerProcess;
  readonly #population: Population;
  readonly #connections: Connections;
  readonly #key: KeyObject;

  private constructor(server: ServerProcess, population: Population, key: KeyObject) {
    this.server = server;
    this.#population = population;
    this.#connections = new Connections(server.port);
    this.#key = key;
  }

  static async start(folder: string, kind: 'map' | 'sqlite', population: Population): Promise<Peer> {
    const clients = population.enquirers.map(({ kid, signer }) => ({
      client_id: kid,
      grant_types: [GRANT],
      response_types: [],
      redirect_uris: [],
      token_endpoint_auth_method: 'private_key_jwt',
      token_endpoint_auth_signing_alg: 'EdDSA',
      backchannel_token_delivery_mode: 'poll',
      backchannel_authentication_request_signing_alg: 'EdDSA',
      id_token_signed_response_alg: 'EdDSA',
      jwks: { keys: [{ ...signer.publicKey, alg: 'EdDSA', use: 'sig', kid }] },
    }));
    const devices = Object.fromEntries(population.accounts.map(({ kid, signer }) => [kid, signer.publicKey]));
    const configuration = join(folder, `peer-${kind}.json`);
    await writeFile(configuration, JSON.stringify({ clients, devices }));
    const server = await startServer(SCRIPT, [configuration, kind, join(folder, 'peer.db')]);
    const answer = await fetch(`${server.origin}/jwks`);
    const { keys } = (await answer.json()) as { keys: JsonWebKey[] };
    const key = createPublicKey({ format: 'jwk', key: { ...keys[0] } });
    return new Peer(server, population, key);
  }

  /** Makes questions number `from` and on. */
  prepare(from: number, count: number): PeerQuestion[] {
    const { enquirers, accounts } = this.#population;
    return Array.from({ length: count }, (_, i) => {
      const client = enquirers[(from + i) % enquirers.length]!;
      const account = accounts[(from + i) % accounts.length]!;
      const request = this.#signed(client, {
        aud: this.server.origin,
        nbf: now() - 1,
        client_id: client.kid,
        scope: 'openid',
        login_hint: account.kid,
        binding_message: 'Log in to Host1, from 192.0.2.1, Utrecht',
      });
      const assertion = () => this.#signed(client, { aud: this.server.origin, sub: client.kid });
      const authentication = () => ({
        client_id: client.kid,
        client_assertion_type: ASSERTION,
        client_assertion: assertion(),
      });
      return {
        account,
        post: String(new URLSearchParams({ ...authentication(), request })),
        poll: String(new URLSearchParams({ ...authentication(), grant_type: GRANT })),
      };
    });
  }

  readonly confirm = async ({ account, post, poll }: PeerQuestion): Promise<Times> => {
    const asker = await this.#connections.take();
    const answerer = await this.#connections.take();
    const started = performance.now();
    const posted = await asker.call('POST', '/backchannel', post, FORM);
    const { auth_req_id: req } = expectJson<{ auth_req_id: string }>(posted, 200);
    const answered = performance.now();
    const response = signed(account, { req, decision: 'accept' });
    expectJson(await answerer.call('POST', '/device', JSON.stringify({ response })), 200);
    const token = await asker.call('POST', '/token', `${poll}&auth_req_id=${req}`, FORM);
    const woken = performance.now();
    const { id_token } = expectJson<{ id_token: string }>(token, 200);
    const end = id_token.lastIndexOf('.');
    const signature = Buffer.from(id_token.slice(end + 1), 'base64url');
    if (!verify(null, Buffer.from(id_token.slice(0, end)), this.#key, signature)) {
      throw new Error('the ID token is not by the provider');
    }
    const verified = performance.now();
    this.#connections.give(asker);
    this.#connections.give(answerer);
    return { whole: verified - started, acceptToWoken: woken - answered };
  };

  async [Symbol.asyncDispose](): Promise<void> {
    this.#connections.closeAll();
    await this.server[Symbol.asyncDispose]();
  }

  #signed(client: Member, claims: object): string {
    const common = { iss: client.kid, iat: now(), exp: now() + 600, jti: randomUUID() };
    return signed(client, { ...common, ...claims });
  }
}

function signed({ kid, privateKey }: Member, claims: object): string {
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const input = `${part({ alg: 'EdDSA', kid })}.${part(claims)}`;
  return `${input}.${sign(null, Buffer.from(input), privateKey).toString('base64url')}`;
}
