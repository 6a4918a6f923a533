/**
 * Keys of the chain in text: public keys as prefix, Base58 and four bytes of RIPEMD-160; private ones in WIF
 * (Base58 of 0x80, the key and four bytes of a double SHA-256). A key's address is RIPEMD-160 of SHA-512 of it:
 * keys in an authority are ordered by it.
 * @module
 */
import { CountersignError } from '@countersign/core/errors';
import { secp256k1 } from '@noble/curves/secp256k1.js';
import { ripemd160 } from '@noble/hashes/legacy.js';
import { sha256, sha512 } from '@noble/hashes/sha2.js';
import { concatBytes } from '@noble/hashes/utils.js';
import { base58 } from '@scure/base';
import { compareBytes } from './bytes.ts';

const PUBLIC_KEY_BYTES = 33;
const CHECKSUM_BYTES = 4;
const WIF_VERSION = 0x80;
const PREFIX = /^[A-Z0-9]{1,10}$/;
/** Longer than any key in text is. */
const MAX_TEXT = 64;

declare const secret: unique symbol;

/** A private key of the chain: 32 bytes, between 1 and the order of the curve. */
export interface ChainPrivateKey {
  readonly bytes: Uint8Array;
  /** Compressed, 33 bytes. */
  readonly publicKey: Uint8Array;
  readonly [secret]: true;
}

/**
 * Text of a public key.
 * @param key compressed, 33 bytes
 */
export function formatPublicKey(key: Uint8Array, prefix: string): string {
  if (key.length !== PUBLIC_KEY_BYTES) throw new TypeError('a public key of the chain has 33 bytes');
  return prefix + base58.encode(concatBytes(key, ripemd160(key).subarray(0, CHECKSUM_BYTES)));
}

/**
 * Bytes of a public key in text. As on the chain, they need not be a point of the curve: the key of 33 zeros
 * stands for nobody's.
 * @throws `key-invalid` where the prefix is another's, or the checksum is wrong
 */
export function parsePublicKey(text: string, prefix: string): Uint8Array {
  if (!PREFIX.test(prefix)) throw new TypeError('a prefix is one to ten capitals or digits');
  if (!text.startsWith(prefix))
    throw new CountersignError('key-invalid', `a key that begins with ${prefix} is meant`);
  const bytes = decodeChecked(text.slice(prefix.length), ripemd160, 'a public key');
  if (bytes.length !== PUBLIC_KEY_BYTES)
    throw new CountersignError('key-invalid', 'a public key has 33 bytes');
  return bytes;
}

/** Whether somebody can hold the private half: the bytes are a point of the curve. */
export function isPoint(key: Uint8Array): boolean {
  return key.length === PUBLIC_KEY_BYTES && secp256k1.utils.isValidPublicKey(key, true);
}

/** RIPEMD-160 of SHA-512 of a key: 20 bytes. */
export function keyAddress(key: Uint8Array): Uint8Array {
  return ripemd160(sha512(key));
}

/** Text of an address: 20 bytes. */
export function formatAddress(address: Uint8Array, prefix: string): string {
  return prefix + base58.encode(concatBytes(address, ripemd160(address).subarray(0, CHECKSUM_BYTES)));
}

/** @throws `key-invalid` */
export function parseAddress(text: string, prefix: string): Uint8Array {
  if (!text.startsWith(prefix)) {
    throw new CountersignError('key-invalid', `an address that begins with ${prefix} is meant`);
  }
  const bytes = decodeChecked(text.slice(prefix.length), ripemd160, 'an address');
  if (bytes.length !== 20) throw new CountersignError('key-invalid', 'an address has 20 bytes');
  return bytes;
}

/** @throws `key-invalid` where it is not 32 bytes, zero, or beyond the order of the curve */
export function privateKeyFromBytes(bytes: Uint8Array): ChainPrivateKey {
  if (!secp256k1.utils.isValidSecretKey(bytes)) {
    throw new CountersignError('key-invalid', 'not a private key of secp256k1');
  }
  const own = Uint8Array.from(bytes);
  return { bytes: own, publicKey: secp256k1.getPublicKey(own, true) } as unknown as ChainPrivateKey;
}

/** A new one, from the platform's randomness. */
export function newPrivateKey(): ChainPrivateKey {
  return privateKeyFromBytes(secp256k1.utils.randomSecretKey());
}

/**
 * From WIF as the chain writes it; the form for compressed keys that other chains have is refused.
 * @throws `key-invalid`
 */
export function parseWif(text: string): ChainPrivateKey {
  const bytes = decodeChecked(text, doubleSha256, 'a private key');
  if (bytes.length !== 33 || bytes[0] !== WIF_VERSION) {
    throw new CountersignError('key-invalid', 'not a private key in WIF');
  }
  return privateKeyFromBytes(bytes.subarray(1));
}

export function formatWif(key: ChainPrivateKey): string {
  const versioned = concatBytes(Uint8Array.of(WIF_VERSION), key.bytes);
  return base58.encode(concatBytes(versioned, doubleSha256(versioned).subarray(0, CHECKSUM_BYTES)));
}

function doubleSha256(bytes: Uint8Array): Uint8Array {
  return sha256(sha256(bytes));
}

function decodeChecked(text: string, hash: (bytes: Uint8Array) => Uint8Array, what: string): Uint8Array {
  let all: Uint8Array;
  try {
    if (text.length > MAX_TEXT) throw new RangeError('too long');
    all = base58.decode(text);
  } catch {
    throw new CountersignError('key-invalid', `${what} is not in Base58`);
  }
  if (all.length <= CHECKSUM_BYTES) throw new CountersignError('key-invalid', `${what} is too short`);
  const body = all.subarray(0, -CHECKSUM_BYTES);
  if (compareBytes(hash(body).subarray(0, CHECKSUM_BYTES), all.subarray(-CHECKSUM_BYTES)) !== 0) {
    throw new CountersignError('key-invalid', `the checksum of ${what} is wrong`);
  }
  return body;
}
