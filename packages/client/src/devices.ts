/**
 * The devices of one's own account: who waits before the door, who is in, and who goes.
 * @module
 */
import {
  CODE_TRIES,
  CountersignError,
  checkEnrolmentCode,
  createDeviceAdd,
  createEnrolmentAccept,
  createEpoch,
  createFreeze,
  createInvitation,
  createRevocation,
  createRightsChange,
  createRoomShare,
  createThaw,
  type DeviceLink,
  type DeviceLog,
  type EnrolmentFacts,
  EnrolmentRejectStatement,
  extendLog,
  INVITATION_LIFE,
  openEpoch,
  openInvitation,
  parseCode,
  type Right,
  type Signing,
  signStatement,
  type VerifiedEnrolment,
  verifyEnrolment,
  verifyInvitation,
} from '@countersign/core';
import pRetry from 'p-retry';
import { newEpoch } from './create-account.ts';
import { followedByEpoch } from './followed-by-epoch.ts';
import type { Rooms } from './rooms.ts';
import type { Session } from './session.ts';
import { triesText } from './tries-text.ts';
import type { WireWaiting } from './wire.ts';

/** A device before the door, all of whose own words were checked. */
export interface KnockingDevice {
  readonly facts: EnrolmentFacts;
  /** It came with a PIN that lets it in, and proves that it knows it: no code is needed. */
  readonly pin?: { readonly secret: string; readonly rights: readonly Right[] };
  readonly enrolment: VerifiedEnrolment;
}

export interface Door {
  readonly waiting: KnockingDevice[];
  /** What the broker delivered and is not good. */
  readonly suspects: { readonly hash: string; readonly error: CountersignError }[];
  /** What was kept from the door. */
  readonly notices: WireWaiting['notices'];
}

export interface AcceptOptions {
  readonly rights?: readonly Right[];
  /** Say false where it is not to read what was said in rooms before. */
  readonly history?: boolean;
}

/** What a device gets where nothing is said: it asks and answers, and lets nobody in. */
export const DEFAULT_RIGHTS: readonly Right[] = ['ask', 'answer', 'pay'];

const TRIES_KIND = 'enrolment-tries';
/** Appends that meet another device's are repeated on the new head. */
const APPEND_TRIES = 4;

export class Devices {
  readonly #session: Session;
  readonly #rooms: Rooms;

  constructor(session: Session, rooms: Rooms) {
    this.#session = session;
    this.#rooms = rooms;
  }

  /** A PIN for a new device, as a link that carries the account's identity too. */
  async invite(
    use: 'admit' | 'knock',
    { rights, lifetime = INVITATION_LIFE }: { rights?: readonly Right[]; lifetime?: number } = {},
  ): Promise<DeviceLink> {
    const { crypto, keys, clock, api } = this.#session;
    const log = await this.#session.ownLog(0);
    const { statement, pin } = await createInvitation(crypto, keys.signer, log, {
      use,
      ...(use === 'admit' ? { rights: rights ?? DEFAULT_RIGHTS } : {}),
      lifetime,
      now: clock.now(),
    });
    await api.postInvitation(log.name, statement.jws);
    return { name: log.name, identity: log.identity, broker: keys.broker, use, pin };
  }

  /** Who waits before the door. */
  async door(): Promise<Door> {
    const { api, keys, crypto, clock, book } = this.#session;
    const { waiting: rows, notices } = await api.listEnrolments(keys.signer, keys.name);
    const log = await this.#session.ownLog(0);
    const by = { broker: keys.broker, key: await book.brokerKey(), now: clock.now() };
    const waiting: KnockingDevice[] = [];
    const suspects: Door['suspects'] = [];
    for (const { hash, enrolment: jws, invitation } of rows) {
      try {
        const enrolment = await verifyEnrolment(crypto, jws, log, by);
        if (enrolment.facts.hash !== hash) {
          throw new CountersignError('enrolment-mismatch', 'the broker shows a device under another’s label');
        }
        const pin = await this.#provenPin(log, enrolment, invitation);
        waiting.push({ facts: enrolment.facts, enrolment, ...(pin === undefined ? {} : { pin }) });
      } catch (error) {
        if (!(error instanceof CountersignError) || error.code === 'broker-unreachable') throw error;
        suspects.push({ hash, error });
      }
    }
    return { waiting, suspects, notices };
  }

