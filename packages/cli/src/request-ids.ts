/**
 * From what a person typed to one request: a fingerprint in any grouping and case, or an unambiguous start of one.
 * @module
 */
import { CountersignError, matchesFingerprint, parseFingerprint } from '@countersign/core';

/** The one of some requests that an id means. @throws `request-unknown`, `request-ambiguous` */
export function pickById<T extends { readonly id: string }>(
  all: readonly T[],
  typed: string,
  where: string,
): T {
  const wanted = parseFingerprint(typed);
  const found = all.filter(({ id }) => matchesFingerprint(id, wanted));
  const [only, second] = found;
  if (only === undefined) {
    throw new CountersignError('request-unknown', `no request ${wanted} ${where}`, {
      hint: '`countersign confirm pending` lists what waits for an answer',
    });
  }
  if (second !== undefined) {
    const ids = found.map(({ id }) => id).join(', ');
    throw new CountersignError('request-ambiguous', `${wanted} begins ${found.length} requests: ${ids}`, {
      hint: 'give more of it',
    });
  }
  return only;
}
