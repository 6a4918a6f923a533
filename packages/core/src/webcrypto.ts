/**
 * The crypto provider on WebCrypto, for browsers and for Node where speed does not count. Keys are
 * `CryptoKey`s: made non-extractable, they never leave the place where they were made.
 * @module
 */
import { Aes256Gcm, CipherSuite, DhkemX25519HkdfSha256, HkdfSha256 } from '@hpke/core';
import { argon2idWasm } from './argon2-wasm.ts';
import { decodeBase64url } from './base64url.ts';
import type {
  CryptoProvider,
  Opener,
  PublicSealingJwk,
  PublicSigningJwk,
  SignatureAlgorithm,
  Signer,
} from './crypto-provider.ts';
import { CountersignError } from './errors.ts';

const ENC_LENGTH = 32;
const hpke = new CipherSuite({
  kem: new DhkemX25519HkdfSha256(),
  kdf: new HkdfSha256(),
  aead: new Aes256Gcm(),
});

const ALGORITHMS = {
  EdDSA: { key: { name: 'Ed25519' }, sign: { name: 'Ed25519' } },
  ES256: { key: { name: 'ECDSA', namedCurve: 'P-256' }, sign: { name: 'ECDSA', hash: 'SHA-256' } },
} as const;

/** The algorithm that a key is for: each key has exactly one. */
export function algorithmOf(key: PublicSigningJwk): SignatureAlgorithm {
  return key.kty === 'OKP' ? 'EdDSA' : 'ES256';
}

const imported = new WeakMap<PublicSigningJwk, Promise<CryptoKey>>();

function importPublic(key: PublicSigningJwk): Promise<CryptoKey> {
  let ready = imported.get(key);
  if (ready === undefined) {
    ready = crypto.subtle.importKey('jwk', key, ALGORITHMS[algorithmOf(key)].key, true, ['verify']);
    imported.set(key, ready);
  }
  return ready;
}

async function digest(name: string, data: Uint8Array): Promise<Uint8Array<ArrayBuffer>> {
  return new Uint8Array(await crypto.subtle.digest(name, data as Uint8Array<ArrayBuffer>));
}

function bytes(data: Uint8Array): Uint8Array<ArrayBuffer> {
  return data as Uint8Array<ArrayBuffer>;
}

export const webCrypto: CryptoProvider = {
  name: 'webcrypto',

  randomBytes(length) {
    return crypto.getRandomValues(new Uint8Array(length));
  },

  sha256: (data) => digest('SHA-256', data),
  sha512: (data) => digest('SHA-512', data),

  async verify(key, data, signature) {
    let publicKey: CryptoKey;
    try {
      publicKey = await importPublic(key);
    } catch {
      return false;
    }
    return crypto.subtle.verify(ALGORITHMS[algorithmOf(key)].sign, publicKey, bytes(signature), bytes(data));
  },

  async seal(to, plaintext, info, aad) {
    const raw = decodeBase64url(to.x);
    let enc: ArrayBuffer;
    let ct: ArrayBuffer;
    try {
      const recipientPublicKey = await hpke.kem.deserializePublicKey(raw.buffer);
      ({ enc, ct } = await hpke.seal(
        { recipientPublicKey, info: bytes(info) },
        bytes(plaintext),
        bytes(aad),
      ));
    } catch (cause) {
      throw new CountersignError('key-invalid', 'not an X25519 key that can be sealed to', { cause });
    }
    const sealed = new Uint8Array(enc.byteLength + ct.byteLength);
    sealed.set(new Uint8Array(enc));
    sealed.set(new Uint8Array(ct), enc.byteLength);
    return sealed;
  },

  argon2id: argon2idWasm,
};

/** A signer whose key is a `CryptoKey`; the pair is what DPoP proofs are made with. */
export interface WebSigner extends Signer {
  readonly keyPair: CryptoKeyPair;
}

/** A new signing key. Non-extractable unless a key store has to write it down, sealed. */
export async function generateSigner(
  algorithm: SignatureAlgorithm,
  { extractable = false } = {},
): Promise<WebSigner> {
  const pair = await crypto.subtle.generateKey(ALGORITHMS[algorithm].key, extractable, ['sign', 'verify']);
  return signerOf(pair as CryptoKeyPair);
}

/** A signer over an existing pair, say one that IndexedDB kept. */
export async function signerOf(keyPair: CryptoKeyPair): Promise<WebSigner> {
  const publicKey = publicSigningJwk(await crypto.subtle.exportKey('jwk', keyPair.publicKey));
  const algorithm = algorithmOf(publicKey);
  return {
    algorithm,
    publicKey,
    keyPair,
    async sign(data) {
      const signature = await crypto.subtle.sign(
        ALGORITHMS[algorithm].sign,
        keyPair.privateKey,
        data as Uint8Array<ArrayBuffer>,
      );
      return new Uint8Array(signature);
    },
  };
}

