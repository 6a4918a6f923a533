/**
 * Who may ask this account, as its device sees it: every change verified, and none of them ever taken back by
 * a broker that forgets.
 * @module
 */
import {
  applyContact,
  type Contact,
  type ContactList,
  CountersignError,
  createContact,
  NO_CONTACTS,
  type Policy,
  parseContact,
  verifyContact,
} from '@countersign/core';
import { longerList } from './append-only.ts';
import { forgiveRow } from './passcode-failures.ts';
import type { Session } from './session.ts';

const KIND = 'contacts';

export class Contacts {
  readonly #session: Session;

  constructor(session: Session) {
    this.#session = session;
  }

  /** The list by now. @throws `contact-conflict` where the broker hides or reorders changes */
  async read(): Promise<ContactList> {
    const { api, keys, state } = this.#session;
    const kept = (await state.get<string[]>(KIND, keys.identity)) ?? [];
    const fresh = await api.readContacts(keys.signer, keys.name, kept.length + 1);
    const list = await this.#apply([...kept, ...fresh]);
    if (fresh.length > 0) {
      await state.update<readonly string[]>(KIND, keys.identity, (old = []) =>
        longerList(
          old,
          [...kept, ...fresh],
          (at) =>
            new CountersignError(
              'contact-conflict',
              `two lists of contacts were shown: change ${at + 1} differs`,
              {
                hint: 'the broker shows different lists to different readers: do not trust it',
              },
            ),
        ),
      );
    }
    return list;
  }

  /** Changes what an enquirer may do. */
  async change(contact: { name: string; identity: string }, policy: Policy): Promise<void> {
    const { api, crypto, keys, clock } = this.#session;
    const log = await this.#session.ownLog(0);
    const list = await this.read();
    const statement = await createContact(crypto, keys.signer, log, list, contact, policy, clock.now());
    await api.postContact(statement.jws);
    // Added once more it is no newcomer, and its wrong passcodes count on.
    const before = list.contacts.get(contact.identity)?.policy;
    if (policy === 'allow' && before !== 'allow') await forgiveRow(this.#session.state, contact.identity);
    await this.read();
  }

  async #apply(changes: readonly string[]): Promise<ContactList> {
    const { crypto } = this.#session;
    let log = await this.#session.ownLog();
    let list = NO_CONTACTS;
    for (const jws of changes) {
      const statement = await parseContact(crypto, jws);
      if (statement.payload.head.seq > log.head.seq) log = await this.#session.ownLog(0);
      const { hashes } = log;
      list = applyContact(list, await verifyContact(crypto, statement, log, (seq) => hashes[seq]));
    }
    return list;
  }
}

/** @throws `contact-unknown`, `not-permitted` */
export function checkMayAsk(contact: Contact | undefined, name: string): void {
  if (contact === undefined) {
    throw new CountersignError('contact-unknown', `${name} is not among the contacts`, {
      hint: `\`countersign contact add ${name}\` lets it ask`,
    });
  }
  if (contact.policy === 'block') throw new CountersignError('not-permitted', `${name} is blocked`);
}
