/**
 * For a new device: to come before an account's door, to wait there, and to go in.
 * @module
 */
import {
  ChallengeStatement,
  CountersignError,
  type CryptoProvider,
  createEnrolment,
  type DeviceLink,
  DeviceStatement,
  drawCode,
  ENROLMENT_LIFE,
  EnrolmentCompleteStatement,
  type ErrorCode,
  openEpoch,
  openRoomShare,
  parseStatement,
  pinTicket,
  type SignatureAlgorithm,
  signStatement,
  verifyEnrolmentAccept,
} from '@countersign/core';
import { generateOpener, generateSigner } from '@countersign/core/webcrypto';
import { AccountBook } from './account-book.ts';
import { answerLost, isAnswerLost } from './answer-lost.ts';
import { BrokerApi } from './broker-api.ts';
import type { Clock } from './clock.ts';
import type { DeviceKeys, KeyStore } from './key-store.ts';
import { Rooms } from './rooms.ts';
import { Session } from './session.ts';
import type { StateStore } from './state-store.ts';
import { ENROLMENT_KIND, type WaitingDevice } from './waiting-device.ts';
import type { WireEnrolment } from './wire.ts';

export interface NewDeviceOptions {
  /** What the account gave: where it is, and the PIN. Without an identity, the broker's word is believed. */
  readonly link: Omit<DeviceLink, 'identity'> & { readonly identity?: string };
  /** How the person will know this device, say `alice’s phone`. */
  readonly deviceName: string;
  /** What it is, for the person to recognise: `Pixel 9`, `Debian GNU/Linux 12`. */
  readonly model: string;
  readonly os: string;
  readonly algorithm?: SignatureAlgorithm;
  readonly keyStore: KeyStore;
  readonly state: StateStore;
  readonly crypto: CryptoProvider;
  readonly clock: Clock;
}

export type Enrolled =
  | { readonly outcome: 'waiting' | 'expired' | 'rejected' }
  /** It is in, and its rights are in the log. */
  | { readonly outcome: 'complete' };

/** What a waiting device remembers. */
interface Kept extends WaitingDevice {
  readonly deviceHash: string;
  /** The code, or the PIN. */
  readonly secret: string;
  /** What was posted, until the broker has answered. */
  readonly unanswered?: { readonly enrolment: string; readonly ticket: string };
}
type Unanswered = Kept & Required<Pick<Kept, 'unanswered'>>;

/** What a request that never arrived is refused for when it comes too late. */
const TOO_LATE: ReadonlySet<ErrorCode> = new Set(['challenge-invalid', 'enrolment-expired']);

/**
 * Makes a device's keys, and brings it before the door. The keys and the request are kept before the broker hears
 * of them, and until it has refused them; called again with the same PIN, it goes on where the answer was lost.
 * @throws `pin-wrong`, `pin-used`, `pin-expired`, `pin-cancelled`, `too-many-enrolments`, `account-unknown`,
 *   `account-changed`, `profile-exists`, `broker-unreachable`
 */
export async function requestEnrolment(options: NewDeviceOptions): Promise<WaitingDevice> {
  const api = new BrokerApi(options.link.broker);
  const before = await begun(options);
  if (before !== undefined) {
    try {
      const { waiting, state } = await post(api, options, before);
      if (state !== 'expired' && state !== 'rejected') return waiting;
      await giveUp(options.keyStore, options.state, before.account.identity);
    } catch (error) {
      if (!(error instanceof CountersignError) || !TOO_LATE.has(error.code)) throw error;
    }
  }
  return (await post(api, options, await begin(api, options))).waiting;
}

/** Where an answer was lost: the request of that time, if it was by the same PIN. */
async function begun({ link, keyStore, state, crypto }: NewDeviceOptions): Promise<Unanswered | undefined> {
  for (const [identity, kept] of await state.list<Kept>(ENROLMENT_KIND)) {
    if (!isUnanswered(kept) || kept.account.name !== link.name) continue;
    const keys = await keyStore.load();
    if (keys?.identity !== identity || keys.broker !== link.broker) continue;
    const { ticket } = kept.unanswered;
    if (ticket === (await pinTicket(crypto, link.pin)) && (link.identity ?? identity) === identity)
      return kept;
    await giveUp(keyStore, state, identity);
  }
  return undefined;
}

function isUnanswered(kept: Kept): kept is Unanswered {
  return kept.unanswered !== undefined;
}