/** A signer from its private JWK, as a key store keeps it; the imported key is not extractable again. */
export async function importSigner(privateJwk: JsonWebKey): Promise<WebSigner> {
  const { d: _, key_ops: __, ext: ___, ...publicPart } = privateJwk;
  try {
    const algorithm = ALGORITHMS[privateJwk.kty === 'OKP' ? 'EdDSA' : 'ES256'].key;
    const privateKey = await crypto.subtle.importKey('jwk', privateJwk, algorithm, false, ['sign']);
    const publicKey = await crypto.subtle.importKey('jwk', publicPart, algorithm, true, ['verify']);
    return await signerOf({ privateKey, publicKey });
  } catch (cause) {
    throw new CountersignError('key-invalid', 'not a private signing key', { cause });
  }
}

/** PKCS #8 of an Ed25519 key (RFC 8410 section 7), up to its 32 bytes. */
const ED25519_PKCS8 = decodeBase64url('MC4CAQAwBQYDK2VwBCIEIA');

/**
 * An Ed25519 signer made from a secret of at least 128 bits, always the same: HKDF-SHA-256 (RFC 5869) of it is
 * the key's seed.
 */
export async function deriveSigner(secret: Uint8Array, info: string): Promise<WebSigner> {
  const base = await crypto.subtle.importKey('raw', bytes(secret), 'HKDF', false, ['deriveBits']);
  const hkdf = {
    name: 'HKDF',
    hash: 'SHA-256',
    salt: new Uint8Array(),
    info: new TextEncoder().encode(info),
  };
  const seed = new Uint8Array(await crypto.subtle.deriveBits(hkdf, base, 256));
  const pkcs8 = new Uint8Array(ED25519_PKCS8.length + seed.length);
  pkcs8.set(ED25519_PKCS8);
  pkcs8.set(seed, ED25519_PKCS8.length);
  const algorithm = ALGORITHMS.EdDSA.key;
  const exportable = await crypto.subtle.importKey('pkcs8', pkcs8, algorithm, true, ['sign']);
  return importSigner(await crypto.subtle.exportKey('jwk', exportable));
}

/** An opener whose key is a `CryptoKey`. */
export interface WebOpener extends Opener {
  readonly privateKey: CryptoKey;
}

/** A new sealing key. */
export async function generateOpener({ extractable = false } = {}): Promise<WebOpener> {
  const pair = await crypto.subtle.generateKey({ name: 'X25519' }, extractable, ['deriveBits']);
  return openerOf(pair as CryptoKeyPair);
}

export async function openerOf({ publicKey, privateKey }: CryptoKeyPair): Promise<WebOpener> {
  const { x } = await crypto.subtle.exportKey('jwk', publicKey);
  return {
    privateKey,
    publicKey: { kty: 'OKP', crv: 'X25519', x: x! },
    async open(sealed, info, aad) {
      if (sealed.length <= ENC_LENGTH) throw new CountersignError('seal-broken', 'sealed text too short');
      const copy = new Uint8Array(sealed);
      try {
        return new Uint8Array(
          await hpke.open(
            {
              recipientKey: { publicKey, privateKey },
              enc: copy.buffer.slice(0, ENC_LENGTH),
              info: bytes(info),
            },
            copy.buffer.slice(ENC_LENGTH),
            bytes(aad),
          ),
        );
      } catch (cause) {
        throw new CountersignError('seal-broken', 'sealed for another key, or altered', { cause });
      }
    },
  };
}

/** An opener from its private JWK; the imported key is not extractable again. */
export async function importOpener(privateJwk: JsonWebKey): Promise<WebOpener> {
  const { d: _, key_ops: __, ext: ___, ...publicPart } = privateJwk;
  try {
    const privateKey = await crypto.subtle.importKey('jwk', privateJwk, { name: 'X25519' }, false, [
      'deriveBits',
    ]);
    const publicKey = await crypto.subtle.importKey('jwk', publicPart, { name: 'X25519' }, true, []);
    return await openerOf({ privateKey, publicKey });
  } catch (cause) {
    throw new CountersignError('key-invalid', 'not a private X25519 key', { cause });
  }
}

/**
 * The private JWK of an extractable key, for a key store that seals what it writes.
 * @throws `key-invalid` where the key was made not to leave
 */
export async function exportPrivate(key: WebSigner | WebOpener): Promise<JsonWebKey> {
  try {
    return await crypto.subtle.exportKey('jwk', 'keyPair' in key ? key.keyPair.privateKey : key.privateKey);
  } catch (cause) {
    throw new CountersignError('key-invalid', 'this key was made not to be exported', { cause });
  }
}

function publicSigningJwk(jwk: JsonWebKey): PublicSigningJwk {
  return jwk.kty === 'OKP'
    ? { kty: 'OKP', crv: 'Ed25519', x: jwk.x! }
    : { kty: 'EC', crv: 'P-256', x: jwk.x!, y: jwk.y! };
}

export type { PublicSealingJwk };
