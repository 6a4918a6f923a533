/**
 * The world of the vectors: test keys made from their labels, a fixed clock, randomness that is the same each
 * time, and signatures that stay as they were written.
 * @module
 */
import { createECDH, createHash, createPrivateKey, createPublicKey } from 'node:crypto';
import {
  type CryptoProvider,
  decodeBase64url,
  encodeBase64url,
  keyFingerprint,
  type Opener,
  type PublicSealingJwk,
  type PublicSigningJwk,
  type SignatureAlgorithm,
  type Signer,
} from '@countersign/core';
import { importOpener, importSigner, webCrypto } from '@countersign/core/webcrypto';
import { Aes256Gcm, CipherSuite, DhkemX25519HkdfSha256, HkdfSha256 } from '@hpke/core';
import { type Memory, remember } from './memory.ts';

/** Seconds since 1970: the time at which everything here happens. */
export const NOW = 1_800_000_000;
export const BROKER = 'https://broker.example';
export const OTHER_BROKER = 'https://other.example';
/** Texts that look like an origin and are none: name, why, text. */
export const NO_ORIGINS = [
  ['slash', 'an origin ends before the path', `${BROKER}/`],
  ['upper-case', 'a host is in small letters', 'https://Broker.example'],
  ['own-port', 'the port that the scheme has anyway', `${BROKER}:443`],
  ['port-zeros', 'a port with a leading zero', `${BROKER}:08443`],
  ['port-large', 'a port that there is not', `${BROKER}:65536`],
  ['other-scheme', 'neither http nor https', 'ftp://broker.example'],
  ['no-scheme', 'a host alone', 'broker.example'],
  ['user', 'a user before the host', 'https://alice@broker.example'],
  ['not-ascii', 'a name outside ASCII stands in A-labels', 'https://bröker.example'],
  ['ipv4-short', 'an IPv4 address of three numbers', 'http://127.0.1'],
  ['ipv4-zeros', 'an IPv4 address with leading zeros', 'http://127.0.0.01'],
  ['ipv6-long', 'an IPv6 address that is not in its short form', 'http://[2001:db8:0:0:0:0:0:1]'],
  ['ipv6-decimal', 'an IPv6 address with decimal numbers', 'http://[::ffff:192.0.2.1]'],
  ['too-long', 'more than 255 characters', `https://${'a.'.repeat(124)}a`],
] as const;
export const ALGORITHMS: readonly SignatureAlgorithm[] = ['EdDSA', 'ES256'];

const hpke = new CipherSuite({
  kem: new DhkemX25519HkdfSha256(),
  kdf: new HkdfSha256(),
  aead: new Aes256Gcm(),
});

export type PrivateJwk = PublicSealingJwk & { d: string };

export interface TestDevice {
  readonly label: string;
  readonly kid: string;
  readonly signer: Signer;
  readonly opener: Opener;
}

/** SHA-256 over a label: the seed of a test key, or of a stream of random bytes. */
function seedOf(label: string): Buffer {
  return createHash('sha256').update(`Countersign test vectors: ${label}`).digest();
}

/** A provider that draws its randomness, HPKE's ephemeral keys too, from a label. */
export function seeded(label: string): CryptoProvider {
  let drawn = 0;
  const randomBytes = (length: number) => {
    if (length > 32) throw new RangeError('the vectors draw at most 32 bytes at a time');
    return new Uint8Array(seedOf(`${label}, draw ${drawn++}`).subarray(0, length));
  };
  return {
    ...webCrypto,
    name: `seeded by ${label}`,
    randomBytes,
    async seal(to, plaintext, info, aad) {
      const recipientPublicKey = await hpke.kem.deserializePublicKey(decodeBase64url(to.x).buffer);
      const sender = await hpke.createSenderContext({ recipientPublicKey, info, ekm: randomBytes(32) });
      const ct = new Uint8Array(await sender.seal(plaintext, aad));
      return new Uint8Array([...new Uint8Array(sender.enc), ...ct]);
    },
  };
}

