/**
 * What the Noise handshakes of M-AUTH are made of (Noise Protocol Framework, revision 34), for the one suite
 * `25519_ChaChaPoly_SHA256`: its primitives as a parameter, CipherState and SymmetricState.
 * @module
 */
import { CountersignError } from './errors.ts';

/** Of public keys, hashes, chaining keys, cipher keys and preshared keys (sections 12.1, 12.3, 12.4). */
export const NOISE_KEY_BYTES = 32;
export const NOISE_TAG_BYTES = 16;
/** Section 3. */
export const MAX_NOISE_MESSAGE = 65_535;
const NONCE_BYTES = 12;
const EMPTY = new Uint8Array();

/** An X25519 key pair, wherever its private half lives. */
export interface NoiseKey {
  /** 32 bytes (RFC 7748). */
  readonly publicKey: Uint8Array;
  /** The shared secret, 32 bytes. Throws whatever it likes for a public key of small order. */
  dh(peer: Uint8Array): Uint8Array | Promise<Uint8Array>;
}

/** The primitives: `node:crypto` where speed counts, WebCrypto in a browser. One suite runs over every provider. */
export interface NoiseCrypto {
  readonly name: string;
  /** Cryptographically secure random bytes. */
  randomBytes(length: number): Uint8Array<ArrayBuffer>;
  /** A new key for one handshake. Its private half does not leave. */
  generateKey(): NoiseKey | Promise<NoiseKey>;
  /**
   * The key whose private half is these 32 bytes.
   * @param publicKey its public half, where that was kept; not checked, and then not made anew
   */
  importKey(secret: Uint8Array, publicKey?: Uint8Array): NoiseKey | Promise<NoiseKey>;
  sha256(data: Uint8Array): Uint8Array;
  /** HMAC-SHA-256 (RFC 2104): 32 bytes. */
  hmac(key: Uint8Array, data: Uint8Array): Uint8Array;
  /** HKDF-SHA-256 (RFC 5869). */
  hkdf(salt: Uint8Array, input: Uint8Array, info: Uint8Array, length: number): Uint8Array;
  /** ChaCha20-Poly1305 (RFC 8439 section 2.8): ciphertext and 16 bytes of tag. */
  encrypt(key: Uint8Array, nonce: Uint8Array, ad: Uint8Array, plaintext: Uint8Array): Uint8Array;
  /** Undefined where the tag is wrong. */
  decrypt(key: Uint8Array, nonce: Uint8Array, ad: Uint8Array, sealed: Uint8Array): Uint8Array | undefined;
}

/** One direction of a channel: section 5.1. Once a message has failed, nothing more comes out of it. */
export class CipherState {
  readonly #crypto: NoiseCrypto;
  readonly #key: Uint8Array;
  #counter = 0;
  #broken = false;

  constructor(crypto: NoiseCrypto, key: Uint8Array) {
    this.#crypto = crypto;
    this.#key = key;
  }

  encrypt(plaintext: Uint8Array, ad: Uint8Array = EMPTY): Uint8Array {
    return this.#crypto.encrypt(this.#key, this.#nonce(), ad, plaintext);
  }

  /** @throws `handshake-invalid` for bytes that the other side did not send, or not now */
  decrypt(sealed: Uint8Array, ad: Uint8Array = EMPTY): Uint8Array {
    const long = sealed.length >= NOISE_TAG_BYTES && !this.#broken;
    const plaintext = long ? this.#crypto.decrypt(this.#key, this.#nonce(), ad, sealed) : undefined;
    if (plaintext !== undefined) return plaintext;
    this.#broken = true;
    throw refused('a message that the other side did not seal');
  }

  /** Section 12.3: 32 bits of zeros, then the counter in little-endian. Far below 2^53 messages are ever sent. */
  #nonce(): Uint8Array {
    const nonce = new Uint8Array(NONCE_BYTES);
    new DataView(nonce.buffer).setBigUint64(4, BigInt(this.#counter++), true);
    return nonce;
  }
}

/** Section 5.2. */
export class SymmetricState {
  readonly #crypto: NoiseCrypto;
  #hash: Uint8Array;
  #chainingKey: Uint8Array;
  #cipher: CipherState | undefined;

  constructor(crypto: NoiseCrypto, protocolName: string) {
    this.#crypto = crypto;
    const name = new TextEncoder().encode(protocolName);
    this.#hash = name.length <= NOISE_KEY_BYTES ? padded(name) : crypto.sha256(name);
    this.#chainingKey = this.#hash;
  }

  get hasKey(): boolean {
    return this.#cipher !== undefined;
  }

  /** `GetHandshakeHash`: the same on both sides, and of no other handshake. */
  get hash(): Uint8Array {
    return this.#hash;
  }

  mixHash(data: Uint8Array): void {
    this.#hash = this.#crypto.sha256(concat(this.#hash, data));
  }

  mixKey(input: Uint8Array): void {
    const [chainingKey, key] = hkdf(this.#crypto, this.#chainingKey, input, 2);
    this.#chainingKey = chainingKey!;
    this.#cipher = new CipherState(this.#crypto, key!);
  }

  mixKeyAndHash(input: Uint8Array): void {
    const [chainingKey, hash, key] = hkdf(this.#crypto, this.#chainingKey, input, 3);
    this.#chainingKey = chainingKey!;
    this.mixHash(hash!);
    this.#cipher = new CipherState(this.#crypto, key!);
  }

  encryptAndHash(plaintext: Uint8Array): Uint8Array {
    const sealed = this.#cipher === undefined ? plaintext : this.#cipher.encrypt(plaintext, this.#hash);
    this.mixHash(sealed);
    return sealed;
  }

  /** @throws `handshake-invalid` */
  decryptAndHash(sealed: Uint8Array): Uint8Array {
    const plaintext = this.#cipher === undefined ? sealed : this.#cipher.decrypt(sealed, this.#hash);
    this.mixHash(sealed);
    return plaintext;
  }

  /**
   * `Split`, and one output more of the same HKDF: a secret of the handshake that is neither of its keys, for
   * whoever needs one of their own (section 4.3 defines three outputs; `Split` takes two).
   */
  split(): { initiator: CipherState; responder: CipherState; exported: Uint8Array } {
    const [initiator, responder, exported] = hkdf(this.#crypto, this.#chainingKey, EMPTY, 3);
    return {
      initiator: new CipherState(this.#crypto, initiator!),
      responder: new CipherState(this.#crypto, responder!),
      exported: exported!,
    };
  }
}

/** `HKDF` of section 4.3: that of RFC 5869 with the chaining key as salt and no info. */
function hkdf(crypto: NoiseCrypto, chainingKey: Uint8Array, input: Uint8Array, count: 2 | 3): Uint8Array[] {
  const all = crypto.hkdf(chainingKey, input, EMPTY, count * NOISE_KEY_BYTES);
  return Array.from({ length: count }, (_, i) =>
    all.subarray(i * NOISE_KEY_BYTES, (i + 1) * NOISE_KEY_BYTES),
  );
}

export function concat(...parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const all = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

function padded(name: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(NOISE_KEY_BYTES);
  bytes.set(name);
  return bytes;
}

export function refused(what: string, cause?: unknown): CountersignError {
  return new CountersignError('handshake-invalid', `refused: ${what}`, { cause });
}
