/**
 * The tags of an open attempt: one for each step of each pair that somebody could come with, among others that are
 * nobody's. spec/m-auth.md#the-sign-on.
 * @module
 */
import { decodeBase64url } from './base64url.ts';
import { MAX_TAGS, TAG_BYTES } from './m-auth-frames.ts';
import { type InterfaceRecord, type PasscodeTag, passcodeTags, tagKeyOf } from './m-auth-record.ts';
import type { NoiseCrypto } from './noise.ts';

/** Tags are announced in multiples of this, so that their number tells little. */
export const TAG_BLOCK = 16;
/** At most so many pairs of one account: their tags fit into one frame. */
export const MAX_PAIRS = MAX_TAGS / TAG_BLOCK;

export interface Candidate extends PasscodeTag {
  readonly record: InterfaceRecord;
  readonly tagKey: Uint8Array;
  /** The ratchet to go on from; none for a step that is over. */
  readonly ratchet: Uint8Array | undefined;
  readonly unconfirmed: string | undefined;
}

/** The real ones, and all tags as they are announced. */
export function deriveCandidates(
  crypto: NoiseCrypto,
  records: readonly InterfaceRecord[],
  passcode: string,
): { candidates: readonly Candidate[]; tags: readonly Uint8Array[] } {
  const enabled = records.filter((record) => !record.disabled);
  if (enabled.length > MAX_PAIRS) throw new TypeError(`at most ${MAX_PAIRS} pairs of one account`);
  const tagsOf = passcodeTags(crypto, passcode);
  const candidates = enabled.flatMap((record) => {
    const of = (tagKey: Uint8Array, ratchet?: Uint8Array, unconfirmed?: string): Candidate => {
      return { ...tagsOf(tagKey), record, tagKey, ratchet, unconfirmed };
    };
    const live = (text: string, unconfirmed?: string) => {
      const ratchet = decodeBase64url(text);
      return of(tagKeyOf(crypto, ratchet), ratchet, unconfirmed);
    };
    const { before } = record;
    return [
      live(record.ratchet),
      ...(before === undefined ? [] : [live(before.ratchet, before.granted)]),
      ...record.retired.map((key) => of(decodeBase64url(key))),
    ];
  });
  const missing = (TAG_BLOCK - (candidates.length % TAG_BLOCK)) % TAG_BLOCK;
  const count = candidates.length === 0 ? TAG_BLOCK : missing;
  // made as the others are, so that time does not tell how many are real
  const dummies = Array.from({ length: count }, () => tagsOf(crypto.randomBytes(TAG_BYTES)).tag);
  // sorted, so that a tag's place does not tell which step it is of
  return { candidates, tags: [...candidates.map(({ tag }) => tag), ...dummies].sort(byBytes) };
}

function byBytes(a: Uint8Array, b: Uint8Array): number {
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return a[i]! - b[i]!;
  return 0;
}
