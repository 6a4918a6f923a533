/**
 * A session as the agent's page runs it: it answers the customer's page as long as it is open, also after a reload,
 * and knows the passcode only once the customer sees theirs.
 * @module
 */
import type { Device, WireSession } from '@countersign/client';
import {
  CountersignError,
  createSession,
  decodeBase64url,
  type ErrorCode,
  encodeBase64url,
  type NewSession,
  parseStatement,
  type SessionPayload,
  SessionStatement,
  type Verified,
} from '@countersign/core';
import {
  type AgentConfirmed,
  type AgentSeen,
  type AgentShared,
  type AgentSide,
  agentConfirmed,
  agentSide,
  mismatchMessage,
} from '@countersign/core/session-exchange';
import { termsOf } from '@countersign/core/session-terms';
import { type HardenedValues, hardenValues } from '@countersign/core/session-values';
import { webCrypto } from '@countersign/core/webcrypto';
import pRetry from 'p-retry';
import type { KeptSession, SessionKeeper } from './kept-session.ts';

const POLL_SECONDS = 20;
/** Of the server's failures, those that pass: the last, where what stands before it answers in words of its own. */
const PASSING: ReadonlySet<unknown> = new Set<ErrorCode>([
  'broker-unreachable',
  'overloaded',
  'storage-failed',
  'broker-answer-invalid',
]);

/** `gone`: its time is over, and the server was away, so that nobody here knows how it ended. */
export type Where = 'waiting' | 'opened' | 'filled' | 'mismatch' | 'seen' | 'ended' | 'gone';

export interface AgentView {
  readonly where: Where;
  readonly expiresAt: number;
  /** Whether the server answered the last time. */
  readonly online: boolean;
  readonly passcode?: string;
}

export interface SessionWish extends Omit<NewSession, 'now'> {
  readonly values: readonly string[];
}

export class AgentSession {
  readonly #kept: Omit<KeptSession, 'after' | 'tried' | 'match'>;
  readonly payload: SessionPayload;
  readonly #device: Device;
  readonly #side: AgentSide;
  readonly #keeper: SessionKeeper | undefined;
  readonly #stop = new AbortController();
  #after: number;
  #shared: AgentShared | undefined;
  #confirmed: AgentConfirmed | undefined;
  #seen: AgentSeen | undefined;
  #mismatched = false;
  #gone = false;
  #online = true;
  #passcode: string | undefined;
  #state: WireSession;

  private constructor(
    device: Device,
    keeper: SessionKeeper | undefined,
    kept: KeptSession,
    payload: SessionPayload,
    state: WireSession,
  ) {
    const { after, tried, match, ...lasting } = kept;
    const hardened = decodeBase64url(kept.hardened) as HardenedValues;
    this.#device = device;
    this.#keeper = keeper;
    this.#kept = lasting;
    this.payload = payload;
    this.#side = agentSide(webCrypto, termsOf(payload, kept.broker), hardened, tried);
    this.#confirmed = match && agentConfirmed(match);
    this.#after = after;
    this.#state = state;
  }

  get wish(): SessionWish {
    return this.#kept.wish;
  }

  get token(): string {
    return this.#kept.token;
  }

  /**
   * Opens a session: its countdown runs from now.
   * @param keeper what lets it go on after the page was loaded anew
   */
  static async start(
    device: Device,
    wish: SessionWish,
    broker: string,
    keeper?: SessionKeeper,
  ): Promise<AgentSession> {
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
    const kept: KeptSession = {
      wish,
      token,
      broker,
      statement: statement.jws,
      expiresAt: state.expires_at,
      hardened: encodeBase64url(hardened),
      after: 0,
      tried: 0,
    };
    await keeper?.forget();
    await keeper?.keep(kept);
    return new AgentSession(device, keeper, kept, statement.payload, state);
  }

  /** Goes on with the session that this page had before it was loaded anew, if it still stands. */
  static async resume(device: Device, keeper: SessionKeeper): Promise<AgentSession | undefined> {
    const { api, keys, clock, crypto } = device.session;
    const kept = await keeper.load(clock.now());
    if (kept === undefined) return undefined;
    const { payload } = await parseStatement(crypto, SessionStatement, kept.statement);
    const polling = { after: kept.after, version: 0, wait: 0 };
    const { state } = await patient(
      () => api.readSession(keys.signer, keys.name, payload.sid, polling),
      () => clock.now() < kept.expiresAt,
    );
    if (payload.iss_id !== keys.identity || state.ended_at !== undefined) {
      await keeper.forget();
      return undefined;
    }
    const session = new AgentSession(device, keeper, kept, payload, state);
    // What the other page waits for may have been lost with the page that was here before.
    if (kept.match !== undefined) await session.#say(kept.match.confirm);
    else if (kept.tried > 0) await session.#sayMismatch(kept.tried);
    return session;
  }