/** A test signing key as a private JWK. */
export function signingJwk(label: string, algorithm: SignatureAlgorithm): JsonWebKey {
  const seed = seedOf(`${algorithm} ${label}`);
  if (algorithm === 'EdDSA') {
    const { x } = publicHalf('302e020100300506032b657004220420', seed);
    return { kty: 'OKP', crv: 'Ed25519', x, d: seed.toString('base64url') };
  }
  const ecdh = createECDH('prime256v1');
  ecdh.setPrivateKey(seed);
  const point = ecdh.getPublicKey();
  return {
    kty: 'EC',
    crv: 'P-256',
    x: point.subarray(1, 33).toString('base64url'),
    y: point.subarray(33).toString('base64url'),
    d: seed.toString('base64url'),
  };
}

/** A test sealing key as a private JWK. */
export function sealingJwk(label: string): PrivateJwk {
  const seed = seedOf(`X25519 ${label}`);
  const { x } = publicHalf('302e020100300506032b656e04220420', seed);
  return { kty: 'OKP', crv: 'X25519', x, d: seed.toString('base64url') };
}

function publicHalf(pkcs8: string, seed: Buffer): { x: string } {
  const key = createPrivateKey({
    key: Buffer.concat([Buffer.from(pkcs8, 'hex'), seed]),
    format: 'der',
    type: 'pkcs8',
  });
  return createPublicKey(key).export({ format: 'jwk' }) as { x: string };
}

/** A test device; what it signs with ES256 keeps the signature that the files already hold. */
export async function testDevice(
  memory: Memory,
  label: string,
  algorithm: SignatureAlgorithm = 'EdDSA',
): Promise<TestDevice> {
  const signer = await testSigner(memory, label, algorithm);
  const opener = await importOpener(sealingJwk(label) as JsonWebKey);
  return { label, kid: await keyFingerprint(webCrypto, signer.publicKey), signer, opener };
}

export async function testSigner(
  memory: Memory,
  label: string,
  algorithm: SignatureAlgorithm = 'EdDSA',
): Promise<Signer> {
  const signer = await importSigner(signingJwk(label, algorithm));
  if (algorithm === 'EdDSA') return signer;
  const { publicKey } = signer;
  return {
    algorithm,
    publicKey,
    async sign(data) {
      const input = new TextDecoder().decode(data);
      const known = await remembered(memory, publicKey, input);
      if (known !== undefined) return known;
      const signature = await signer.sign(data);
      remember(memory, input, encodeBase64url(signature));
      return signature;
    },
  };
}

async function remembered(
  memory: Memory,
  key: PublicSigningJwk,
  input: string,
): Promise<Uint8Array | undefined> {
  const data = new TextEncoder().encode(input);
  for (const text of memory.get(input) ?? []) {
    let signature: Uint8Array;
    try {
      signature = decodeBase64url(text);
    } catch {
      continue;
    }
    if (signature.length === 64 && (await webCrypto.verify(key, data, signature))) return signature;
  }
  return undefined;
}

/** The public half of a signing key, as statements carry it. */
export function publicOf(device: { readonly signer: Signer }): PublicSigningJwk {
  return device.signer.publicKey;
}

/** A statement over exactly this header and payload text, whatever they are, under a good signature. */
export async function signText(
  { signer }: { readonly signer: Signer },
  header: string,
  payload: string | Uint8Array,
): Promise<string> {
  const text = new TextEncoder();
  const bytes = typeof payload === 'string' ? text.encode(payload) : payload;
  const input = `${encodeBase64url(text.encode(header))}.${encodeBase64url(bytes)}`;
  return `${input}.${encodeBase64url(await signer.sign(text.encode(input)))}`;
}

/** A statement of some kind with any payload at all, under a good signature. */
export function signLoose(
  device: TestDevice,
  kind: string,
  payload: unknown,
  header: object = {},
): Promise<string> {
  const head = { alg: device.signer.algorithm, typ: `countersign-${kind}+jwt`, kid: device.kid, ...header };
  return signText(
    device,
    JSON.stringify(head),
    typeof payload === 'string' ? payload : JSON.stringify(payload),
  );
}
