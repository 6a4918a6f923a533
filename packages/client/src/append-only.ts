/**
 * Lists of statements that only ever grow, kept by several processes that may each have read more.
 * @module
 */
import type { CountersignError } from '@countersign/core';

/**
 * The longer of two lists; as far as both go they must be the same statements, whoever signed them again.
 * @param conflict makes what is thrown where they differ first
 */
export function longerList(
  kept: readonly string[],
  read: readonly string[],
  conflict: (at: number) => CountersignError,
): readonly string[] {
  const shared = Math.min(kept.length, read.length);
  for (let at = 0; at < shared; at++) {
    if (signingInput(kept[at]!) !== signingInput(read[at]!)) throw conflict(at);
  }
  return kept.length > read.length ? kept : read;
}

function signingInput(jws: string): string {
  return jws.slice(0, jws.lastIndexOf('.'));
}
