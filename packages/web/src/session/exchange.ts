/**
 * One try of the customer's page: the exchange with the organisation's page, message by message.
 * @module
 */

import { argon2idWasm } from '@countersign/core/argon2-wasm';
import type { CountersignError } from '@countersign/core/errors';
import type { SessionPayload } from '@countersign/core/mutual-session';
import { customerTry } from '@countersign/core/session-exchange';
import { type SessionTerms, termsOf } from '@countersign/core/session-terms';
import { hardenValues, normalizeValue } from '@countersign/core/session-values';
import { compareDigest, InvalidLink, type Opened, payloadOf, readMessages, say } from './server.ts';
import { Tries } from './tries.ts';

/** Short, so that the page knows soon that the organisation's is away, and that it is back. */
const POLL_SECONDS = 3;

/** What the exchange needs; all of the core's provider would be three times this page. */
const pageCrypto = {
  randomBytes: (length: number) => crypto.getRandomValues(new Uint8Array(length)),
  argon2id: argon2idWasm,
};

/**
 * Loads and tries all that the exchange needs, as long as the link is unopened: it opens once, and this page may be
 * offline a moment later, or in a browser that can't do it.
 */
export async function prepare(digest: boolean): Promise<void> {
  normalizeValue('text', 'a');
  const least = { memory: 8, passes: 1, lanes: 1, salt: new Uint8Array(16), length: 16 };
  await Promise.all([
    pageCrypto.argon2id(new Uint8Array(1), least),
    digest && import('@countersign/core/session-digest'),
  ]);
}

export const triesOf = (token: string): Promise<Tries> => Tries.of(token);

export interface Matched {
  readonly passcode: string;
  /** Says that it stands on the screen. */
  seen(): Promise<void>;
}

/** The page that opened a link: its key, and the place in the messages. */
export class OpenedSession {
  readonly opened: Opened;
  readonly payload: SessionPayload;
  readonly #key: string;
  readonly #tries: Tries;
  #after = 0;

  /**
   * @param digest whether the link is of a session of mode digest
   * @param tries of the link, by whichever key it was opened
   * @throws `InvalidLink` where the server says otherwise
   */
  constructor(opened: Opened, key: string, digest: boolean, tries: Tries) {
    this.opened = opened;
    this.payload = payloadOf<SessionPayload>(opened.session);
    this.#key = key;
    this.#tries = tries;
    if ((this.payload.commitment !== undefined) !== digest) throw new InvalidLink('another mode');
  }

  /** Whether another try may begin. */
  get mayTry(): boolean {
    return this.#tries.left;
  }

  /** Number of the first field whose value is not of its type. */
  wrongField(values: readonly string[]): number | undefined {
    const wrong = this.payload.fields.findIndex(({ type }, i) => {
      try {
        normalizeValue(type, values[i]!);
        return false;
      } catch {
        return true;
      }
    });
    return wrong === -1 ? undefined : wrong;
  }

  /**
   * Looks after the session while nobody tries.
   * @param onAgent told whether the organisation's page is there, where there is one
   * @param onOver told that the server has ended it
   * @returns what ends the looking
   */
  watch(onAgent: (here: boolean) => void, onOver: () => void): () => void {
    let watching = true;
    const look = async () => {
      while (watching) {
        const read = await readMessages(this.opened.sid, this.#key, this.#after, POLL_SECONDS);
        if (!watching) return;
        // What is said now is of a try before.
        this.#after = read.messages.at(-1)?.cursor ?? this.#after;
        if (this.payload.commitment === undefined) onAgent(read.agent_here);
      }
    };
    look().catch(() => watching && onOver());
    return () => {
      watching = false;
    };
  }

  /**
   * Compares the values with what the organisation's page has.
   * @param onAgent told whether that page is there
   * @returns the passcode, and how to say that it is on the screen; nothing where the values differ
   */
  async try(
    values: readonly string[],
    onAgent: (here: boolean) => void,
    again = false,
  ): Promise<Matched | undefined> {
    const { sid } = this.opened;
    const terms = termsOf(this.payload, location.origin);
    const { commitment } = this.payload;
    if (!this.mayTry) throw new InvalidLink('tried too often');
    if (commitment !== undefined) return this.#tryDigest(terms, commitment, values);
    const hardened = await hardenValues(pageCrypto, terms, values);
    this.#tries.begin();
    const begun = customerTry(pageCrypto, terms, hardened, this.#tries.begun);
    await say(sid, this.#key, begun.message);
    const share = await this.#next(onAgent);
    // The organisation's page was loaded anew, and knows nothing of this try. Once: each is a guess for a server.
    if (share.kind === 'mismatch' && !again && this.mayTry) {
      return this.try(values, onAgent, true);
    }
    const answered = begun.receive(share);
    await say(sid, this.#key, answered.message);
    try {
      const matched = answered.receive(await this.#next(onAgent, 'share'));
      return {
        passcode: matched.passcode,
        seen: async () => {
          await say(sid, this.#key, matched.seen());
        },
      };
    } catch (error) {
      if ((error as CountersignError).code === 'session-mismatch') return undefined;
      throw error;
    }
  }

  async #tryDigest(
    terms: SessionTerms,
    commitment: string,
    values: readonly string[],
  ): Promise<Matched | undefined> {
    const { sid } = this.opened;
    const { answerDigest } = await import('@countersign/core/session-digest');
    const answer = await answerDigest(pageCrypto, terms, commitment, values);
    this.#tries.begin();
    try {
      const { nonce } = await compareDigest(sid, this.#key, answer.digest);
      const passcode = answer.open(nonce);
      return {
        passcode,
        seen: async () => {
          await say(sid, this.#key, { kind: 'seen', session: sid });
        },
      };
    } catch (error) {
      // Wrong, expired, tried too often: the server says the same of all of them.
      if (error instanceof InvalidLink) return undefined;
      throw error;
    }
  }

  /**
   * The next message of the organisation's page that is of this try.
   * @param had the kind that came before: said again, since an answer of the server's was lost
   */
  async #next(onAgent: (here: boolean) => void, had?: string): Promise<{ kind?: string }> {
    for (;;) {
      const { messages, agent_here } = await readMessages(
        this.opened.sid,
        this.#key,
        this.#after,
        POLL_SECONDS,
      );
      onAgent(agent_here || messages.length > 0);
      const [first] = messages;
      if (first === undefined) continue;
      this.#after = first.cursor;
      const message = JSON.parse(first.body) as { kind?: string; try?: number };
      if (message.try === this.#tries.begun && message.kind !== had) return message;
    }
  }
}
