/**
 * The primitives of Noise by libsodium, for hosts: `node:crypto` spends much of a sign-on on making objects.
 * @module
 */
import { createHmac, hkdfSync } from 'node:crypto';
import { NOISE_KEY_BYTES, NOISE_TAG_BYTES, type NoiseCrypto, type NoiseKey } from '@countersign/core/noise';
import sodium from 'sodium-native';

export const sodiumNoise: NoiseCrypto = {
  name: 'sodium',
  randomBytes(length) {
    const bytes = new Uint8Array(length);
    sodium.randombytes_buf(buffer(bytes));
    return bytes;
  },
  generateKey() {
    const secret = Buffer.alloc(NOISE_KEY_BYTES);
    sodium.randombytes_buf(secret);
    return keyOf(secret);
  },
  importKey: (secret, publicKey) => keyOf(Buffer.from(secret), publicKey),
  sha256(data) {
    const digest = Buffer.alloc(sodium.crypto_hash_sha256_BYTES);
    sodium.crypto_hash_sha256(digest, buffer(data));
    return digest;
  },
  // sodium-native has neither
  hmac: (key, data) => createHmac('sha256', key).update(data).digest(),
  hkdf: (salt, input, info, length) => new Uint8Array(hkdfSync('sha256', input, salt, info, length)),
  encrypt(key, nonce, ad, plaintext) {
    const sealed = Buffer.alloc(plaintext.length + NOISE_TAG_BYTES);
    sodium.crypto_aead_chacha20poly1305_ietf_encrypt(
      sealed,
      buffer(plaintext),
      buffer(ad),
      null,
      buffer(nonce),
      buffer(key),
    );
    return sealed;
  },
  decrypt(key, nonce, ad, sealed) {
    if (sealed.length < NOISE_TAG_BYTES) return undefined;
    const plaintext = Buffer.alloc(sealed.length - NOISE_TAG_BYTES);
    try {
      sodium.crypto_aead_chacha20poly1305_ietf_decrypt(
        plaintext,
        null,
        buffer(sealed),
        buffer(ad),
        buffer(nonce),
        buffer(key),
      );
      return plaintext;
    } catch {
      return undefined;
    }
  },
};

function keyOf(secret: Buffer, known?: Uint8Array): NoiseKey {
  return {
    publicKey: known ?? publicKeyOf(secret),
    dh(peer) {
      const shared = Buffer.alloc(NOISE_KEY_BYTES);
      // throws for a key of small order
      sodium.crypto_scalarmult(shared, secret, buffer(peer));
      return shared;
    },
  };
}

function publicKeyOf(secret: Buffer): Uint8Array {
  const publicKey = Buffer.alloc(NOISE_KEY_BYTES);
  sodium.crypto_scalarmult_base(publicKey, secret);
  return publicKey;
}

function buffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
