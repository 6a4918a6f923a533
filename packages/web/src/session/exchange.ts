/**
 * One try of the customer's page: the exchange with the organisation's page, message by message.
 * @module
 */

import { argon2idWasm } from '@countersign/core/argon2-wasm';
import type { CountersignError } from '@countersign/core/errors';
import type { SessionPayload } from '@countersign/core/mutual-session';
import { customerTry } from '@countersign/core/session-exchange';
import { hardenValues } from '@countersign/core/session-values';
import { type Opened, payloadOf, readMessages, say } from './server.ts';
import { termsOf } from './terms.ts';

const POLL_SECONDS = 20;

/** What the exchange needs; all of the core's provider would be three times this page. */
const pageCrypto = {
  randomBytes: (length: number) => crypto.getRandomValues(new Uint8Array(length)),
  argon2id: argon2idWasm,
};

/** The page that opened a link: its key, and the place in the messages. */
export class OpenedSession {
  readonly opened: Opened;
  readonly payload: SessionPayload;
  readonly #key: string;
  #after = 0;
  #tries = 0;

  constructor(opened: Opened, key: string) {
    this.opened = opened;
    this.payload = payloadOf<SessionPayload>(opened.session);
    this.#key = key;
  }

  get tries(): number {
    return this.#tries;
  }

  /**
   * Compares the values with what the organisation's page has.
   * @param onAgent told whether that page is there
   * @returns the passcode, and how to say that it is on the screen; nothing where the values differ
   */
  async try(
    values: readonly string[],
    onAgent: (here: boolean) => void,
  ): Promise<{ passcode: string; seen(): Promise<void> } | undefined> {
    const { sid } = this.opened;
    const terms = termsOf(this.payload, location.origin);
    const hardened = await hardenValues(pageCrypto, terms, values);
    this.#tries++;
    const begun = customerTry(pageCrypto, terms, hardened, this.#tries);
    await say(sid, this.#key, begun.message, 'try');
    const answered = begun.receive(await this.#next(onAgent));
    await say(sid, this.#key, answered.message);
    try {
      const matched = answered.receive(await this.#next(onAgent));
      return {
        passcode: matched.passcode,
        seen: async () => {
          await say(sid, this.#key, matched.seen(), 'seen');
        },
      };
    } catch (error) {
      if ((error as CountersignError).code === 'session-mismatch') return undefined;
      throw error;
    }
  }

  /** The next message of the organisation's page that is of this try. */
  async #next(onAgent: (here: boolean) => void): Promise<unknown> {
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
      const message = JSON.parse(first.body) as { try?: number };
      if (message.try === this.#tries) return message;
    }
  }
}
