/**
 * Altering what is inside a statement without signing it again, as a broker could.
 * @module
 */
import { decodeBase64url, encodeBase64url } from '../src/base64url.ts';

// biome-ignore lint/suspicious/noExplicitAny: an attacker keeps to no type
export type Loose = any;

export function payloadOf(jws: string): Loose {
  return JSON.parse(new TextDecoder().decode(decodeBase64url(jws.split('.')[1]!)));
}

/** The statement with a changed payload under its old signature. */
export function tamper(jws: string, change: (payload: Loose) => void): string {
  const payload = payloadOf(jws);
  change(payload);
  const [header, , signature] = jws.split('.');
  return [header, encodeBase64url(new TextEncoder().encode(JSON.stringify(payload))), signature].join('.');
}

/** The text with another first letter. */
export function flipFirst(text: string): string {
  return (text[0] === 'A' ? 'B' : 'A') + text.slice(1);
}
