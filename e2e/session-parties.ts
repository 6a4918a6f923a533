/**
 * Both sides of a mutual session, for tests that speak to a real broker over HTTP: what the two pages do, without
 * their screens.
 * @module
 */
import { createCard, createSession, type NewSession, type SessionPayload } from '@countersign/core';
import { customerTry } from '@countersign/core/session-exchange';
import { hardenValues } from '@countersign/core/session-values';
import { webCrypto } from '@countersign/core/webcrypto';
import { AgentSession } from '../packages/web/src/console/agent-session.ts';
import { termsOf } from '../packages/web/src/session/terms.ts';
import type { Party } from './parties.ts';

export const FIELDS = [{ name: 'Phone number', type: 'number' }] as const;

export async function publishCard({ device, clock }: Party, seq = 1): Promise<void> {
  const { api, keys, crypto } = device.session;
  const card = { seq, name: 'Bank of Examples', description: 'Your bank, since 1888', country: 'DE' };
  const { jws } = await createCard(crypto, keys.signer, await device.session.ownLog(0), card, clock.now());
  await api.publishCard(keys.name, jws);
}

/** A session that nobody answers for: its token, and what is signed of it. */
export async function signSession(
  { device, clock }: Party,
  change: Partial<NewSession> = {},
): Promise<{ token: string; payload: SessionPayload; jws: string }> {
  const { keys, crypto } = device.session;
  const wish = { fields: FIELDS, lifetime: 300, now: clock.now(), ...change };
  const { statement, token } = await createSession(crypto, keys.signer, await device.session.ownLog(0), wish);
  return { token, payload: statement.payload, jws: statement.jws };
}

/** The agent's page, answering. */
export async function startAgent(party: Party, value: string): Promise<AgentSession> {
  const { broker } = party.device.session.keys;
  const wish = { fields: FIELDS, values: [value], lifetime: 300 };
  const session = await AgentSession.start(party.device, wish, broker);
  session.run(() => {}).catch(() => {});
  return session;
}

export interface Said {
  readonly status: number;
  // biome-ignore lint/suspicious/noExplicitAny: the answers of many routes
  readonly body: any;
}

/** The customer's page, by its calls. */
export class Customer {
  readonly key = webCrypto.randomBytes(32).toBase64({ alphabet: 'base64url', omitPadding: true });
  readonly #origin: string;
  #after = 0;
  #tries = 0;

  constructor(origin: string) {
    this.#origin = origin;
  }

  open(token: string): Promise<Said> {
    return this.#post('/v1/sessions/open', { token, key: this.key });
  }

  read(sid: string, wait = 5): Promise<Said> {
    return this.#post(`/v1/sessions/${sid}/read`, { key: this.key, after: this.#after, wait });
  }

  say(sid: string, message: object, step?: 'try' | 'seen'): Promise<Said> {
    return this.#post(`/v1/sessions/${sid}/messages`, { key: this.key, step, body: JSON.stringify(message) });
  }

  /** One try. @returns the passcode, and how to say that it is shown; nothing where the values differ */
  async try(
    payload: SessionPayload,
    value: string,
  ): Promise<{ passcode: string; seen(): Promise<Said> } | undefined> {
    const terms = termsOf(payload, this.#origin);
    const hardened = await hardenValues(webCrypto, terms, [value]);
    const begun = customerTry(webCrypto, terms, hardened, ++this.#tries);
    await this.say(payload.sid, begun.message, 'try');
    const answered = begun.receive(await this.#next(payload.sid));
    await this.say(payload.sid, answered.message);
    try {
      const matched = answered.receive(await this.#next(payload.sid));
      return { passcode: matched.passcode, seen: () => this.say(payload.sid, matched.seen(), 'seen') };
    } catch (error) {
      if ((error as { code?: string }).code === 'session-mismatch') return undefined;
      throw error;
    }
  }

  async #next(sid: string): Promise<unknown> {
    for (;;) {
      const { status, body } = await this.read(sid);
      if (status !== 200) throw new Error(`${status} ${JSON.stringify(body)}`);
      const [first] = body.messages;
      if (first === undefined) continue;
      this.#after = first.cursor;
      return JSON.parse(first.body);
    }
  }

  async #post(path: string, body: object): Promise<Said> {
    const answer = await fetch(this.#origin + path, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    return { status: answer.status, body: await answer.json() };
  }
}
