/**
 * What the broker keeps of mutual sessions, as an interface: a part of `Store`. Times are seconds since 1970.
 * @module
 */

export interface NewSessionRow {
  readonly sid: string;
  /** Hash of the link's token. */
  readonly ticket: string;
  readonly accountId: number;
  /** The device that opened it. */
  readonly kid: string;
  readonly jws: string;
  readonly exp: number;
  /** What the history says of it: never a value. */
  readonly metadata: object;
}

export type SessionOutcome = 'authenticated' | 'expired' | 'deleted' | 'too-many-tries';

export interface SessionRow extends Omit<NewSessionRow, 'metadata' | 'ticket'> {
  readonly id: number;
  readonly createdAt: number;
  readonly tries: number;
  /** Hash of the key of the one page that opened it. */
  readonly customer?: string;
  readonly openedAt?: number;
  readonly filledAt?: number;
  readonly seenAt?: number;
  readonly revealedAt?: number;
  readonly endedAt?: number;
  readonly outcome?: SessionOutcome;
}

export interface SessionMessage {
  readonly id: number;
  readonly sender: 'agent' | 'customer';
  readonly body: string;
}

export interface SessionStore {
  /** @throws `card-conflict` where it does not follow the newest card */
  saveCard(accountId: number, seq: number, jws: string): Promise<void>;
  readCard(accountId: number): Promise<string | undefined>;

  createSession(session: NewSessionRow, now: number): Promise<SessionRow>;
  findSession(sid: string): Promise<SessionRow | undefined>;
  /** Opens a session for one page, once, if it stands by now; else says nothing happened. */
  openSession(ticket: string, customer: string, now: number): Promise<SessionRow | undefined>;
  /**
   * Adds a message to a session that stands. A customer's `try` counts, and `seen` says that the passcode is shown.
   * Nothing happens where there were too many tries, or a try comes after the passcode was shown.
   */
  addSessionMessage(
    sid: string,
    message: Omit<SessionMessage, 'id'>,
    step: 'try' | 'seen' | undefined,
    now: number,
  ): Promise<SessionRow | undefined>;
  /** Messages to one side after a place. */
  readSessionMessages(
    sid: string,
    sender: SessionMessage['sender'],
    after: number,
  ): Promise<SessionMessage[]>;
  /** Notes that the agent looks at the passcode; only once the customer has seen theirs. */
  revealSession(sid: string, now: number): Promise<SessionRow | undefined>;
  /** Ends a session that has not ended; what was seen counts as authenticated. */
  endSession(sid: string, outcome: SessionOutcome, now: number): Promise<SessionRow | undefined>;
  /** Ends what is past its time. */
  expireSessions(now: number, max: number): Promise<SessionRow[]>;
  /** An account's sessions, newest first. */
  listSessions(accountId: number, before: number, max: number): Promise<SessionRow[]>;
  /** The chained history from an entry on, each as its exact text. */
  readSessionHistory(accountId: number, from: number): Promise<{ entry: string; hash: string }[]>;
}
