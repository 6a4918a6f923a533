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
  /** The seat of the member who made it, where no device of the organisation did. */
  readonly seat?: { readonly hash: string; readonly memberId: number };
  /** In mode digest: by what the values are compared, and what is given on a match. */
  readonly digest?: SessionDigestRow;
}

export interface SessionDigestRow {
  readonly digest: string;
  readonly nonce: string;
}

export type SessionOutcome = 'authenticated' | 'expired' | 'deleted' | 'too-many-tries';

export interface SessionRow extends Omit<NewSessionRow, 'metadata' | 'ticket' | 'digest'> {
  readonly id: number;
  readonly createdAt: number;
  readonly tries: number;
  /** Hash of the key of the one page that opened it. */
  readonly customer?: string;
  readonly openedAt?: number;
  readonly filledAt?: number;
  readonly matchedAt?: number;
  readonly seenAt?: number;
  readonly awayAt?: number;
  readonly revealedAt?: number;
  readonly endedAt?: number;
  readonly outcome?: SessionOutcome;
}

export interface TwoWayRow {
  /** Of the request. */
  readonly hash: string;
  readonly accountId: number;
  readonly exp: number;
}

export interface SessionMessage {
  readonly id: number;
  readonly sender: 'agent' | 'customer';
  readonly body: string;
}

export interface SessionStore {
  createSession(session: NewSessionRow, now: number): Promise<SessionRow>;
  findSession(sid: string): Promise<SessionRow | undefined>;
  /** Opens a session for one page, if it stands by now; that page may ask again, and any other gets nothing. */
  openSession(ticket: string, customer: string, now: number): Promise<SessionRow | undefined>;
  /**
   * Adds a message to a session that stands. A customer's `try` counts, the agent's `match` says that the values are
   * equal, and after it a customer's `seen` says that the passcode is shown.
   * Nothing happens where the customer said more than `MAX_SESSION_MESSAGES`, there were too many tries, or a try comes after the passcode was shown.
   */
  addSessionMessage(
    sid: string,
    message: Omit<SessionMessage, 'id'>,
    step: 'try' | 'match' | 'seen' | undefined,
    now: number,
  ): Promise<SessionRow | undefined>;
  /**
   * Compares a digest with the one that is held; each time counts as a try.
   * @returns the nonce on a match; nothing else where they differ, or there were too many tries
   */
  tryDigest(sid: string, digest: string, now: number): Promise<string | undefined>;
  /** Notes, once, that the customer waits for an agent's page that is away. */
  noteAway(sid: string, now: number): Promise<void>;
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
  /** Begins the history of a signed confirmation, once. @param what the history says of it */
  noteTwoWay(twoWay: TwoWayRow, what: object, now: number): Promise<void>;
  /** Ends it, once. @returns whether it stood */
  endTwoWay(hash: string, accountId: number, outcome: string, now: number): Promise<boolean>;
  /** Those that stand, and whose time was over before. */
  listTwoWayOverdue(before: number, max: number): Promise<TwoWayRow[]>;
  /** An account's sessions, newest first; of one member alone, where that is named. */
  listSessions(accountId: number, before: number, max: number, memberId?: number): Promise<SessionRow[]>;
  /** Ends what a member made that has not ended. */
  endSessionsOf(accountId: number, memberId: number, now: number): Promise<SessionRow[]>;
  /** The chained history from an entry on, each as its exact text. */
  readSessionHistory(accountId: number, from: number): Promise<{ entry: string; hash: string }[]>;
}
