/**
 * The primitives of Noise by `node:crypto`: what a host runs.
 * @module
 */
import {
  createCipheriv,
  createDecipheriv,
  createHmac,
  createPrivateKey,
  createPublicKey,
  diffieHellman,
  generateKeyPairSync,
  getRandomValues,
  hash,
  hkdfSync,
  type KeyObject,
} from 'node:crypto';
import { NOISE_TAG_BYTES, type NoiseCrypto, type NoiseKey } from '@countersign/core/noise';

const CIPHER = 'chacha20-poly1305';
const OPTIONS = { authTagLength: NOISE_TAG_BYTES };

export const nodeNoise: NoiseCrypto = {
  name: 'node',
  randomBytes: (length) => getRandomValues(new Uint8Array(length)),
  generateKey() {
    const { publicKey, privateKey } = generateKeyPairSync('x25519');
    return keyOf(rawOf(publicKey), privateKey);
  },
  importKey(secret, publicKey) {
    const privateKey = createPrivateKey({
      key: Buffer.from(secret),
      format: 'raw-private',
      asymmetricKeyType: 'x25519',
    });
    return keyOf(publicKey ?? rawOf(createPublicKey(privateKey)), privateKey);
  },
  sha256: (data) => hash('sha256', data, 'buffer'),
  hmac: (key, data) => createHmac('sha256', key).update(data).digest(),
  hkdf: (salt, input, info, length) => new Uint8Array(hkdfSync('sha256', input, salt, info, length)),
  encrypt(key, nonce, ad, plaintext) {
    const cipher = createCipheriv(CIPHER, key, nonce, OPTIONS);
    cipher.setAAD(ad, { plaintextLength: plaintext.length });
    return Buffer.concat([cipher.update(plaintext), cipher.final(), cipher.getAuthTag()]);
  },
  decrypt(key, nonce, ad, sealed) {
    const end = sealed.length - NOISE_TAG_BYTES;
    if (end < 0) return undefined;
    const decipher = createDecipheriv(CIPHER, key, nonce, OPTIONS);
    decipher.setAAD(ad, { plaintextLength: end });
    decipher.setAuthTag(sealed.subarray(end));
    const plaintext = decipher.update(sealed.subarray(0, end));
    try {
      return Buffer.concat([plaintext, decipher.final()]);
    } catch {
      return undefined;
    }
  },
};

function rawOf(publicKey: KeyObject): Uint8Array {
  return new Uint8Array(publicKey.export({ format: 'raw-public' }));
}

function keyOf(publicKey: Uint8Array, privateKey: KeyObject): NoiseKey {
  return {
    publicKey,
    dh(peer) {
      const other = createPublicKey({
        key: Buffer.from(peer),
        format: 'raw-public',
        asymmetricKeyType: 'x25519',
      });
      return diffieHellman({ privateKey, publicKey: other });
    },
  };
}
