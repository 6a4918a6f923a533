/**
 * The session page's calls to the server. Everything that is not good is one thing: the link is not valid.
 * @module
 */
import type { Card } from '@countersign/core/mutual-session';

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

export function say(sid: string, key: string, message: object, step?: 'try' | 'seen'): Promise<unknown> {
  return post(`/v1/sessions/${sid}/messages`, { key, step, body: JSON.stringify(message) });
}

/** The organisation's card, if it has one; nothing where the link names nobody. */
export async function readCard(name: string): Promise<Card | undefined> {
  const answer = await fetch(`/v1/accounts/${encodeURIComponent(name)}/card`).catch(() => undefined);
  if (!answer?.ok) return undefined;
  const { card } = (await answer.json()) as { card?: string };
  return card === undefined ? undefined : payloadOf<Card>(card);
}

/** What a statement says; the page's server vouches for it, and the exchange binds what matters of it. */
export function payloadOf<T>(jws: string): T {
  const bytes = Uint8Array.fromBase64(jws.split('.')[1]!, { alphabet: 'base64url' });
  return JSON.parse(new TextDecoder().decode(bytes)) as T;
}

async function post<T>(path: string, body: object): Promise<T> {
  const answer = await fetch(path, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  if (!answer.ok) throw new InvalidLink(String(answer.status));
  return (await answer.json()) as T;
}
