/**
 * Erase statements: what a person keeps on paper to kill pairs without a login, when the validator is lost.
 * spec/m-auth.md#erasing.
 * @module
 */
import { decodeBase32, encodeBase32, groupBase32, ungroupBase32 } from './base32.ts';
import { decodeBase64url, encodeBase64url } from './base64url.ts';
import { constantTimeEqual } from './crypto-provider.ts';
import { CountersignError } from './errors.ts';
import { lvCat } from './length-value.ts';
import { encodeFrame, type Frame, PROOF_BYTES, TAG_BYTES, type ValidateFrame } from './m-auth-frames.ts';
import type { InterfaceRecord, ValidatorRecord } from './m-auth-record.ts';
import type { NoiseCrypto } from './noise.ts';

export const ERASE_TOKEN_BYTES = 16;
const SCHEME = 'countersign-erase';
/** Base32 of 16 bytes. */
const LETTERS = 26;

/** `all`: every pair of one validator. `pair`: the one. */
export interface EraseStatement {
  readonly scope: 'all' | 'pair';
  readonly token: Uint8Array;
}

/** `countersign-erase:all:ABCD-…`, for paper and QR codes. */
export function formatEraseStatement({ scope, token }: EraseStatement): string {
  return `${SCHEME}:${scope}:${groupBase32(encodeBase32(token))}`;
}

/** @throws `erase-invalid` */
export function parseEraseStatement(text: string): EraseStatement {
  const [scheme, scope, letters, more] = text.trim().split(':');
  const typed = ungroupBase32(letters ?? '');
  const token = typed.length === LETTERS ? decodeBase32(typed) : undefined;
  const canonical = token !== undefined && encodeBase32(token) === typed;
  const word = scope?.toLowerCase();
  if (
    scheme?.toLowerCase() === SCHEME &&
    more === undefined &&
    canonical &&
    (word === 'all' || word === 'pair')
  ) {
    return { scope: word, token };
  }
  throw new CountersignError('erase-invalid', 'not an erase statement', {
    hint: 'it looks like countersign-erase:all:ABCD-… and was shown when the validator was paired',
  });
}

/** The token of one pair, of the statement for all. */
export function pairEraseToken(crypto: NoiseCrypto, master: Uint8Array, pair: string): Uint8Array {
  const info = lvCat('countersign m-auth erase pair 1', decodeBase64url(pair));
  return crypto.hmac(master, info).slice(0, ERASE_TOKEN_BYTES);
}

/** What the host keeps: enough to know the statement by, too little to make it. */
export function eraseCheck(crypto: NoiseCrypto, token: Uint8Array): InterfaceRecord['erase'] {
  const { tag, proof } = reveal(crypto, token);
  return { tag: encodeBase64url(tag), check: encodeBase64url(checkOf(crypto, proof)) };
}

/** The `EraseValidate` frame that kills one pair over the network. */
export function eraseFrame(crypto: NoiseCrypto, token: Uint8Array): Uint8Array<ArrayBuffer> {
  return encodeFrame({ kind: 'validate', purpose: 'erase', ...reveal(crypto, token) });
}

/** Whether a frame kills this pair. */
export function isErasedByFrame(crypto: NoiseCrypto, record: InterfaceRecord, frame: ValidateFrame): boolean {
  const same = constantTimeEqual(frame.tag, decodeBase64url(record.erase.tag));
  return (
    frame.purpose === 'erase' &&
    same &&
    constantTimeEqual(checkOf(crypto, frame.proof), decodeBase64url(record.erase.check))
  );
}

/** The `Erased` frame: what the host says once the pair that a frame kills is gone. */
export function erasedFrame(
  crypto: NoiseCrypto,
  { id }: Pick<InterfaceRecord, 'id'>,
  { proof }: Pick<ValidateFrame, 'proof'>,
): Uint8Array<ArrayBuffer> {
  return encodeFrame({ kind: 'erased', body: erasedWord(crypto, id, proof) });
}

/** Whether a frame is the word of the host of this pair that it is gone there. */
export function isErased(
  crypto: NoiseCrypto,
  { id, erase }: Pick<ValidatorRecord, 'id' | 'erase'>,
  frame: Frame,
): boolean {
  const { proof } = reveal(crypto, decodeBase64url(erase));
  return frame.kind === 'erased' && constantTimeEqual(frame.body, erasedWord(crypto, id, proof));
}

/** Under the pair's `id`, which goes over no line in clear: who sees the proof on its way can't answer for the host. */
function erasedWord(crypto: NoiseCrypto, id: string, proof: Uint8Array): Uint8Array {
  return crypto.hmac(decodeBase64url(id), lvCat('countersign m-auth erased 1', proof)).slice(0, PROOF_BYTES);
}

/** Whether a statement that was shown to this host kills this pair. */
export function isErasedBy(
  crypto: NoiseCrypto,
  record: InterfaceRecord,
  { scope, token }: EraseStatement,
): boolean {
  const own = scope === 'pair' ? token : pairEraseToken(crypto, token, record.id);
  return isErasedByFrame(crypto, record, { kind: 'validate', purpose: 'erase', ...reveal(crypto, own) });
}

function reveal(crypto: NoiseCrypto, token: Uint8Array): { tag: Uint8Array; proof: Uint8Array } {
  const both = crypto.hmac(token, lvCat('countersign m-auth erase 1'));
  return { tag: both.slice(0, TAG_BYTES), proof: both.slice(TAG_BYTES, TAG_BYTES + PROOF_BYTES) };
}

function checkOf(crypto: NoiseCrypto, proof: Uint8Array): Uint8Array {
  return crypto.sha256(lvCat('countersign m-auth erase check 1', proof)).slice(0, PROOF_BYTES);
}
