/**
 * What is known of an organisation: its card by its own signature, its domains by the broker's, its recommenders each
 * by their own. What can't be had or isn't good is left out: nothing of a profile is a reason to stop.
 * @module
 */
import {
  type Card,
  CountersignError,
  type CryptoProvider,
  createRecommendation,
  type DeviceLog,
  type DomainProof,
  decodeBase64url,
  hashPicture,
  parseStatement,
  type Recommendation,
  RecommendationStatement,
  recommendsAt,
  verifyCard,
  verifyDomainCheck,
  verifyRecommendation,
} from '@countersign/core';
import type { AccountBook } from './account-book.ts';
import type { BrokerApi } from './broker-api.ts';
import type { Clock } from './clock.ts';
import type { Session } from './session.ts';
import type { WireCard, WireProfile } from './wire.ts';

/** Age of the logs by which a profile is judged, in seconds. */
const LOG_AGE = 3600;
/** The clocks of two honest machines, in seconds. */
const SKEW = 60;

interface Around {
  readonly api: BrokerApi;
  readonly book: AccountBook;
  readonly crypto: CryptoProvider;
  readonly clock: Clock;
}

/** A card that is good, and the domains that were found to be the organisation's within the last day. */
export interface KnownCard {
  readonly card: Card;
  /** By the broker's word: nobody else looked. */
  readonly domains: readonly DomainProof[];
}

/**
 * An organisation's card.
 * @returns nothing where there is none
 * @throws what reading the organisation's log and a bad card throw
 */
export async function readCard(
  around: Around,
  name: string,
  identity?: string,
): Promise<KnownCard | undefined> {
  const parts = await around.api.readCard(name);
  if (parts.card === undefined) return undefined;
  const { log } = await around.book.find(name, LOG_AGE, identity);
  return checkCard(around, parts, log);
}

async function checkCard(
  { api, book, crypto, clock }: Around,
  { card: jws, domain_check }: WireCard,
  log: DeviceLog,
): Promise<KnownCard | undefined> {
  if (jws === undefined) return undefined;
  const { payload: card } = await verifyCard(crypto, jws, log);
  if (card.iat > clock.now() + SKEW) return undefined;
  if (domain_check === undefined || card.domains === undefined) return { card, domains: [] };
  const broker = { origin: api.origin, key: await book.brokerKey() };
  try {
    const checking = verifyDomainCheck(crypto, domain_check, broker, log, card.domains, clock.now());
    return { card, domains: await checking };
  } catch (error) {
    if (error instanceof CountersignError) return { card, domains: [] };
    throw error;
  }
}

export interface Organisation {
  readonly log: DeviceLog;
  readonly known: KnownCard | undefined;
  /** Those that the organisation shows, each checked by its own log. */
  readonly recommendations: readonly Recommendation[];
  /** All that stand, for the organisation to choose from. */
  readonly offered: readonly Recommendation[];
  /** The broker's word. */
  readonly counts: WireProfile['counts'];
}

/**
 * All that is known of an organisation.
 * @throws `account-unknown`, `broker-unreachable`, and what reading the organisation's log and a bad card throw
 */
export async function readOrganisation(
  around: Around,
  name: string,
  identity?: string,
): Promise<Organisation> {
  const { log } = await around.book.find(name, LOG_AGE, identity);
  const profile = await around.api.readProfile(name);
  const known = await checkCard(around, profile, log);
  const checked = await Promise.all(profile.recommendations.map((jws) => readWord(around, jws, log)));
  const offered = checked.filter((word) => word !== undefined);
  const shown = new Set(known?.card.recommenders);
  return {
    log,
    known,
    offered,
    recommendations: offered.filter(({ iss_id }) => shown.has(iss_id)),
    counts: profile.counts,
  };
}

async function readWord(
  { book, crypto, clock }: Around,
  jws: string,
  subject: DeviceLog,
): Promise<Recommendation | undefined> {
  try {
    const { payload: said } = await parseStatement(crypto, RecommendationStatement, jws);
    const { log } = await book.find(said.iss, LOG_AGE, said.iss_id);
    const { payload } = await verifyRecommendation(crypto, jws, log, (seq) => log.hashes[seq], subject);
    return recommendsAt(payload, clock.now()) ? payload : undefined;
  } catch (error) {
    if (error instanceof CountersignError) return undefined;
    throw error;
  }
}

/**
 * Says a word for another organisation, or takes it back.
 * @throws `account-unknown`, `device-not-entitled`, `recommendation-conflict`, `too-often`
 */
export async function recommend(
  session: Session,
  name: string,
  { recommends, text }: Pick<Recommendation, 'recommends' | 'text'>,
): Promise<void> {
  const { api, book, crypto, keys, clock } = session;
  const { log: subject } = await book.find(name, LOG_AGE);
  const jws = await api.readRecommended(keys.signer, keys.name, name);
  const seq =
    jws === undefined ? 1 : (await parseStatement(crypto, RecommendationStatement, jws)).payload.seq + 1;
  const word = { seq, recommends, ...(text === undefined ? {} : { text }) };
  const log = await session.ownLog(0);
  const made = await createRecommendation(crypto, keys.signer, log, subject, word, clock.now());
  await api.postRecommendation(made.jws);
}

/** The picture that a card names, in base64url. @returns nothing where the broker has another, or none */
export async function readPicture(
  { api, crypto }: Pick<Around, 'api' | 'crypto'>,
  { sub, picture }: Card,
): Promise<string | undefined> {
  if (picture === undefined) return undefined;
  try {
    const text = await api.readPicture(sub);
    if (text === undefined) return undefined;
    return (await hashPicture(crypto, decodeBase64url(text))) === picture ? text : undefined;
  } catch (error) {
    if (error instanceof CountersignError) return undefined;
    throw error;
  }
}
