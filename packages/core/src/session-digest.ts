/**
 * Mutual sessions of mode `digest`, made by a program while nobody is live on the organisation's side. Weaker:
 * the server holds salt and digest, and can try guesses of the values against them, at Argon2id's price. It does
 * not hold the passcode, and cannot show another one than was made without guessing the values.
 * @module
 */
import { decodeBase64url, encodeBase64url } from './base64url.ts';
import { type CryptoProvider, constantTimeEqual } from './crypto-provider.ts';
import { commitNonce, derivePasscode, NONCE_BYTES, openNonce } from './session-passcode.ts';
import { type SessionTerms, sessionChannel } from './session-terms.ts';
import { hardenValues } from './session-values.ts';

const DIGEST_BYTES = 32;
const KEY_BYTES = 32;

/** What the server is given when a session is made. */
export interface SessionDigest {
  /** 32 bytes that whoever types the same values arrives at. */
  readonly digest: string;
  /** To the nonce, and so to the passcode; the customer's page is given it with the terms. */
  readonly commitment: string;
  /** The server gives it to a customer's page that sends the digest, and to nobody before. */
  readonly nonce: string;
}

/** What a customer's page makes of the typed values. */
export interface DigestAnswer {
  /** What is sent. */
  readonly digest: string;
  /**
   * The passcode, from the nonce that the server gives on a match.
   * @throws `session-mismatch` for a nonce that was not committed to; `encoding-invalid`
   */
  open(nonce: string): string;
}

/**
 * Makes a session of mode `digest`.
 * @throws `value-invalid`
 */
export async function createDigest(
  crypto: CryptoProvider,
  terms: SessionTerms,
  typed: readonly string[],
): Promise<{ readonly posted: SessionDigest; readonly passcode: string }> {
  const nonce = crypto.randomBytes(NONCE_BYTES);
  const commitment = commitNonce(terms.session, nonce);
  const { digest, open } = await answerDigest(crypto, terms, commitment, typed);
  const posted = { digest, commitment, nonce: encodeBase64url(nonce) };
  return { posted, passcode: open(posted.nonce) };
}

/**
 * What the customer's page computes: the digest, and how the passcode comes of it.
 * @throws `value-invalid`, `encoding-invalid`
 */
export async function answerDigest(
  crypto: Pick<CryptoProvider, 'argon2id'>,
  terms: SessionTerms,
  commitment: string,
  typed: readonly string[],
): Promise<DigestAnswer> {
  if (terms.mode !== 'digest') throw new TypeError('a session of mode cpace has no digest');
  // the terms and the commitment are under the hash: who is told others arrives at another digest
  const bound = [sessionChannel(terms), decodeBase64url(commitment)];
  const secrets = await hardenValues(crypto, terms, typed, { bound, length: DIGEST_BYTES + KEY_BYTES });
  const key = secrets.slice(DIGEST_BYTES);
  return {
    digest: encodeBase64url(secrets.subarray(0, DIGEST_BYTES)),
    open: (nonce) => derivePasscode(key, openNonce(terms.session, commitment, nonce)),
  };
}

/** Whether the digest that came is the one that is held. */
export function isDigest(held: SessionDigest, digest: string): boolean {
  return constantTimeEqual(decodeBase64url(held.digest), decodeBase64url(digest));
}
