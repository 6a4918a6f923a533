/**
 * The primitives of Noise for browsers: X25519 by WebCrypto, so that a key can be made never to leave, the rest by
 * @noble, since WebCrypto has no ChaCha20-Poly1305. A place of its own (`@countersign/core/noise-web`).
 * @module
 */
import { chacha20poly1305 } from '@noble/ciphers/chacha.js';
import { hkdf } from '@noble/hashes/hkdf.js';
import { hmac } from '@noble/hashes/hmac.js';
import { sha256 } from '@noble/hashes/sha2.js';
import { decodeBase64url } from './base64url.ts';
import type { NoiseCrypto, NoiseKey } from './noise.ts';

const X25519 = { name: 'X25519' };
/** PKCS #8 of an X25519 key (RFC 8410 section 7), up to its 32 bytes. */
const X25519_PKCS8 = Uint8Array.fromHex('302e020100300506032b656e04220420');
const SECRET_BITS = 256;

export const webNoise: NoiseCrypto = {
  name: 'webcrypto',
  randomBytes: (length) => crypto.getRandomValues(new Uint8Array(length)),
  generateKey: () => generateNoiseKey(),
  async importKey(secret, publicKey) {
    const pkcs8 = new Uint8Array(X25519_PKCS8.length + secret.length);
    pkcs8.set(X25519_PKCS8);
    pkcs8.set(secret, X25519_PKCS8.length);
    return noiseKeyOf(
      publicKey ?? (await publicKeyOf(pkcs8)),
      await crypto.subtle.importKey('pkcs8', pkcs8, X25519, false, ['deriveBits']),
    );
  },
  sha256: (data) => sha256(data),
  hmac: (key, data) => hmac(sha256, key, data),
  hkdf: (salt, input, info, length) => hkdf(sha256, input, salt, info, length),
  encrypt: (key, nonce, ad, plaintext) => chacha20poly1305(key, nonce, ad).encrypt(plaintext),
  decrypt(key, nonce, ad, sealed) {
    try {
      return chacha20poly1305(key, nonce, ad).decrypt(sealed);
    } catch {
      return undefined;
    }
  },
};

/** A key that IndexedDB can keep, and whose private half does not leave. */
export interface WebNoiseKey extends NoiseKey {
  readonly privateKey: CryptoKey;
}

export async function generateNoiseKey(): Promise<WebNoiseKey> {
  const pair = (await crypto.subtle.generateKey(X25519, false, ['deriveBits'])) as CryptoKeyPair;
  return noiseKeyOf(new Uint8Array(await crypto.subtle.exportKey('raw', pair.publicKey)), pair.privateKey);
}

/** A key that was kept: its public half, 32 bytes, and the `CryptoKey` of its private one. */
export function noiseKeyOf(publicKey: Uint8Array, privateKey: CryptoKey): WebNoiseKey {
  return {
    publicKey,
    privateKey,
    async dh(peer) {
      const raw = new Uint8Array(peer);
      const other = await crypto.subtle.importKey('raw', raw, X25519, false, []);
      return new Uint8Array(
        await crypto.subtle.deriveBits({ ...X25519, public: other }, privateKey, SECRET_BITS),
      );
    },
  };
}

/** Exported once, since WebCrypto gives the public half in no other way. */
async function publicKeyOf(pkcs8: Uint8Array<ArrayBuffer>): Promise<Uint8Array> {
  const readable = await crypto.subtle.importKey('pkcs8', pkcs8, X25519, true, ['deriveBits']);
  const { x } = await crypto.subtle.exportKey('jwk', readable);
  return decodeBase64url(x!);
}
