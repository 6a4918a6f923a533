/**
 * Contents that travel sealed inside a signed statement. The statement carries a digest of the plaintext next
 * to the sealed bytes: the plaintext holds a random salt, so the digest tells a stranger nothing, and whoever
 * holds the plaintext can show years later that it is what was signed.
 * @module
 */
import * as v from 'valibot';
import { decodeBase64url, encodeBase64url } from './base64url.ts';
import {
  type CryptoProvider,
  constantTimeEqual,
  type Opener,
  type PublicSealingJwk,
} from './crypto-provider.ts';
import { CountersignError } from './errors.ts';
import { Hash, SealedBytes, wholeFrom } from './keys.ts';
import { describeIssue } from './statement.ts';
import { parseStrictJson } from './strict-json.ts';

export const SealedContent = v.strictObject({
  /** Number of the epoch whose key it is sealed to. */
  epoch: wholeFrom(0),
  /** SHA-256 of the plaintext. */
  digest: Hash,
  box: SealedBytes,
});
export type SealedContent = v.InferOutput<typeof SealedContent>;

/** Sealed to a key that the other side named, which is no epoch's. */
export const SealedToKey = v.strictObject({ digest: Hash, box: SealedBytes });
export type SealedToKey = v.InferOutput<typeof SealedToKey>;

/** Either, told apart by the epoch. */
export const SealedSomehow = v.lazy<typeof SealedContent | typeof SealedToKey>((sealed) =>
  typeof sealed === 'object' && sealed !== null && 'epoch' in sealed ? SealedContent : SealedToKey,
);

/** A statement's schema, by whether it carries a sealed content: a union would try one after the other. */
export function sealedOrClear<S extends v.GenericSchema, C extends v.GenericSchema>(sealed: S, clear: C) {
  return v.lazy<S | C>((payload) =>
    typeof payload === 'object' && payload !== null && 'sealed' in payload ? sealed : clear,
  );
}

const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** 16 random bytes, the salt of a content. */
export function drawSalt(crypto: CryptoProvider): string {
  return encodeBase64url(crypto.randomBytes(16));
}

/**
 * Seals a content.
 * @param purpose HPKE's `info`: what the content is
 * @param binding HPKE's `aad`: the clear members that the content must not be torn from
 * @returns the sealed content, and the plaintext that was sealed, to be kept for receipts
 */
export async function sealContent(
  crypto: CryptoProvider,
  to: { readonly n: number; readonly key: PublicSealingJwk },
  purpose: string,
  binding: readonly string[],
  content: unknown,
): Promise<{ sealed: SealedContent; plaintext: string }> {
  const { sealed, plaintext } = await sealToKey(crypto, to.key, purpose, binding, content);
  return { sealed: { epoch: to.n, ...sealed }, plaintext };
}

/** Seals a content to a key that is no epoch's; all else as `sealContent`. */
export async function sealToKey(
  crypto: CryptoProvider,
  key: PublicSealingJwk,
  purpose: string,
  binding: readonly string[],
  content: unknown,
): Promise<{ sealed: SealedToKey; plaintext: string }> {
  const plaintext = JSON.stringify(content);
  const bytes = encoder.encode(plaintext);
  const box = await crypto.seal(key, bytes, encoder.encode(purpose), bind(binding));
  const digest = encodeBase64url(await crypto.sha256(bytes));
  return { sealed: { digest, box: encodeBase64url(box) }, plaintext };
}

/** Opens a sealed content; throws `seal-broken`, `digest-mismatch`, `json-invalid` for what is not UTF-8. */
export async function openContent(
  crypto: CryptoProvider,
  opener: Opener,
  purpose: string,
  binding: readonly string[],
  sealed: SealedToKey,
): Promise<string> {
  const bytes = await opener.open(decodeBase64url(sealed.box), encoder.encode(purpose), bind(binding));
  const plaintext = decodeText(bytes);
  await checkDisclosed(crypto, sealed, plaintext);
  return plaintext;
}

/**
 * Checks that a plaintext is the one that was signed.
 * @throws `digest-mismatch`
 */
export async function checkDisclosed(
  crypto: CryptoProvider,
  sealed: SealedContent | SealedToKey,
  plaintext: string,
): Promise<void> {
  const digest = await crypto.sha256(encoder.encode(plaintext));
  if (!constantTimeEqual(digest, decodeBase64url(sealed.digest))) {
    throw new CountersignError('digest-mismatch', 'the content is not the one that was signed');
  }
}

/** Text that was sealed; throws `json-invalid`. */
export function decodeText(bytes: Uint8Array): string {
  try {
    return decoder.decode(bytes);
  } catch (cause) {
    throw new CountersignError('json-invalid', 'the sealed bytes are not UTF-8', { cause });
  }
}

/** Reads a content by its schema; throws `statement-malformed`. */
export function parseContent<S extends v.GenericSchema>(schema: S, plaintext: string): v.InferOutput<S> {
  const read = v.safeParse(schema, parseStrictJson(plaintext));
  if (!read.success) throw new CountersignError('statement-malformed', describeIssue(read.issues));
  return read.output;
}

function bind(binding: readonly string[]): Uint8Array {
  return encoder.encode(JSON.stringify(binding));
}
