/**
 * One organisation's signed word for another: it recommends it, or does so no longer. The one that is recommended
 * chooses on its card whose word it shows, so that nobody's praise is forced on it.
 * @module
 */
import * as v from 'valibot';
import { AccountName } from './account-name.ts';
import type { CryptoProvider, Signer } from './crypto-provider.ts';
import { checkKnownHead, checkRight, checkWordsStand, type DeviceLog, deviceAt } from './device-log.ts';
import { DisplayLine } from './display-line.ts';
import { CountersignError } from './errors.ts';
import { Hash, KnownHead, Seconds, wholeFrom } from './keys.ts';
import { CLOCK_SKEW } from './request.ts';
import { parseStatement, signStatement, statementKind, type Verified, verifyStatement } from './statement.ts';

/** A recommendation ends by itself, so that one that was taken back can't be shown for ever: in seconds. */
export const RECOMMENDATION_LIFE = 366 * 86_400;

export const RecommendationStatement = statementKind(
  'recommendation',
  v.strictObject({
    /** Who recommends. */
    iss: AccountName,
    iss_id: Hash,
    /** Its log as the signing device knew it. */
    head: KnownHead,
    /** Who is recommended. */
    sub: AccountName,
    sub_id: Hash,
    iat: Seconds,
    /** Counts the words of the one for the other from 1; the newest holds. */
    seq: wholeFrom(1),
    /** False takes back what was said before. */
    recommends: v.boolean(),
    text: v.optional(DisplayLine(256)),
  }),
);
export type Recommendation = v.InferOutput<typeof RecommendationStatement.schema>;

interface Party {
  readonly name: string;
  readonly identity: string;
}

export function createRecommendation(
  crypto: CryptoProvider,
  signer: Signer,
  log: Pick<DeviceLog, 'name' | 'identity' | 'head'>,
  subject: Party,
  word: Pick<Recommendation, 'seq' | 'recommends' | 'text'>,
  now: number,
): Promise<Verified<Recommendation>> {
  return signStatement(crypto, RecommendationStatement, signer, {
    iss: log.name,
    iss_id: log.identity,
    head: { seq: log.head.seq, hash: log.head.hash },
    sub: subject.name,
    sub_id: subject.identity,
    iat: now,
    ...word,
  });
}

/**
 * Checks a recommendation by the log of who gave it: by a device that might admit others at the head that it knew.
 * A device that was lost or undone, or is frozen, takes its word with it; one that was retired does not.
 * @param hashAt hash of the log's entry of a number, if there is one
 * @throws `account-mismatch`, `device-not-entitled`, `device-unknown`, `device-revoked`, `device-frozen`,
 *   `log-rollback`, `log-fork`, `signature-invalid`, and what `parseStatement` throws
 */
export async function verifyRecommendation(
  crypto: CryptoProvider,
  jws: string,
  issuer: Pick<DeviceLog, 'name' | 'identity' | 'devices'>,
  hashAt: (seq: number) => string | undefined,
  subject: Party,
): Promise<Verified<Recommendation>> {
  const statement = await parseStatement(crypto, RecommendationStatement, jws);
  const { iss, iss_id, sub, sub_id, head } = statement.payload;
  if (iss !== issuer.name || iss_id !== issuer.identity) {
    throw new CountersignError('account-mismatch', 'a recommendation by another organisation');
  }
  if (sub !== subject.name || sub_id !== subject.identity) {
    throw new CountersignError('account-mismatch', 'a recommendation of another organisation');
  }
  checkKnownHead(head, hashAt);
  const device = deviceAt(issuer, statement.kid, head.seq);
  checkRight(device, 'admit');
  checkWordsStand(issuer, device);
  return verifyStatement(crypto, statement, device.sig);
}

/** Whether it stands at a time, in seconds since 1970. */
export function recommendsAt({ recommends, iat }: Recommendation, now: number): boolean {
  return recommends && iat <= now + CLOCK_SKEW && iat > now - RECOMMENDATION_LIFE;
}
