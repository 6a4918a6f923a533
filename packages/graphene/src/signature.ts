/**
 * Signatures of the chain: secp256k1 over a SHA-256 digest, 65 bytes: 27 + 4 + recovery id, then r and s of 32
 * bytes each, of which neither begins with a bit that DER would pad nor with nine zero bits that it would cut.
 * The key is recovered from them. A nonce that gives no such signature is thrown away for another.
 * @module
 */
import { CountersignError } from '@countersign/core/errors';
import { secp256k1 } from '@noble/curves/secp256k1.js';
import { bytesToHex, hexToBytes } from '@noble/hashes/utils.js';
import type { ChainPrivateKey } from './keys.ts';

const SIGNATURE_BYTES = 65;
/** 27, and 4 for a compressed key. */
const HEADER = 31;
const TEXT = /^[0-9a-f]{130}$/i;

export function isSignatureText(value: unknown): value is string {
  return typeof value === 'string' && TEXT.test(value);
}

/**
 * Signs a digest. The nonce is RFC 6979's with a counter as its extra entropy, so the same digest gets the same
 * signature again.
 * @param digest 32 bytes
 * @returns 65 bytes in hex
 */
export function signDigest(digest: Uint8Array, key: ChainPrivateKey): string {
  if (digest.length !== 32) throw new TypeError('a digest has 32 bytes');
  const extraEntropy = new Uint8Array(32);
  for (let attempt = 0; ; attempt++) {
    new DataView(extraEntropy.buffer).setUint32(0, attempt);
    const recovered = secp256k1.sign(digest, key.bytes, {
      prehash: false,
      lowS: true,
      format: 'recovered',
      ...(attempt > 0 && { extraEntropy }),
    });
    if (!isCanonical(recovered)) continue;
    recovered[0]! += HEADER;
    return bytesToHex(recovered);
  }
}

/**
 * The public key, compressed, that made a signature over a digest.
 * @throws `signature-invalid` where it is not of the chain's form, or no key could have made it
 */
export function recoverKey(digest: Uint8Array, signature: string): Uint8Array {
  const bytes = parseSignature(signature);
  try {
    return secp256k1.recoverPublicKey(bytes, digest, { prehash: false });
  } catch (cause) {
    throw new CountersignError('signature-invalid', 'a signature that no key could have made', { cause });
  }
}

/** With the recovery id first, as the curve's library has it. */
function parseSignature(signature: string): Uint8Array {
  if (!isSignatureText(signature)) {
    throw new CountersignError('signature-invalid', `a signature has ${SIGNATURE_BYTES} bytes, in hex`);
  }
  const bytes = hexToBytes(signature);
  bytes[0]! -= HEADER;
  if (bytes[0]! > 3 || !isCanonical(bytes)) {
    throw new CountersignError('signature-invalid', "a signature that is not in the chain's one form");
  }
  return bytes;
}

/** The chain's own rule (`is_fc_canonical`), on r and s behind one byte. */
function isCanonical(bytes: Uint8Array): boolean {
  return exactly32(bytes[1]!, bytes[2]!) && exactly32(bytes[33]!, bytes[34]!);
}

/** Whether DER needs 32 bytes for a number that begins so. */
function exactly32(first: number, second: number): boolean {
  return first < 0x80 && !(first === 0 && second < 0x80);
}