  /**
   * Lets a device in.
   * @param typed the code that the new device shows; needless where it came with a PIN that lets it in
   * @throws `code-wrong`, the third time with the device turned away; `device-not-entitled`; `enrolment-settled`
   */
  async accept(
    { enrolment, pin }: KnockingDevice,
    typed: string | undefined,
    { rights = pin?.rights ?? DEFAULT_RIGHTS, history = true }: AcceptOptions = {},
  ): Promise<void> {
    const { crypto, keys, clock, api } = this.#session;
    const code = pin?.secret ?? (await this.#checkCode(enrolment, typed));
    const { facts, device } = enrolment;
    const to = { jws: device.jws, kid: facts.kid, enc: device.enc };
    await this.#append(async ({ signer, log, now }) => {
      const word = await createEnrolmentAccept(crypto, keys.signer, enrolment, code, clock.now());
      if (history) {
        const entry = await createDeviceAdd(
          crypto,
          { signer, log, now },
          to,
          rights,
          await this.#epochKey(log),
        );
        const shared = await this.#rooms.held();
        const share =
          shared.length === 0 ? undefined : await createRoomShare(crypto, { signer, log, now }, to, shared);
        await api.acceptEnrolment(log.name, facts.hash, word, [entry.jws], share);
        return;
      }
      // What came before is sealed to the epoch before: the new device gets the key of a new one alone.
      const key = await newEpoch();
      const epoch = await createEpoch(crypto, log, signer, key, now);
      const after = await extendLog(crypto, log, [epoch.jws]);
      const entry = await createDeviceAdd(crypto, { signer, log: after, now }, to, rights, key);
      await api.acceptEnrolment(log.name, facts.hash, word, [epoch.jws, entry.jws]);
    });
    await this.#session.state.delete(TRIES_KIND, facts.hash);
  }

  /** Turns a device away. */
  async reject(
    { facts }: Pick<KnockingDevice, 'facts'>,
    reason: 'rejected' | 'code-wrong' | 'pin-wrong' = 'rejected',
  ): Promise<void> {
    const { crypto, keys, clock, api } = this.#session;
    const payload = { sub_id: keys.identity, enrolment: facts.hash, iat: clock.now(), reason };
    const { jws } = await signStatement(crypto, EnrolmentRejectStatement, keys.signer, payload);
    await api.settleEnrolment(keys.name, facts.hash, 'reject', jws);
  }

  /**
   * Shows a device out, and begins a new epoch, in one step: what is sent from then on it can't read.
   * @param proof makes the proof of the printed code, where this takes the last device that may admit or recover
   */
  async revoke(
    kid: string,
    reason: 'retired' | 'lost' | 'undone',
    proof?: (log: DeviceLog) => Promise<string>,
  ): Promise<void> {
    const { crypto, api } = this.#session;
    const own = kid === (await this.#session.kid());
    await this.#append(async ({ signer, log, now }) => {
      const given = await proof?.(log);
      const out = await createRevocation(crypto, log, signer, kid, reason, now, given);
      const mayBegin = !own && log.devices.get(await this.#session.kid())!.rights.includes('admit');
      const held = Object.hasOwn(log.epoch.sealed, kid);
      const entries = mayBegin && held ? await followedByEpoch(crypto, { signer, log, now }, out) : [out.jws];
      return api.appendLog(log.name, entries);
    });
  }

  /** Stops a device at once, and begins a new epoch without it. */
  async freeze(kid: string): Promise<void> {
    const { crypto, api } = this.#session;
    await this.#append(async (signing) => {
      const frozen = await createFreeze(crypto, signing, kid);
      await api.appendLog(signing.log.name, await followedByEpoch(crypto, signing, frozen));
    });
  }

  /** Ends a freeze, and begins a new epoch with it. */
  async thaw(kid: string): Promise<void> {
    const { crypto, api } = this.#session;
    await this.#append(async (signing) => {
      const thawed = await createThaw(crypto, signing, kid);
      await api.appendLog(signing.log.name, await followedByEpoch(crypto, signing, thawed));
    });
  }

  async setRights(
    kid: string,
    rights: readonly Right[],
    proof?: (log: DeviceLog) => Promise<string>,
  ): Promise<void> {
    const { crypto, api } = this.#session;
    await this.#append(async (signing) => {
      const given = await proof?.(signing.log);
      const { jws } = await createRightsChange(crypto, signing, kid, rights, given);
      await api.appendLog(signing.log.name, [jws]);
    });
  }

  /** Begins a new epoch now. @param due asked again where another device was quicker */
  async beginEpoch(due: (log: DeviceLog) => boolean = () => true): Promise<void> {
    const { crypto, api } = this.#session;
    await this.#append(async ({ signer, log, now }) => {
      if (!due(log)) return;
      const { jws } = await createEpoch(crypto, log, signer, await newEpoch(), now);
      await api.appendLog(log.name, [jws]);
    });
  }

  /** The PIN of a device that came with one that lets it in, and proves it; nothing where it must show a code. */
  async #provenPin(
    log: DeviceLog,
    enrolment: VerifiedEnrolment,
    jws: string,
  ): Promise<KnockingDevice['pin']> {
    const { crypto } = this.#session;
    const invitation = await verifyInvitation(crypto, jws, log, (seq) => log.hashes[seq]);
    const { use, rights = DEFAULT_RIGHTS, exp, sealed } = invitation.payload;
    if (use !== 'admit') return undefined;
    if (enrolment.facts.askedAt >= exp)
      throw new CountersignError('pin-expired', 'it came with an expired PIN');
    const opener = await this.#session.epochOpener(sealed.epoch);
    if (opener === undefined) {
      throw new CountersignError('epoch-unknown', 'its PIN was given before this device was in');
    }
    const secret = await openInvitation(crypto, invitation, opener);
    if (await checkEnrolmentCode(crypto, enrolment, secret)) return { secret, rights };
    throw new CountersignError('pin-wrong', 'it does not know the PIN that it came with', {
      hint: 'somebody between may have swapped its keys: reject it',
    });
  }

  /** @throws `code-wrong` */
  async #checkCode(enrolment: VerifiedEnrolment, typed: string | undefined): Promise<string> {
    const { crypto, state } = this.#session;
    if (typed === undefined) {
      throw new CountersignError('code-wrong', 'the code that the new device shows is needed', {
        hint: 'type it: --code ABCD-EFGH',
      });
    }
    // What can be no code at all is a slip of the finger, and no try.
    parseCode(typed);
    const { hash } = enrolment.facts;
    // Counted before it is checked: a crash in between is a try.
    const tries = await state.update<number>(TRIES_KIND, hash, (old = 0) => old + 1);
    if (tries <= CODE_TRIES && (await checkEnrolmentCode(crypto, enrolment, typed))) return typed;
    if (tries < CODE_TRIES) {
      throw new CountersignError('code-wrong', `wrong code: ${triesText(CODE_TRIES - tries)}`, {
        hint: 'read it again on the new device; if it is right, somebody between has swapped its keys: reject it',
      });
    }
    await this.reject(enrolment, 'code-wrong');
    throw new CountersignError('code-wrong', 'wrong code: the device was turned away', {
      hint: 'begin again on the new device; if the code was right, do not trust this broker',
    });
  }

  /** The current epoch's key, both halves. */
  async #epochKey(log: DeviceLog) {
    const opener = await this.#session.sealingKey(log);
    const privateKey = await openEpoch(log.name, log.epoch, await this.#session.kid(), opener);
    return { key: log.epoch.key, privateKey };
  }

  /** Changes the log on its newest head, again where another device was quicker. */
  async #append(change: (signing: Signing) => Promise<void>): Promise<void> {
    const { keys, clock } = this.#session;
    await pRetry(
      async () => change({ signer: keys.signer, log: await this.#session.ownLog(0), now: clock.now() }),
      {
        retries: APPEND_TRIES - 1,
        minTimeout: 20,
        maxTimeout: 200,
        randomize: true,
        shouldRetry: ({ error }) => error instanceof CountersignError && error.code === 'log-conflict',
      },
    );
    await this.#session.ownLog(0);
  }
}
