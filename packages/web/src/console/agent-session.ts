/**
 * A session as the agent's page runs it: it answers the customer's page as long as it is open, and knows the
 * passcode only once the customer sees theirs.
 * @module
 */
import type { Device, WireSession } from '@countersign/client';
import {
  CountersignError,
  createSession,
  type NewSession,
  type SessionPayload,
  type Verified,
} from '@countersign/core';
import {
  type AgentConfirmed,
  type AgentSeen,
  type AgentShared,
  type AgentSide,
  agentSide,
  mismatchMessage,
} from '@countersign/core/session-exchange';
import { hardenValues } from '@countersign/core/session-values';
import { webCrypto } from '@countersign/core/webcrypto';
import { termsOf } from '../session/terms.ts';

const POLL_SECONDS = 20;

export type Where = 'waiting' | 'opened' | 'filled' | 'mismatch' | 'seen' | 'ended';

export interface AgentView {
  readonly where: Where;
  readonly expiresAt: number;
  readonly passcode?: string;
}

export interface SessionWish extends Omit<NewSession, 'now'> {
  readonly values: readonly string[];
}

export class AgentSession {
  readonly wish: SessionWish;
  readonly token: string;
  readonly payload: SessionPayload;
  readonly #device: Device;
  readonly #side: AgentSide;
  readonly #stop = new AbortController();
  #shared: AgentShared | undefined;
  #confirmed: AgentConfirmed | undefined;
  #seen: AgentSeen | undefined;
  #mismatched = false;
  #passcode: string | undefined;
  #state: WireSession;

  private constructor(
    device: Device,
    wish: SessionWish,
    token: string,
    payload: SessionPayload,
    side: AgentSide,
    state: WireSession,
  ) {
    this.#device = device;
    this.wish = wish;
    this.token = token;
    this.payload = payload;
    this.#side = side;
    this.#state = state;
  }

  /** Opens a session: its countdown runs from now. */
  static async start(device: Device, wish: SessionWish, broker: string): Promise<AgentSession> {
    const { keys, clock, api, crypto } = device.session;
    const log = await device.session.ownLog(0);
    const { values, ...about } = wish;
    const { statement, token }: { statement: Verified<SessionPayload>; token: string } = await createSession(
      crypto,
      keys.signer,
      log,
      { ...about, now: clock.now() },
    );
    const terms = termsOf(statement.payload, broker);
    // Before anybody may open it: a value that is not of its type is said now.
    const hardened = await hardenValues(webCrypto, terms, values);
    const state = await api.startSession(statement.jws);
    const side = agentSide(webCrypto, terms, hardened);
    return new AgentSession(device, wish, token, statement.payload, side, state);
  }

  get view(): AgentView {
    const { ended_at, expires_at } = this.#state;
    return {
      where: ended_at === undefined ? this.#where() : 'ended',
      expiresAt: expires_at,
      ...(this.#passcode === undefined ? {} : { passcode: this.#passcode }),
    };
  }

  /** Answers the customer's page until the session is over. */
  async run(onChange: (view: AgentView) => void): Promise<void> {
    const { api, keys } = this.#device.session;
    let after = 0;
    while (!this.#stop.signal.aborted && this.#state.ended_at === undefined) {
      const { sid, version } = this.#state;
      const polling = { after, version, wait: POLL_SECONDS };
      const { state, messages } = await api.readSession(
        keys.signer,
        keys.name,
        sid,
        polling,
        this.#stop.signal,
      );
      this.#state = state;
      for (const { cursor, body } of messages) {
        after = cursor;
        await this.#take(JSON.parse(body));
      }
      onChange(this.view);
    }
  }

  /** @throws `session-early` until the customer has seen theirs */
  async reveal(): Promise<void> {
    const { api, keys } = this.#device.session;
    this.#state = await api.changeSession(keys.signer, keys.name, this.#state.sid, 'reveal');
    this.#passcode = this.#seen?.reveal();
  }

  async delete(): Promise<void> {
    const { api, keys } = this.#device.session;
    this.#state = await api.changeSession(keys.signer, keys.name, this.#state.sid, 'delete');
    this.leave();
  }

  leave(): void {
    this.#stop.abort();
  }

  #where(): Where {
    const { opened_at, filled_at } = this.#state;
    if (this.#seen !== undefined) return 'seen';
    if (this.#mismatched) return 'mismatch';
    if (filled_at !== undefined) return 'filled';
    return opened_at === undefined ? 'waiting' : 'opened';
  }

  /** A message that is none, or comes out of turn, ends its try and nothing else. */
  async #take(message: { kind?: string }): Promise<void> {
    try {
      if (message.kind === 'open') {
        this.#mismatched = false;
        this.#shared = this.#side.begin(message);
        await this.#say(this.#shared.message);
      } else if (message.kind === 'answer') await this.#answer(message);
      else if (message.kind === 'seen') this.#seen = this.#confirmed?.receive(message);
    } catch (error) {
      if (!(error instanceof CountersignError) || error.code === 'broker-unreachable') throw error;
    }
  }

  async #answer(message: object): Promise<void> {
    const shared = this.#shared;
    this.#shared = undefined;
    if (shared === undefined) return;
    try {
      this.#confirmed = shared.receive(message);
      await this.#say(this.#confirmed.message);
    } catch (error) {
      if (!(error instanceof CountersignError) || error.code !== 'session-mismatch') throw error;
      this.#mismatched = true;
      await this.#say(mismatchMessage(shared.message));
    }
  }

  #say(message: object): Promise<void> {
    const { api, keys } = this.#device.session;
    return api.sayInSession(keys.signer, keys.name, this.#state.sid, JSON.stringify(message));
  }
}
