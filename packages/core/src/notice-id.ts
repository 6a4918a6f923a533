/**
 * The id that a notice of something pending carries, and nothing else with it: it tells who does not know the
 * statement's hash nothing, and lets a device know its own again.
 * @module
 */
import { encodeBase64url } from './base64url.ts';
import type { CryptoProvider } from './crypto-provider.ts';

const LABEL = 'countersign notice 1';
const BYTES = 16;

/** @param hash of a request, or of an enrolment */
export async function noticeId(crypto: CryptoProvider, hash: string): Promise<string> {
  const digest = await crypto.sha256(new TextEncoder().encode(`${LABEL} ${hash}`));
  return encodeBase64url(digest.subarray(0, BYTES));
}
