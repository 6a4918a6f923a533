/**
 * The session page's calls to the server. Everything that is not good is one thing: the link is not valid.
 * @module
 */
import { decodeBase64url, encodeBase64 } from '@countersign/core/base64url';
import type { Card } from '@countersign/core/card';
import type { DomainCheck } from '@countersign/core/domain-proof';
import { hashPicture } from '@countersign/core/picture';
import pRetry from 'p-retry';

export interface Opened {
  readonly sid: string;
  /** The session as the organisation's device signed it. */
  readonly session: string;
  readonly expires_at: number;
}

export interface Read {
  readonly expires_at: number;
  readonly agent_here: boolean;
  readonly messages: readonly { readonly cursor: number; readonly body: string }[];
}

export class InvalidLink extends Error {}

export function openLink(token: string, key: string): Promise<Opened> {
  return post('/v1/sessions/open', { token, key });
}

export function readMessages(sid: string, key: string, after: number, wait: number): Promise<Read> {
  return post(`/v1/sessions/${sid}/read`, { key, after, wait });
}

export function say(sid: string, key: string, message: object): Promise<unknown> {
  return post(`/v1/sessions/${sid}/messages`, { key, body: JSON.stringify(message) });
}

/** Gives what was made of the typed values; the server gives the nonce, if they are the ones that it holds. */
export function compareDigest(sid: string, key: string, digest: string): Promise<{ nonce: string }> {
  return post(`/v1/sessions/${sid}/digest`, { key, digest });
}

export interface ShownCard {
  readonly card?: Card;
  /** Found to be the organisation's within the last day, of what its card claims. */
  readonly domains: readonly { readonly domain: string; readonly at: number }[];
}

const DAY = 86_400;

/** The organisation's card, if it has one; nothing where the link names nobody. */
export async function readCard(name: string): Promise<ShownCard> {
  const answer = await fetch(`${accountPath(name)}/card`).catch(() => undefined);
  if (!answer?.ok) return { domains: [] };
  const { card: jws, domain_check } = (await answer.json()) as { card?: string; domain_check?: string };
  if (jws === undefined) return { domains: [] };
  const card = payloadOf<Card>(jws);
  const { proofs } = domain_check === undefined ? { proofs: [] } : payloadOf<DomainCheck>(domain_check);
  const since = Date.now() / 1000 - DAY;
  const found = proofs.filter(({ domain, at }) => card.domains?.includes(domain) && at > since);
  return {
    card,
    domains: found.filter(({ domain }, i) => found.findLastIndex((one) => one.domain === domain) === i),
  };
}

/** The picture that a card names, in base64. */
export async function readPicture(card: Card | undefined): Promise<string | undefined> {
  if (card?.picture === undefined) return undefined;
  const answer = await fetch(`${accountPath(card.sub)}/picture`);
  const { picture } = (await answer.json()) as { picture?: string };
  if (picture === undefined) return undefined;
  const bytes = decodeBase64url(picture);
  const hash = await hashPicture({ sha256 }, bytes);
  return hash === card.picture ? encodeBase64(bytes) : undefined;
}

async function sha256(data: Uint8Array): Promise<Uint8Array<ArrayBuffer>> {
  return new Uint8Array(await crypto.subtle.digest('SHA-256', data as Uint8Array<ArrayBuffer>));
}

const accountPath = (name: string) => `/v1/accounts/${encodeURIComponent(name)}`;

/** What a statement says; the page's server vouches for it, and the exchange binds what matters of it. */
export function payloadOf<T>(jws: string): T {
  return partOf(jws, 1) as T;
}

/** By which key a statement says that it was signed. */
export function kidOf(jws: string): string {
  return (partOf(jws, 0) as { kid: string }).kid;
}

function partOf(jws: string, n: 0 | 1): unknown {
  const bytes = decodeBase64url(jws.split('.')[n]!);
  return JSON.parse(new TextDecoder().decode(bytes));
}

/** What a server says, or what stands before it, that has too much to do. */
const BUSY: ReadonlySet<number> = new Set([429, 502, 503, 504]);

let tell: (answers: boolean) => void = () => {};

/** Has it told, with every call, whether the server answers. A call is made again until it does. */
export function watchServer(told: (answers: boolean) => void): void {
  tell = told;
}

async function post<T>(path: string, body: object): Promise<T> {
  const call = async () => {
    const answer = await fetch(path, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    if (BUSY.has(answer.status)) throw new Error(String(answer.status));
    return answer.ok ? ((await answer.json()) as T) : new InvalidLink(String(answer.status));
  };
  const answer = await pRetry(call, {
    retries: Number.POSITIVE_INFINITY,
    minTimeout: 500,
    maxTimeout: 4000,
    randomize: true,
    onFailedAttempt: () => tell(false),
  });
  tell(true);
  if (answer instanceof InvalidLink) throw answer;
  return answer;
}
