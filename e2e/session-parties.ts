/**
 * Both sides of a mutual session, for tests that speak to a real broker over HTTP: what the two pages do, without
 * their screens.
 * @module
 */
import {
  createCard,
  createSession,
  encodeBase64url,
  type NewSession,
  type SessionPayload,
} from '@countersign/core';
import { customerTry } from '@countersign/core/session-exchange';
import { termsOf } from '@countersign/core/session-terms';
import { hardenValues } from '@countersign/core/session-values';
import { webCrypto } from '@countersign/core/webcrypto';
import { AgentSession } from '../packages/web/src/console/agent-session.ts';
import type { KeptSession, SessionKeeper } from '../packages/web/src/console/kept-session.ts';
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
export async function startAgent(party: Party, value: string, keeper?: SessionKeeper): Promise<AgentSession> {
  const { broker } = party.device.session.keys;
  const wish = { fields: FIELDS, values: [value], lifetime: 300 };
  const session = await AgentSession.start(party.device, wish, broker, keeper);
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
  readonly key: string;
  readonly #origin: string;
  #after = 0;
  #tries = 0;

  constructor(origin: string, key = encodeBase64url(webCrypto.randomBytes(32))) {
    this.#origin = origin;
    this.key = key;
  }

  open(token: string): Promise<Said> {
    return this.#post('/v1/sessions/open', { token, key: this.key });
  }

  read(sid: string, wait = 5): Promise<Said> {
    return this.#post(`/v1/sessions/${sid}/read`, { key: this.key, after: this.#after, wait });
  }

  say(sid: string, message: object): Promise<Said> {
    return this.#post(`/v1/sessions/${sid}/messages`, { key: this.key, body: JSON.stringify(message) });
  }

  /** Leaves out so many tries, which a test made by hand. */
  skip(tries: number): void {
    this.#tries += tries;
  }

  /** In mode digest. */
  compare(sid: string, digest: string): Promise<Said> {
    return this.#post(`/v1/sessions/${sid}/digest`, { key: this.key, digest });
  }

  /** One try. @returns the passcode, and how to say that it is shown; nothing where the values differ */
  async try(
    payload: SessionPayload,
    value: string,
  ): Promise<{ passcode: string; seen(): Promise<Said> } | undefined> {
    const terms = termsOf(payload, this.#origin);
    const hardened = await hardenValues(webCrypto, terms, [value]);
    const begun = customerTry(webCrypto, terms, hardened, ++this.#tries);
    await this.say(payload.sid, begun.message);
    const answered = begun.receive(await this.#next(payload.sid));
    await this.say(payload.sid, answered.message);
    try {
      const matched = answered.receive(await this.#next(payload.sid));
      return { passcode: matched.passcode, seen: () => this.say(payload.sid, matched.seen()) };
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
      const message = JSON.parse(first.body) as { try?: number };
      // What is of an earlier try came late.
      if (message.try === this.#tries) return message;
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

/** What a tab keeps over a reload, in memory. */
export function memoryKeeper(): SessionKeeper {
  let kept: string | undefined;
  return {
    async keep(session) {
      kept = JSON.stringify(session);
    },
    async load() {
      return kept === undefined ? undefined : (JSON.parse(kept) as KeptSession);
    },
    async forget() {
      kept = undefined;
    },
  };
}
