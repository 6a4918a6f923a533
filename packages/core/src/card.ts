/**
 * An organisation's card: what it says of itself, signed by a device of it. All of it is its own word; what others
 * vouch for (its domains, its recommenders) it only names, so that nobody can hang on it what it doesn't claim.
 * @module
 */
import * as v from 'valibot';
import { AccountName } from './account-name.ts';
import type { CryptoProvider, Signer } from './crypto-provider.ts';
import { activeDevice, checkRight, type DeviceLog } from './device-log.ts';
import { DisplayLine } from './display-line.ts';
import { Domain, MAX_DOMAINS } from './domain-proof.ts';
import { CountersignError } from './errors.ts';
import { Hash, Seconds, wholeFrom } from './keys.ts';
import { parseStatement, signStatement, statementKind, type Verified, verifyStatement } from './statement.ts';

export const MAX_RECOMMENDERS = 10;
const MAX_TEAM = 10_000_000;

const unique = (values: string[]) => new Set(values).size === values.length;

export const CardStatement = statementKind(
  'card',
  v.strictObject({
    sub: AccountName,
    sub_id: Hash,
    iat: Seconds,
    /** Counts the cards of an account from 1; the newest holds. */
    seq: wholeFrom(1),
    name: DisplayLine(64),
    description: DisplayLine(256),
    /** ISO 3166-1 alpha-2. */
    country: v.pipe(v.string(), v.regex(/^[A-Z]{2}$/, 'expected a country like DE')),
    /** SHA-256 of a picture: see `picture.ts`. */
    picture: v.optional(Hash),
    /** How many people are behind it, as it says. */
    team: v.optional(v.pipe(wholeFrom(1), v.maxValue(MAX_TEAM))),
    /** Domains that it says are its own. */
    domains: v.optional(
      v.pipe(v.array(Domain), v.maxLength(MAX_DOMAINS), v.check(unique, 'a domain named twice')),
    ),
    /** Identities of the organisations whose recommendation it shows. */
    recommenders: v.optional(
      v.pipe(v.array(Hash), v.maxLength(MAX_RECOMMENDERS), v.check(unique, 'a recommender named twice')),
    ),
  }),
);
export type Card = v.InferOutput<typeof CardStatement.schema>;

export function createCard(
  crypto: CryptoProvider,
  signer: Signer,
  log: Pick<DeviceLog, 'name' | 'identity'>,
  card: Omit<Card, 'sub' | 'sub_id' | 'iat'>,
  now: number,
): Promise<Verified<Card>> {
  const { name: sub, identity: sub_id } = log;
  return signStatement(crypto, CardStatement, signer, { sub, sub_id, iat: now, ...card });
}

/** @throws `account-mismatch`, `device-not-entitled`, `signature-invalid`, and what `activeDevice` throws */
export async function verifyCard(
  crypto: CryptoProvider,
  jws: string,
  log: Pick<DeviceLog, 'name' | 'identity' | 'devices'>,
): Promise<Verified<Card>> {
  const statement = await parseStatement(crypto, CardStatement, jws);
  const { sub, sub_id } = statement.payload;
  if (sub !== log.name || sub_id !== log.identity) {
    throw new CountersignError('account-mismatch', 'a card of another organisation');
  }
  const device = activeDevice(log, statement.kid);
  checkRight(device, 'admit');
  return verifyStatement(crypto, statement, device.sig);
}
