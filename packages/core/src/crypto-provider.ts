/**
 * The primitives that the core needs, as a parameter: sodium in the broker's hot path, WebCrypto elsewhere.
 * One suite runs over every provider. Private keys never appear here as bytes, but for the two `export`
 * functions that a key store needs, and which a key made non-extractable refuses.
 * @module
 */

export type SignatureAlgorithm = 'EdDSA' | 'ES256';

/** Public signing key: Ed25519 (RFC 8037 section 2) or P-256 (RFC 7518 section 6.2). */
export type PublicSigningJwk =
  | { kty: 'OKP'; crv: 'Ed25519'; x: string }
  | { kty: 'EC'; crv: 'P-256'; x: string; y: string };

/** Public sealing key: X25519 (RFC 8037 section 2). */
export type PublicSealingJwk = { kty: 'OKP'; crv: 'X25519'; x: string };

/** A private signing key, wherever it lives. Signatures are 64 bytes: RFC 8032, or r and s (RFC 7518 3.4). */
export interface Signer {
  readonly algorithm: SignatureAlgorithm;
  readonly publicKey: PublicSigningJwk;
  sign(data: Uint8Array): Promise<Uint8Array>;
}

/** A private sealing key, wherever it lives. */
export interface Opener {
  readonly publicKey: PublicSealingJwk;
  /**
   * Opens `enc || ciphertext` of HPKE base mode (RFC 9180 section 6.1).
   * @throws `seal-broken`
   */
  open(sealed: Uint8Array, info: Uint8Array, aad: Uint8Array): Promise<Uint8Array<ArrayBuffer>>;
}

export interface Argon2Parameters {
  /** Memory in KiB. */
  memory: number;
  passes: number;
  lanes: number;
  salt: Uint8Array;
  /** Length of the output in bytes. */
  length: number;
}

export interface CryptoProvider {
  readonly name: string;
  /** Cryptographically secure random bytes. */
  randomBytes(length: number): Uint8Array<ArrayBuffer>;
  sha256(data: Uint8Array): Promise<Uint8Array<ArrayBuffer>>;
  sha512(data: Uint8Array): Promise<Uint8Array<ArrayBuffer>>;
  /** False for a wrong signature and for a key that is not a point; never throws for either. */
  verify(key: PublicSigningJwk, data: Uint8Array, signature: Uint8Array): Promise<boolean>;
  /** HPKE base mode, DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, AES-256-GCM: `enc || ciphertext`. */
  seal(
    to: PublicSealingJwk,
    plaintext: Uint8Array,
    info: Uint8Array,
    aad: Uint8Array,
  ): Promise<Uint8Array<ArrayBuffer>>;
  /** Argon2id (RFC 9106). */
  argon2id(secret: Uint8Array, parameters: Argon2Parameters): Promise<Uint8Array>;
}

/** Equal or not, in a time that depends on the lengths alone. */
export function constantTimeEqual(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  let difference = 0;
  for (let i = 0; i < a.length; i++) difference |= a[i]! ^ b[i]!;
  return difference === 0;
}
