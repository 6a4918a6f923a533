/**
 * Memos: a text that only the holders of two memo keys can read. ECDH, SHA-512 and AES-256-CBC as the chain's
 * wallets do it; four bytes of SHA-256 inside say whether the key was right. That is the chain's own way, and not
 * an authenticated encryption: what a memo says is known only once it is opened with a key that is one's own.
 * @module
 */
import { cbc } from '@noble/ciphers/aes.js';
import { secp256k1 } from '@noble/curves/secp256k1.js';
import { sha256, sha512 } from '@noble/hashes/sha2.js';
import { bytesToHex, concatBytes, hexToBytes, randomBytes } from '@noble/hashes/utils.js';
import { compareBytes } from './bytes.ts';
import type { MemoData } from './field-groups.ts';
import { type ChainPrivateKey, formatPublicKey, isPoint, parsePublicKey } from './keys.ts';

const CHECKSUM_BYTES = 4;
const fromUtf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const toUtf8 = new TextEncoder();

/**
 * What two memo keys share: SHA-512 of the point of their Diffie-Hellman. Whoever has it reads all memos between these
 * two keys, and learns nothing of either.
 * @returns 64 bytes
 */
export function memoShared(own: ChainPrivateKey, other: Uint8Array): Uint8Array {
  return sha512(secp256k1.getSharedSecret(own.bytes, other, true).subarray(1));
}

/**
 * What opens one memo and no other: its holder learns nothing of the memo keys. It is no proof of what a memo says:
 * its second half can be chosen so that a memo of one block says anything.
 * @returns 64 bytes: key, then start of the chaining, then 16 that are not used
 */
export function memoSecret(own: ChainPrivateKey, other: Uint8Array, nonce: bigint): Uint8Array {
  return secretOf(memoShared(own, other), nonce);
}

function secretOf(shared: Uint8Array, nonce: bigint): Uint8Array {
  return sha512(toUtf8.encode(nonce.toString() + bytesToHex(shared)));
}

/** A memo to a key, under a nonce that is new unless given. */
export function sealMemo(
  text: string,
  own: ChainPrivateKey,
  other: Uint8Array,
  prefix: string,
  nonce: bigint = new DataView(randomBytes(8).buffer).getBigUint64(0),
): MemoData {
  const bytes = toUtf8.encode(text);
  const checked = concatBytes(sha256(bytes).subarray(0, CHECKSUM_BYTES), bytes);
  const message = cipher(memoSecret(own, other, nonce)).encrypt(checked);
  return {
    from: formatPublicKey(own.publicKey, prefix),
    to: formatPublicKey(other, prefix),
    nonce,
    message: bytesToHex(message),
  };
}

/** The text of a memo, by what `memoSecret` made of it; undefined where that is not the right one. */
export function openMemo(memo: MemoData, secret: Uint8Array): string | undefined {
  try {
    return checkedText(cipher(secret).decrypt(hexToBytes(memo.message)));
  } catch {
    return undefined;
  }
}

/**
 * The text of a memo, by what its keys share, as somebody else handed it over; undefined where that is not theirs. It
 * proves what the memo says without a key: key and start of the chaining both come of it by a hash, together with the
 * transaction's own nonce, so that whoever wants another text read must find it by trying. Another text in a memo that is
 * given takes 2^128 tries or more. Who makes the memo as well chooses both texts, and looks for two whose memos are the
 * same: about 2^64 tries for each of the two where both fit one block, 11 bytes at most, and more where they do not.
 * @param shared 64 bytes, of `memoShared`
 */
export function openSharedMemo(memo: MemoData, shared: Uint8Array): string | undefined {
  return openMemo(memo, secretOf(shared, memo.nonce));
}

/**
 * Reads memos by what was handed over.
 * @param secrets of `memoShared`, in hex
 * @param used is told which of them opened a memo
 */
export function memoReader(
  secrets: readonly string[],
  used: (secret: string) => void = () => {},
): (memo: MemoData) => string | undefined {
  return (memo) => {
    for (const secret of secrets) {
      const text = openSharedMemo(memo, hexToBytes(secret));
      if (text === undefined) continue;
      used(secret);
      return text;
    }
    return undefined;
  };
}

/** The text of a memo, by the private half of either of its keys; undefined where it cannot be read so. */
export function readMemo(memo: MemoData, own: ChainPrivateKey, prefix: string): string | undefined {
  const [from, to] = [parsePublicKey(memo.from, prefix), parsePublicKey(memo.to, prefix)];
  const other = [from, to].find((key) => compareBytes(key, own.publicKey) !== 0) ?? to;
  if (compareBytes(own.publicKey, from) !== 0 && compareBytes(own.publicKey, to) !== 0) return undefined;
  return isPoint(other) ? openMemo(memo, memoSecret(own, other, memo.nonce)) : undefined;
}

/** The text of a memo that is not encrypted: both of its keys are nobody's. */
export function readPlainMemo(memo: MemoData, prefix: string): string | undefined {
  const nobody = (text: string) => parsePublicKey(text, prefix).every((byte) => byte === 0);
  if (!nobody(memo.from) || !nobody(memo.to)) return undefined;
  return checkedText(hexToBytes(memo.message));
}

function cipher(secret: Uint8Array) {
  return cbc(secret.subarray(0, 32), secret.subarray(32, 48));
}

function checkedText(checked: Uint8Array): string | undefined {
  const bytes = checked.subarray(CHECKSUM_BYTES);
  const checksum = checked.subarray(0, CHECKSUM_BYTES);
  if (compareBytes(sha256(bytes).subarray(0, CHECKSUM_BYTES), checksum) !== 0) return undefined;
  try {
    return fromUtf8.decode(bytes);
  } catch {
    return undefined;
  }
}
