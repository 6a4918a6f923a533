/**
 * Ed25519 signatures that verify without proving anything, where a library does not refuse points of small order.
 * @module
 */
import { createHash } from 'node:crypto';
import { encodeBase64url, type PublicSigningJwk } from '@countersign/core';

const ORDER = 2n ** 252n + 27742317777372353535851937790883648493n;
/** The neutral element, as RFC 8032 section 5.1.2 writes it. */
const NEUTRAL = Buffer.alloc(32).fill(1, 0, 1);

/** A key of small order; by it, the neutral element and zero sign whatever there is. */
export const WEAK_KEY: PublicSigningJwk = { kty: 'OKP', crv: 'Ed25519', x: encodeBase64url(NEUTRAL) };
export const WEAK_SIGNATURE = encodeBase64url(Buffer.concat([NEUTRAL, Buffer.alloc(32)]));

/** A signature by a good key whose first half is the neutral element: RFC 8032 section 5.1.6 with r = 0. */
export function signWithoutNonce(privateJwk: JsonWebKey, input: string): string {
  const expanded = createHash('sha512').update(Buffer.from(privateJwk.d!, 'base64url')).digest();
  const scalar = (littleEndian(expanded.subarray(0, 32)) & (2n ** 254n - 8n)) | (2n ** 254n);
  const publicKey = Buffer.from(privateJwk.x!, 'base64url');
  const k = littleEndian(createHash('sha512').update(NEUTRAL).update(publicKey).update(input).digest());
  const s = Buffer.from(((k * scalar) % ORDER).toString(16).padStart(64, '0'), 'hex').reverse();
  return encodeBase64url(Buffer.concat([NEUTRAL, s]));
}

function littleEndian(bytes: Uint8Array): bigint {
  return BigInt(`0x${Buffer.from(bytes).reverse().toString('hex')}`);
}