  get view(): AgentView {
    const { ended_at, expires_at } = this.#state;
    return {
      where: ended_at !== undefined ? 'ended' : this.#gone ? 'gone' : this.#where(),
      expiresAt: expires_at,
      online: this.#online,
      ...(this.#passcode === undefined ? {} : { passcode: this.#passcode }),
    };
  }

  /** Answers the customer's page until the session is over, also over times when the server does not answer. */
  async run(onChange: (view: AgentView) => void): Promise<void> {
    try {
      await this.#answerAll(onChange);
    } catch (error) {
      if (this.#stands() || !PASSING.has((error as CountersignError).code)) throw error;
      // Nobody is waited for who can't come any more.
      this.#gone = true;
      onChange(this.view);
    }
    if (this.#gone || this.#state.ended_at !== undefined) await this.#keeper?.forget();
  }

  /** By this page's own clock. */
  #stands(): boolean {
    return this.#device.session.clock.now() < this.#state.expires_at;
  }

  async #answerAll(onChange: (view: AgentView) => void): Promise<void> {
    const { api, keys } = this.#device.session;
    while (!this.#stop.signal.aborted && this.#state.ended_at === undefined) {
      const { sid, version } = this.#state;
      const polling = { after: this.#after, version, wait: POLL_SECONDS };
      const { signal } = this.#stop;
      const { state, messages } = await patient(
        () => api.readSession(keys.signer, keys.name, sid, polling, signal),
        () => this.#stands(),
        signal,
        () => {
          this.#online = false;
          onChange(this.view);
        },
      );
      this.#online = true;
      this.#state = state;
      for (const { cursor, body } of messages) {
        await this.#take(body, cursor);
        this.#after = cursor;
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
    await this.#forget();
  }

  /** Ends it if it stands, since nobody would answer its customer, and forgets all of it. */
  async close(): Promise<void> {
    try {
      if (this.#state.ended_at === undefined && !this.#gone) await this.delete();
    } catch (error) {
      if ((error as CountersignError).code !== 'session-over') throw error;
    }
    await this.#forget();
  }

  /** Answers no more, and could go on later. */
  leave(): void {
    this.#stop.abort();
  }

  async #forget(): Promise<void> {
    this.leave();
    await this.#keeper?.forget();
  }

  #where(): Where {
    const { opened_at, filled_at } = this.#state;
    if (this.#seen !== undefined) return 'seen';
    if (this.#mismatched) return 'mismatch';
    if (filled_at !== undefined) return 'filled';
    return opened_at === undefined ? 'waiting' : 'opened';
  }

  /** A message that is none, or comes out of turn, ends its try and nothing else. */
  async #take(body: string, cursor: number): Promise<void> {
    const message = readMessage(body);
    try {
      if (message.kind === 'open') {
        this.#mismatched = false;
        this.#shared = this.#side.begin(message);
        // Before a word goes out: a page that is loaded anew begins no try twice.
        await this.#keep(cursor);
        await this.#say(this.#shared.message);
      } else if (message.kind === 'answer') await this.#answer(message, cursor);
      else if (message.kind === 'seen') this.#seen = this.#confirmed?.receive(message);
    } catch (error) {
      if (!(error instanceof CountersignError)) throw error;
    }
  }

  async #answer(message: { try?: number }, cursor: number): Promise<void> {
    const shared = this.#shared;
    this.#shared = undefined;
    if (shared === undefined) {
      // The share was lost when this page was loaded anew.
      if (this.#confirmed === undefined && message.try === this.#side.tried)
        await this.#sayMismatch(message.try);
      return;
    }
    try {
      this.#confirmed = shared.receive(message);
      await this.#keep(cursor);
      await this.#say(this.#confirmed.message);
    } catch (error) {
      if (!(error instanceof CountersignError) || error.code !== 'session-mismatch') throw error;
      this.#mismatched = true;
      await this.#say(mismatchMessage(shared.message));
    }
  }

  async #keep(after: number): Promise<void> {
    const match = this.#confirmed?.kept;
    const now = { after, tried: this.#side.tried, ...(match === undefined ? {} : { match }) };
    await this.#keeper?.keep({ ...this.#kept, ...now });
  }

  #sayMismatch(number: number): Promise<void> {
    return this.#say({ kind: 'mismatch', session: this.payload.sid, try: number });
  }

  #say(message: object): Promise<void> {
    const { api, keys } = this.#device.session;
    const body = JSON.stringify(message);
    return patient(
      () => api.sayInSession(keys.signer, keys.name, this.#state.sid, body),
      () => this.#stands(),
      this.#stop.signal,
    );
  }
}

/**
 * Does it until the server answers. Of a message that is said twice, the customer's page takes one.
 * @param still whether it is worth another try
 */
function patient<T>(
  work: () => Promise<T>,
  still: () => boolean,
  signal?: AbortSignal,
  onAway?: () => void,
): Promise<T> {
  return pRetry(work, {
    retries: Number.POSITIVE_INFINITY,
    minTimeout: 500,
    maxTimeout: 4000,
    randomize: true,
    ...(signal === undefined ? {} : { signal }),
    shouldRetry: ({ error }) => PASSING.has((error as CountersignError).code) && still(),
    onFailedAttempt: ({ error }) => {
      if (PASSING.has((error as CountersignError).code)) onAway?.();
    },
  });
}

/** What anybody with the link may have written; nothing is in what is no object. */
function readMessage(body: string): { kind?: string; try?: number } {
  try {
    return Object(JSON.parse(body)) as object;
  } catch {
    return {};
  }
}
