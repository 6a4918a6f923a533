/**
 * Public keys as statements carry them.
 * @module
 */
import * as v from 'valibot';
import { BASE64URL_32_BYTES } from './base64url.ts';

const Coordinate = v.pipe(v.string(), v.regex(BASE64URL_32_BYTES, 'expected 32 bytes in base64url'));

export const PublicSigningKey = v.variant('kty', [
  v.strictObject({ kty: v.literal('OKP'), crv: v.literal('Ed25519'), x: Coordinate }),
  v.strictObject({ kty: v.literal('EC'), crv: v.literal('P-256'), x: Coordinate, y: Coordinate }),
]);

export const PublicSealingKey = v.strictObject({
  kty: v.literal('OKP'),
  crv: v.literal('X25519'),
  x: Coordinate,
});

/** A statement's hash: SHA-256 in base64url. */
export const Hash = v.pipe(v.string(), v.regex(BASE64URL_32_BYTES, 'expected a SHA-256 in base64url'));

/** The fingerprint of a key, as printed. */
export const Kid = v.pipe(
  v.string(),
  v.regex(/^[A-Z2-7]{4}(?:-[A-Z2-7]{4}){6}$/, 'expected a key fingerprint'),
);

/** A whole number from a least one on: at most 2^53 − 1, beyond which readers round (RFC 7493 section 2.2). */
export const wholeFrom = (least: number) =>
  v.pipe(v.number(), v.integer(), v.minValue(least), v.maxValue(Number.MAX_SAFE_INTEGER));

/** An entry of a device log: the newest one that whoever signs knew, or vouches for. */
export const KnownHead = v.strictObject({ seq: wholeFrom(0), hash: Hash });

/** Seconds since 1970 (RFC 7519 NumericDate, whole). */
export const Seconds = v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(4_102_444_800));

/** `enc || ciphertext` of HPKE, in base64url. */
export const SealedBytes = v.pipe(v.string(), v.maxLength(32_768), v.regex(/^[A-Za-z0-9_-]+$/));
