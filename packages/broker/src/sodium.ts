/**
 * The crypto provider of the broker's hot path: Ed25519 by libsodium, twice as fast as OpenSSL's; P-256,
 * hashes and Argon2id by `node:crypto`; HPKE, which a broker never needs in a hurry, as WebCrypto has it.
 * @module
 */
import * as nodeCrypto from 'node:crypto';
import { type CryptoProvider, decodeBase64url, type PublicSigningJwk } from '@countersign/core';
import { webCrypto } from '@countersign/core/webcrypto';
import sodium from 'sodium-native';

const ed25519Keys = new WeakMap<PublicSigningJwk, Buffer>();
const p256Keys = new WeakMap<PublicSigningJwk, nodeCrypto.KeyObject>();

function verifyEd25519(key: PublicSigningJwk, data: Uint8Array, signature: Uint8Array): boolean {
  const raw = rawKey(key);
  if (raw === undefined || signature.length !== sodium.crypto_sign_BYTES) return false;
  return sodium.crypto_sign_verify_detached(buffer(signature), buffer(data), raw);
}

function rawKey(key: PublicSigningJwk): Buffer | undefined {
  const known = ed25519Keys.get(key);
  if (known !== undefined) return known;
  try {
    const raw = Buffer.from(decodeBase64url(key.x));
    if (raw.length !== sodium.crypto_sign_PUBLICKEYBYTES) return undefined;
    ed25519Keys.set(key, raw);
    return raw;
  } catch {
    return undefined;
  }
}

function verifyP256(key: PublicSigningJwk, data: Uint8Array, signature: Uint8Array): boolean {
  let publicKey = p256Keys.get(key);
  if (publicKey === undefined) {
    try {
      publicKey = nodeCrypto.createPublicKey({ format: 'jwk', key: { ...key } });
    } catch {
      return false;
    }
    p256Keys.set(key, publicKey);
  }
  return nodeCrypto.verify('sha256', data, { key: publicKey, dsaEncoding: 'ieee-p1363' }, signature);
}

function buffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function hash(algorithm: string, data: Uint8Array): Uint8Array<ArrayBuffer> {
  return new Uint8Array(nodeCrypto.hash(algorithm, data, 'buffer'));
}

export const sodiumCrypto: CryptoProvider = {
  name: 'sodium',

  randomBytes(length) {
    return nodeCrypto.getRandomValues(new Uint8Array(length));
  },

  sha256: async (data) => hash('sha256', data),
  sha512: async (data) => hash('sha512', data),

  async verify(key, data, signature) {
    return key.kty === 'OKP' ? verifyEd25519(key, data, signature) : verifyP256(key, data, signature);
  },

  seal: webCrypto.seal,

  argon2id(secret, { memory, passes, lanes, salt, length }) {
    const { promise, resolve, reject } = Promise.withResolvers<Uint8Array>();
    nodeCrypto.argon2(
      'argon2id',
      { message: secret, nonce: salt, parallelism: lanes, tagLength: length, memory, passes },
      (error, tag) => (error ? reject(error) : resolve(new Uint8Array(tag))),
    );
    return promise;
  },
};
