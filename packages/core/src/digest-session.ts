/**
 * Makes a session of mode `digest`: what a program posts, and what it tells whoever speaks to the customer.
 * @module
 */
import { encodeBase64url } from './base64url.ts';
import type { CryptoProvider, Signer } from './crypto-provider.ts';
import type { DeviceLog } from './device-log.ts';
import { createSession, type NewSession, type SessionPayload } from './mutual-session.ts';
import { createDigest, type SessionDigest } from './session-digest.ts';
import { termsOf } from './session-terms.ts';
import type { Verified } from './statement.ts';

export interface DigestSession {
  readonly statement: Verified<SessionPayload>;
  /** What the link carries. */
  readonly token: string;
  readonly posted: SessionDigest;
  /** What the customer will see; for whoever speaks to them. */
  readonly passcode: string;
}

/**
 * Opens a session of mode `digest`.
 * @param wish with the values that both sides hold, and the origin of the broker
 * @throws `value-invalid`, `session-lifetime`, `statement-malformed`
 */
export async function createDigestSession(
  crypto: CryptoProvider,
  signer: Signer,
  log: Pick<DeviceLog, 'name' | 'identity'>,
  wish: Omit<NewSession, 'drawn'> & { readonly values: readonly string[]; readonly broker: string },
): Promise<DigestSession> {
  const { values, broker, ...about } = wish;
  const drawn = {
    sid: encodeBase64url(crypto.randomBytes(16)),
    salt: encodeBase64url(crypto.randomBytes(16)),
    commitment: '',
  };
  const named = { iss: log.name, iss_id: log.identity, fields: [...wish.fields] };
  const subject = wish.subject === undefined ? {} : { subject: wish.subject };
  const terms = termsOf({ ...drawn, ...named, ...subject }, broker);
  const { posted, passcode } = await createDigest(crypto, terms, values);
  const made = await createSession(crypto, signer, log, {
    ...about,
    drawn: { ...drawn, commitment: posted.commitment },
  });
  return { ...made, posted, passcode };
}
