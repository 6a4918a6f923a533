/**
 * What an asker remembers of its questions: an answer can't be verified without the question.
 * @module
 */
import { type CryptoProvider, parseRequest } from '@countersign/core';
import type { StateStore } from './state-store.ts';

/** What is remembered of a question. */
export interface Posted {
  readonly jws: string;
  readonly id: string;
  readonly plaintext: string | undefined;
  readonly account: string;
  /** As it was asked with. */
  readonly maxCheckpointAge?: number;
  readonly response?: Verdict;
}

/** A response, and what it was verified by: enough for a receipt, whatever happens to the broker or the device. */
export interface Verdict {
  readonly jws: string;
  readonly plaintext: string | undefined;
  readonly log: readonly string[];
  readonly checkpoint: string;
}

export const KIND = 'asked';
/** What an answer may take from the broker to us after its request has expired, in seconds. */
export const GRACE = 5;

/** Questions that were asked with a state store; no key is needed to know. */
export async function askedQuestions(
  state: StateStore,
): Promise<{ hash: string; id: string; account: string }[]> {
  const all = await state.list<Posted>(KIND);
  return all.map(([hash, { id, account }]) => ({ hash, id, account }));
}

/** Forgets all that was asked with a state store: no answer to it is verified here any more, and no receipt made. */
export async function forgetAsked(state: StateStore): Promise<void> {
  for (const [hash] of await state.list<Posted>(KIND)) await state.delete(KIND, hash);
}

/**
 * Whether an answer may still come, or was not read yet, to a question that was asked before a time.
 * @param before and now in seconds since 1970
 */
export async function awaitsAnswer(
  state: StateStore,
  crypto: CryptoProvider,
  before: number,
  now: number,
): Promise<boolean> {
  for (const [, { jws, response }] of await state.list<Posted>(KIND)) {
    if (response !== undefined) continue;
    const { iat, exp } = (await parseRequest(crypto, jws)).payload;
    if (iat <= before && exp + GRACE >= now) return true;
  }
  return false;
}
