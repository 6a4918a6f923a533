/**
 * Ed25519 signatures that verify without proving anything, where a library does not refuse points of small order.
 * @module
 */
import { createHash } from 'node:crypto';
import { encodeBase64url, type PublicSigningJwk } from '@countersign/core';
import { ed25519 } from '@noble/curves/ed25519.js';

const ORDER = 2n ** 252n + 27742317777372353535851937790883648493n;
/** The neutral element, as RFC 8032 section 5.1.2 writes it. */
const NEUTRAL = Buffer.alloc(32).fill(1, 0, 1);

/** A key of small order; by it, the neutral element and zero sign whatever there is. */
export const WEAK_KEY: PublicSigningJwk = { kty: 'OKP', crv: 'Ed25519', x: encodeBase64url(NEUTRAL) };
export const WEAK_SIGNATURE = encodeBase64url(Buffer.concat([NEUTRAL, Buffer.alloc(32)]));

/** A signature by a good key whose first half is the neutral element: RFC 8032 section 5.1.6 with r = 0. */
export function signWithoutNonce(privateJwk: JsonWebKey, input: string): string {
  return sign(secretScalar(privateJwk), privateJwk.x!, 0n, NEUTRAL, input);
}

/** A good key, and a point of order 8 added to it. */
export function mixedKey(publicKey: PublicSigningJwk): PublicSigningJwk {
  const mixed = ed25519.Point.fromBytes(Buffer.from(publicKey.x, 'base64url')).add(
    ed25519.Point.fromHex('c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a'),
  );
  return { kty: 'OKP', crv: 'Ed25519', x: encodeBase64url(mixed.toBytes()) };
}

/** A signature by a mixed key that is good where eight times both sides are compared, and only there. */
export function signMixed(privateJwk: JsonWebKey, mixed: PublicSigningJwk, input: string): string {
  for (let r = 1n; ; r++) {
    const point = ed25519.Point.BASE.multiply(r).toBytes();
    // Where 8 divides it, the added point is gone from the equation.
    if (challenge(point, mixed.x, input) % 8n === 0n) continue;
    return sign(secretScalar(privateJwk), mixed.x, r, point, input);
  }
}

function sign(secret: bigint, publicKey: string, r: bigint, point: Uint8Array, input: string): string {
  const s = (r + challenge(point, publicKey, input) * secret) % ORDER;
  const bytes = Buffer.from(s.toString(16).padStart(64, '0'), 'hex').reverse();
  return encodeBase64url(Buffer.concat([point, bytes]));
}

function challenge(point: Uint8Array, publicKey: string, input: string): bigint {
  const key = Buffer.from(publicKey, 'base64url');
  return littleEndian(createHash('sha512').update(point).update(key).update(input).digest());
}

function secretScalar({ d }: JsonWebKey): bigint {
  const expanded = createHash('sha512').update(Buffer.from(d!, 'base64url')).digest();
  return (littleEndian(expanded.subarray(0, 32)) & (2n ** 254n - 8n)) | (2n ** 254n);
}

function littleEndian(bytes: Uint8Array): bigint {
  return BigInt(`0x${Buffer.from(bytes).reverse().toString('hex')}`);
}
