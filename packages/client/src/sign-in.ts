/**
 * Signing in to an organisation's console by confirm: a browser makes a key, asks the member's account for a seat, and
 * verifies the yes itself before it hands it on.
 * @module
 */
import {
  CancelStatement,
  CountersignError,
  type CryptoProvider,
  createSeatRequest,
  generatePasscode,
  judgeSignIn,
  keyFingerprint,
  parseRequest,
  type Role,
  type Seat,
  type SeatLanguage,
  SIGN_IN_LIFE,
  signStatement,
  statementId,
  verifySeat,
} from '@countersign/core';
import { generateOpener, generateSigner } from '@countersign/core/webcrypto';
import { AccountBook } from './account-book.ts';
import { BrokerApi } from './broker-api.ts';
import type { Clock } from './clock.ts';
import type { DeviceKeys } from './key-store.ts';
import { waitForState } from './long-poll.ts';
import { readMembers } from './members.ts';
import type { Session } from './session.ts';
import type { StateStore } from './state-store.ts';

/** Age of a log by which a seat is judged afterwards, in seconds. */
const LOG_AGE = 3600;

export interface SignInOptions {
  /** Origin of the broker. */
  readonly broker: string;
  /** The organisation's account, and its identity, where a link told it. */
  readonly organisation: string;
  readonly identity?: string | undefined;
  /** The member's own account. */
  readonly member: string;
  readonly language: SeatLanguage;
  readonly state: StateStore;
  readonly crypto: CryptoProvider;
  readonly clock: Clock;
}

/** Only `accepted` lets in; the keys are the browser's, as a key store keeps them. */
export type SignInOutcome =
  | { readonly outcome: 'accepted'; readonly seat: Seat; readonly keys: DeviceKeys }
  | { readonly outcome: 'rejected' | 'fraud' | 'passcode-failed' }
  /** By the broker's word. */
  | { readonly outcome: 'expired' | 'refused' };

export interface SignIn {
  /** Six digits to be shown: the member types them on their device. */
  readonly passcode: string;
  /** Fingerprint of the browser's key, which the member's device shows. */
  readonly kid: string;
  /** The question's id, as the member's device shows it. */
  readonly id: string;
  readonly role: Role;
  /** Seconds since 1970. */
  readonly expiresAt: number;
  /**
   * Waits for the answer, verifies it, and has the broker take the seat.
   * @throws what `judgeSignIn` throws of an answer that is not good; `seat-over` where the role is gone meanwhile
   */
  wait(signal?: AbortSignal): Promise<SignInOutcome>;
  /** Takes the question back. */
  cancel(): Promise<void>;
}

/**
 * Asks a member's account for a seat.
 * @throws `account-unknown`, `account-changed`, `not-permitted` for who is no member, `contact-held`, `too-often`,
 *   `too-many-pending`, and what reading the organisation's log and its members throws
 */
export async function beginSignIn(options: SignInOptions): Promise<SignIn> {
  const { broker, member: name, language, crypto, state, clock } = options;
  const api = new BrokerApi(broker);
  const book = new AccountBook(api, crypto, state, clock);
  const { log: organisation } = await book.find(options.organisation, 0, options.identity);
  const { members } = await readMembers({ api, crypto, state }, organisation);
  const member = [...members.values()].find((one) => one.name === name);
  if (member === undefined) {
    throw new CountersignError('not-permitted', `${name} is no member of ${organisation.name}`, {
      hint: 'an owner adds members in the console, under Members',
    });
  }
  const [signer, opener] = [await generateSigner('EdDSA'), await generateOpener()];
  const passcode = generatePasscode(crypto);
  const started = clock.monotonic();
  const { statement } = await createSeatRequest(crypto, {
    signer,
    organisation,
    member,
    role: member.role,
    language,
    passcode,
    broker,
    now: clock.now(),
  });
  await api.postRequest(statement.jws);

  const judge = async (response: string): Promise<SignInOutcome> => {
    const evidence = { request: statement.jws, response };
    // Read anew: a device that was lost a minute ago lets nobody in.
    const { log } = await book.find(name, 0, member.identity);
    const { decision, seat } = await judgeSignIn(crypto, evidence, organisation, log);
    if (decision !== 'accept') return { outcome: decision === 'reject' ? 'rejected' : decision };
    await api.postSeat(organisation.name, evidence);
    const { name: of, identity } = organisation;
    return { outcome: 'accepted', seat, keys: { name: of, identity, broker, signer, opener } };
  };
  return {
    passcode,
    kid: await keyFingerprint(crypto, signer.publicKey),
    id: await statementId(crypto, statement.hash),
    role: member.role,
    expiresAt: statement.payload.exp,
    async wait(signal) {
      const left = started + SIGN_IN_LIFE * 1000 - clock.monotonic();
      const settled = await waitForState({ api, clock }, statement.hash, left, signal);
      if (settled?.state === 'answered' && settled.response !== undefined) return judge(settled.response);
      return { outcome: settled?.state === 'refused' ? 'refused' : 'expired' };
    },
    async cancel() {
      const payload = { req: statement.hash, iat: clock.now() };
      const { jws } = await signStatement(crypto, CancelStatement, signer, payload);
      await api.postCancel(statement.hash, jws);
    },
  };
}

interface Judging extends Pick<Session, 'api' | 'book' | 'crypto'> {
  /** The organisation. */
  readonly keys: Pick<DeviceKeys, 'name' | 'identity'>;
}

/**
 * A seat of an organisation that the broker names, verified by its proof.
 * @throws `seat-invalid`, and what reading the member's log and `verifySeat` throw
 */
export async function readSeat({ api, book, crypto, keys }: Judging, hash: string): Promise<Seat> {
  const evidence = await api.readSeat(hash);
  const { payload } = await parseRequest(crypto, evidence.request);
  const { log } = await book.find(payload.sub, LOG_AGE, payload.sub_id);
  const seat = await verifySeat(crypto, evidence, keys, log);
  if (seat.hash !== hash) throw new CountersignError('seat-invalid', 'the broker shows another seat');
  return seat;
}
