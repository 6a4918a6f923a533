/**
 * How a host and its validators find each other at a relay: spec/relay.md. The place is named by a hash of what the host
 * alone knows, so that whoever is told the place can come to it, and cannot wait there in the host's stead.
 * @module
 */
import { decodeBase64url, encodeBase64url } from './base64url.ts';
import type { CryptoProvider } from './crypto-provider.ts';
import { CountersignError } from './errors.ts';
import { lvCat } from './length-value.ts';

export const RELAY_PATH = '/v1/relay/';
/** Subprotocols of its WebSockets (RFC 6455 section 1.9): whoever comes, and whoever waits. */
export const RELAY_PROTOCOL = 'countersign.relay.v1';
const SECRET_PREFIX = 'relay-secret.';
export const RELAY_SECRET_BYTES = 32;
const PLACE_BYTES = 16;

/** The name of a place: 16 bytes in base64url. */
export async function relayPlace(
  crypto: Pick<CryptoProvider, 'sha256'>,
  secret: Uint8Array,
): Promise<string> {
  const hash = await crypto.sha256(lvCat('countersign relay place 1', secret));
  return encodeBase64url(hash.slice(0, PLACE_BYTES));
}

/** What whoever waits says, as a subprotocol: it stands in no address, and in no log. */
export function relaySecretProtocol(secret: Uint8Array): string {
  return SECRET_PREFIX + encodeBase64url(secret);
}

/** The secret among the subprotocols that a connection offers, if there is one. @throws `input-invalid` */
export function relaySecretIn(offered: readonly string[]): Uint8Array | undefined {
  const said = offered.find((one) => one.startsWith(SECRET_PREFIX))?.slice(SECRET_PREFIX.length);
  if (said === undefined) return undefined;
  const secret = decodeBase64url(said);
  if (secret.length === RELAY_SECRET_BYTES) return secret;
  throw new CountersignError('input-invalid', 'a relay’s secret has 32 bytes');
}
