/**
 * Domains of an organisation. Whoever holds a domain names the account that is theirs, in a TXT record or in a
 * well-known file, by the account's link: its identity stands in it, so that the domain proves this account and no
 * other one of that name. The broker looks now and then, and signs what it found: a page in a browser can read neither.
 * @module
 */
import * as v from 'valibot';
import { parseAccountLink } from './account-link.ts';
import { AccountName } from './account-name.ts';
import type { CryptoProvider, PublicSigningJwk, Signer } from './crypto-provider.ts';
import { CountersignError } from './errors.ts';
import { Hash, Seconds } from './keys.ts';
import { Origin } from './origin.ts';
import { CLOCK_SKEW } from './request.ts';
import { parseStatement, signStatement, statementKind, type Verified, verifyStatement } from './statement.ts';

/** Where the TXT records of a domain stand, before its name. */
export const DOMAIN_RECORD = '_countersign';
/** Where its file stands (RFC 8615). */
export const DOMAIN_FILE = '/.well-known/countersign-accounts';
/** A longer file is not read, in bytes. */
export const MAX_DOMAIN_FILE = 8192;
export const MAX_DOMAINS = 5;
/** A proof that was not found again for so long is none, in seconds. */
export const DOMAIN_PROOF_LIFE = 86_400;

/** Names of hosts (RFC 1123 section 2.1) of two labels at least, in small ASCII letters; never an address. */
const DOMAIN = /^(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+(?=[a-z])[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])$/;

export const Domain = v.pipe(
  v.string(),
  // `_countersign.` stands before it.
  v.maxLength(240),
  v.regex(DOMAIN, 'expected a domain like bank.example'),
);

export const DOMAIN_PROOFS = ['dns', 'well-known'] as const;
/** How a domain names its account. */
export type DomainProofKind = (typeof DOMAIN_PROOFS)[number];

/** What a look at a domain found. `refused` is an address that the looker does not call. */
export type DomainOutcome = 'proven' | 'absent' | 'unreachable' | 'refused';

/**
 * Whether a domain names an account.
 * @param texts of its TXT records, or the lines of its file: each an account link; what is none is passed over
 */
export function namesAccount(
  texts: readonly string[],
  { name, identity }: { readonly name: string; readonly identity: string },
): boolean {
  return texts.some((text) => {
    try {
      const link = parseAccountLink(text);
      return link.name === name && link.identity === identity;
    } catch {
      return false;
    }
  });
}

const Proof = v.strictObject({
  domain: Domain,
  by: v.picklist(DOMAIN_PROOFS),
  /** When the broker last found it. */
  at: Seconds,
});
export type DomainProof = v.InferOutput<typeof Proof>;

/** The broker's word for what it found at the domains of an account. */
export const DomainCheckStatement = statementKind(
  'domain-check',
  v.strictObject({
    /** Origin of the broker. */
    iss: Origin,
    sub: AccountName,
    sub_id: Hash,
    iat: Seconds,
    proofs: v.pipe(v.array(Proof), v.maxLength(MAX_DOMAINS * DOMAIN_PROOFS.length)),
  }),
);
export type DomainCheck = v.InferOutput<typeof DomainCheckStatement.schema>;

export function createDomainCheck(
  crypto: CryptoProvider,
  signer: Signer,
  broker: string,
  { name: sub, identity: sub_id }: { readonly name: string; readonly identity: string },
  proofs: readonly DomainProof[],
  now: number,
): Promise<Verified<DomainCheck>> {
  const payload = { iss: broker, sub, sub_id, iat: now, proofs: [...proofs] };
  return signStatement(crypto, DomainCheckStatement, signer, payload);
}

/**
 * Checks a broker's word for the domains of an account.
 * @param claimed what the account says, on its signed card, to be its own: nobody else can give it a domain
 * @param now seconds since 1970
 * @returns the proofs that hold now
 * @throws `domain-check-invalid`, `signature-invalid`, and what reading a statement throws
 */
export async function verifyDomainCheck(
  crypto: CryptoProvider,
  jws: string,
  broker: { readonly origin: string; readonly key: PublicSigningJwk },
  account: { readonly name: string; readonly identity: string },
  claimed: readonly string[],
  now: number,
): Promise<DomainProof[]> {
  const statement = await parseStatement(crypto, DomainCheckStatement, jws);
  const { payload } = await verifyStatement(crypto, statement, broker.key);
  if (payload.iss !== broker.origin) {
    throw new CountersignError('domain-check-invalid', 'a look at domains in the name of another broker');
  }
  if (payload.sub !== account.name || payload.sub_id !== account.identity) {
    throw new CountersignError('domain-check-invalid', 'a look at the domains of another account');
  }
  return payload.proofs.filter(({ domain, at }) => claimed.includes(domain) && isFreshProof(at, now));
}

/** Each domain once, by its newest proof. */
export function provenDomains(proofs: readonly DomainProof[]): Pick<DomainProof, 'domain' | 'at'>[] {
  const newest = new Map<string, number>();
  for (const { domain, at } of proofs) newest.set(domain, Math.max(at, newest.get(domain) ?? 0));
  return [...newest].map(([domain, at]) => ({ domain, at }));
}

/** Whether what was found at a time still counts. Both in seconds since 1970. */
export function isFreshProof(at: number, now: number): boolean {
  return at <= now + CLOCK_SKEW && at > now - DOMAIN_PROOF_LIFE;
}