async function begin(api: BrokerApi, options: NewDeviceOptions): Promise<Unanswered> {
  const { link, deviceName, algorithm = 'EdDSA', keyStore, state, crypto, clock } = options;
  const { name, broker, pin, use } = link;
  const book = new AccountBook(api, crypto, state, clock);
  const { log } =
    link.identity === undefined ? await book.find(name, 60) : await book.bind(name, link.identity, 'own');
  const { challenge } = await api.challenge(name);
  const signer = await generateSigner(algorithm, { extractable: keyStore.exports });
  const opener = await generateOpener({ extractable: keyStore.exports });
  const secret = use === 'admit' ? pin : drawCode(crypto);
  const { model, os } = options;
  const device = { signer, enc: opener.publicKey, name: deviceName, model, os, code: secret };
  const enrolment = await createEnrolment(crypto, log, { ...device, challenge, now: clock.now() });
  const own = await parseStatement(crypto, DeviceStatement, enrolment.payload.device);
  const { address, iat } = (await parseStatement(crypto, ChallengeStatement, challenge)).payload;
  const kept: Unanswered = {
    facts: {
      hash: enrolment.hash,
      kid: own.kid,
      name: deviceName,
      model,
      os,
      address,
      askedAt: iat,
      expiresAt: iat + ENROLMENT_LIFE,
    },
    account: { name, identity: log.identity },
    ...(use === 'admit' ? {} : { code: secret }),
    deviceHash: own.hash,
    secret,
    unanswered: { enrolment: enrolment.jws, ticket: await pinTicket(crypto, pin) },
  };
  const keys: DeviceKeys = { name, identity: log.identity, broker, signer, opener };
  await keyStore.save(keys);
  try {
    await state.update<Kept>(ENROLMENT_KIND, log.identity, () => kept);
  } catch (error) {
    await giveUp(keyStore, state, log.identity);
    throw error;
  }
  return kept;
}

/** The same again is one enrolment; refused, the device forgets its keys. */
async function post(
  api: BrokerApi,
  { keyStore, state }: Pick<NewDeviceOptions, 'keyStore' | 'state'>,
  kept: Unanswered,
): Promise<{ waiting: WaitingDevice; state: WireEnrolment['state'] }> {
  const { unanswered, ...waiting } = kept;
  const { name, identity } = kept.account;
  let posted: WireEnrolment;
  try {
    posted = await api.postEnrolment(name, unanswered.enrolment, unanswered.ticket);
  } catch (cause) {
    if (!(cause instanceof CountersignError)) throw cause;
    if (isAnswerLost(cause)) {
      throw answerLost(cause, 'the request may have arrived: its keys are kept; do the same again to go on');
    }
    await giveUp(keyStore, state, identity);
    throw cause;
  }
  await state.update<Kept>(ENROLMENT_KIND, identity, () => waiting);
  return { waiting, state: posted.state };
}

/**
 * Asks what has been decided, and goes in where it was accepted: checks that whoever let it in is of the account
 * and knows the code, opens what was sealed to it, and signs so. Turned away, it forgets its keys.
 * @param wait seconds to wait for a decision; 0 not to
 * @throws `enrolment-unknown` where this device does not wait; what `requestEnrolment` throws, where its answer was
 *   lost; `enrolment-mismatch` and all that reading the log throws where the account was swapped
 */
export async function completeEnrolment(
  options: { keyStore: KeyStore; state: StateStore; crypto: CryptoProvider; clock: Clock },
  wait = 0,
  signal?: AbortSignal,
): Promise<Enrolled> {
  const { keyStore, state } = options;
  const keys = await keyStore.load();
  const kept = keys && (await state.get<Kept>(ENROLMENT_KIND, keys.identity));
  if (keys === undefined || kept === undefined) {
    throw new CountersignError('enrolment-unknown', 'this device does not wait before any account’s door');
  }
  const session = new Session({ ...options, keys });
  if (isUnanswered(kept)) await post(session.api, options, kept);
  const decided = await decision(session, kept, wait, signal);
  switch (decided.state) {
    case 'waiting':
      return { outcome: 'waiting' };
    case 'expired':
    case 'rejected':
      await giveUp(keyStore, state, keys.identity);
      return { outcome: decided.state };
    default:
      await goIn(session, kept, decided);
      return { outcome: 'complete' };
  }
}

async function decision(
  { api, keys, clock }: Session,
  { facts: { hash, expiresAt } }: Kept,
  wait: number,
  signal?: AbortSignal,
): Promise<WireEnrolment> {
  const end = clock.monotonic() + wait * 1000;
  for (;;) {
    const left = Math.ceil((end - clock.monotonic()) / 1000);
    const poll = Math.max(0, Math.min(left, 30, expiresAt - clock.now() + 1));
    const row = await api.readEnrolment(keys.signer, keys.name, hash, poll, signal);
    if (row.state !== 'waiting' || left <= 0) return row;
  }
}

async function goIn(session: Session, kept: Kept, { state, statement, share }: WireEnrolment): Promise<void> {
  const { api, crypto, keys, clock } = session;
  const { hash: enrolment, kid } = kept.facts;
  const log = await session.ownLog(0);
  if (state === 'accepted') {
    const own = { kid, enrolment, deviceHash: kept.deviceHash, code: kept.secret };
    await verifyEnrolmentAccept(crypto, statement ?? '', log, own);
    await openEpoch(log.name, log.epoch, kid, keys.opener);
    if (share !== undefined) {
      await new Rooms(session).keep(await openRoomShare(crypto, share, log, kid, keys.opener));
    }
    const payload = { sub_id: log.identity, enrolment, iat: clock.now() };
    const complete = await signStatement(crypto, EnrolmentCompleteStatement, keys.signer, payload);
    await api.settleEnrolment(log.name, enrolment, 'complete', complete.jws);
  }
  await session.state.delete(ENROLMENT_KIND, keys.identity);
}

async function giveUp(keyStore: KeyStore, state: StateStore, identity: string): Promise<void> {
  await keyStore.discard();
  await state.delete(ENROLMENT_KIND, identity);
}
