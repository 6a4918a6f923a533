/**
 * An organisation's members, as anybody reads them: every change verified by the organisation's log, and none of them
 * ever taken back by a broker that forgets.
 * @module
 */
import {
  CountersignError,
  type CryptoProvider,
  createMember,
  type DeviceLog,
  type MemberList,
  type MemberPayload,
  replayMembers,
} from '@countersign/core';
import type { KnownAccount } from './account-book.ts';
import { longerList } from './append-only.ts';
import type { BrokerApi } from './broker-api.ts';
import type { Session } from './session.ts';
import type { StateStore } from './state-store.ts';

const KIND = 'members';
/** Age of the log by which a new member is known, in seconds. */
const LOG_AGE = 3600;

interface Reading {
  readonly api: BrokerApi;
  readonly crypto: CryptoProvider;
  readonly state: StateStore;
}

type Organisation = Pick<DeviceLog, 'name' | 'identity' | 'devices' | 'hashes'>;

/**
 * The members by now.
 * @param log the organisation's, read anew
 * @throws `member-conflict` where the broker hides or reorders changes; what `replayMembers` throws
 */
export async function readMembers(reading: Reading, log: Organisation): Promise<MemberList> {
  return (await readMemberChanges(reading, log)).list;
}

/** The members by now, with the changes that made the list; throws as `readMembers` does. */
export async function readMemberChanges(
  { api, crypto, state }: Reading,
  log: Organisation,
): Promise<{ list: MemberList; changes: readonly string[] }> {
  const kept = (await state.get<string[]>(KIND, log.identity)) ?? [];
  const fresh = await api.readMembers(log.name, kept.length + 1);
  const all = [...kept, ...fresh];
  const list = await replayMembers(crypto, all, log);
  if (fresh.length > 0) {
    await state.update<readonly string[]>(KIND, log.identity, (old = []) =>
      longerList(
        old,
        all,
        (at) =>
          new CountersignError(
            'member-conflict',
            `two lists of members were shown: change ${at + 1} differs`,
            {
              hint: 'the broker shows different lists to different readers: do not trust it',
            },
          ),
      ),
    );
  }
  return { list, changes: all };
}

/** The members, for a device of the organisation, which may change them. */
export class Members {
  readonly #session: Session;

  constructor(session: Session) {
    this.#session = session;
  }

  async read(): Promise<MemberList> {
    return readMembers(this.#session, await this.#session.ownLog(0));
  }

  /**
   * Gives an account a role, or takes it.
   * @param role `none` removes the member
   * @returns how the account's name was bound to its identity
   * @throws `account-unknown`, `device-not-entitled`, `last-owner`, `member-conflict`
   */
  async change(name: string, role: MemberPayload['role']): Promise<Pick<KnownAccount, 'binding'>> {
    const { api, book, crypto, keys, clock } = this.#session;
    const own = await this.#session.ownLog(0);
    const list = await readMembers(this.#session, own);
    const known = [...list.members.values()].find((member) => member.name === name);
    const { log, binding } = await book.find(name, LOG_AGE, known?.identity);
    const { identity } = log;
    const { jws } = await createMember(crypto, keys.signer, own, list, { name, identity }, role, clock.now());
    await api.postMember(jws);
    return { binding };
  }
}
