/**
 * Devices that wait on their WebSocket streams.
 * @module
 */
import { randomUUID, sign } from 'node:crypto';
import { once } from 'node:events';
import { WebSocket } from 'ws';
import { type Member, now } from './population.ts';
import type { ServerProcess } from './server-process.ts';

interface WireEvent {
  readonly kind: string;
  readonly request?: { readonly hash: string; readonly request?: string };
}

export class Devices {
  readonly #sockets: WebSocket[] = [];
  readonly #expected = new Map<string, (jws: string) => void>();

  /** Opens a stream for each, some at a time; each is good when it is open. */
  async open(server: ServerProcess, members: readonly Member[]): Promise<void> {
    for (let from = 0; from < members.length; from += 50) {
      await Promise.all(members.slice(from, from + 50).map((member) => this.#open(server, member)));
    }
  }

  /** The request of a hash, once it was delivered to its device. */
  delivery(hash: string): Promise<string> {
    return new Promise((resolve) => this.#expected.set(hash, resolve));
  }

  closeAll(): void {
    for (const socket of this.#sockets) socket.terminate();
  }

  async #open({ origin }: ServerProcess, member: Member): Promise<void> {
    const path = `/v1/accounts/${encodeURIComponent(member.log.name)}/stream`;
    const socket = new WebSocket(
      `${origin.replace(/^http/, 'ws')}${path}?cursor=${member.cursor}`,
      ['countersign.v1', `dpop.${proveKey(member, origin + path)}`],
      { perMessageDeflate: false },
    );
    socket.on('message', (data) => this.#receive(String(data)));
    await once(socket, 'open');
    this.#sockets.push(socket);
  }

  #receive(text: string): void {
    const { kind, request } = JSON.parse(text) as WireEvent;
    if (kind !== 'request' || request?.request === undefined) return;
    const deliver = this.#expected.get(request.hash);
    this.#expected.delete(request.hash);
    deliver?.(request.request);
  }
}

/** A DPoP proof (RFC 9449 section 4.2) for opening a stream. */
function proveKey({ signer, privateKey }: Member, url: string): string {
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const header = { typ: 'dpop+jwt', alg: 'EdDSA', jwk: signer.publicKey };
  const input = `${part(header)}.${part({ jti: randomUUID(), htm: 'GET', htu: url, iat: now() })}`;
  return `${input}.${sign(null, Buffer.from(input), privateKey).toString('base64url')}`;
}
