/**
 * What an organisation says of itself, and what others say of it: its card, its domains, who recommends it, and counts
 * of what it did here.
 * @module
 */
import {
  CountersignError,
  createDomainCheck,
  type DomainProof,
  decodeBase64url,
  hashPicture,
  isFreshProof,
  parseStatement,
  RECOMMENDATION_LIFE,
  RecommendationStatement,
  verifyCard,
  verifyRecommendation,
} from '@countersign/core';
import { findAccount, findIdentified } from './accounts.ts';
import type { BrokerContext } from './context.ts';
import type { Counts, DomainRow } from './store/profile-store.ts';
import type { AccountRow } from './store/store.ts';
import { checkTime } from './times.ts';

const MAX_WORDS_PER_HOUR = 60;
const MAX_LISTED = 50;

/**
 * Publishes an organisation's card.
 * @param picture a PNG in base64url, where the card names another one than before
 */
export async function publishCard(
  context: BrokerContext,
  name: string,
  jws: string,
  picture?: string,
): Promise<void> {
  const { crypto, store, now, domainChecks } = context;
  const account = await findAccount(context, name);
  const { payload } = await verifyCard(crypto, jws, account);
  checkTime(context, payload.iat);
  const bytes = picture === undefined ? undefined : decodeBase64url(picture);
  if (bytes !== undefined && (await hashPicture(crypto, bytes)) !== payload.picture) {
    throw new CountersignError('picture-invalid', 'the card names another picture than came with it');
  }
  const { seq, picture: hash } = payload;
  const shown = hash === undefined ? {} : { picture: bytes === undefined ? { hash } : { hash, bytes } };
  const card = { accountId: account.id, seq, jws, ...shown, domains: payload.domains ?? [] };
  await store.saveCard(card, now());
  domainChecks.wake();
}

interface CardParts {
  readonly card?: string;
  readonly domain_check?: string;
}

/** A card as it was signed, and the broker's word for the domains that it claims. */
export async function readCard(context: BrokerContext, account: AccountRow): Promise<CardParts> {
  const { store, crypto, signer, origins, now } = context;
  const card = await store.readCard(account.id);
  if (card === undefined) return {};
  const proofs = standingProofs(await store.listDomains(account.id), now());
  if (proofs.length === 0) return { card };
  const { jws } = await createDomainCheck(crypto, signer, origins[0], account, proofs, now());
  return { card, domain_check: jws };
}

function standingProofs(rows: readonly DomainRow[], now: number): DomainProof[] {
  return rows.flatMap(({ domain, by, provenAt: at }) =>
    at !== undefined && isFreshProof(at, now) ? [{ domain, by, at }] : [],
  );
}

/** What anybody may read of an organisation, and of other accounts little. */
export async function readProfile(
  context: BrokerContext,
  name: string,
): Promise<CardParts & { recommendations: string[]; counts?: Counts }> {
  const account = await findAccount(context, name);
  const [card, recommendations] = await Promise.all([
    readCard(context, account),
    listRecommendations(context, { subjectId: account.id }),
  ]);
  // Whoever has published no card is no organisation: what people do is nobody's business.
  if (card.card === undefined) return { recommendations };
  return { ...card, recommendations, counts: await readCounts(context, account.id) };
}

export function listRecommendations(
  { store, now }: BrokerContext,
  of: { readonly subjectId: number } | { readonly issuerId: number },
): Promise<string[]> {
  return store.listRecommendations(of, now() - RECOMMENDATION_LIFE, MAX_LISTED);
}

/** Keeps one organisation's word for another. */
export async function recommend(context: BrokerContext, jws: string): Promise<void> {
  const { crypto, store, now } = context;
  const { payload: said } = await parseStatement(crypto, RecommendationStatement, jws);
  const issuer = await findIdentified(context, said.iss, said.iss_id);
  const subject = await findIdentified(context, said.sub, said.sub_id);
  const { head } = issuer;
  if (said.head.hash !== head.hash) {
    throw new CountersignError('log-conflict', 'the device log has grown since you read it', {
      hint: 'read it again, and repeat',
    });
  }
  if (issuer.id === subject.id) {
    throw new CountersignError('input-invalid', 'nobody recommends themselves');
  }
  const { payload, hash } = await verifyRecommendation(crypto, jws, issuer, () => head.hash, subject);
  checkTime(context, payload.iat);
  const { seq, recommends, iat } = payload;
  const word = { hash, issuerId: issuer.id, subjectId: subject.id, seq, recommends, iat, jws };
  await store.saveRecommendation(word, now(), MAX_WORDS_PER_HOUR);
}

/** Counting walks over all that an account did: it is done once a minute at most. */
async function readCounts({ store, counts }: BrokerContext, accountId: number): Promise<Counts> {
  const known = counts.get(accountId);
  if (known !== undefined) return known;
  const fresh = await store.readCounts(accountId);
  counts.set(accountId, fresh);
  return fresh;
}
