/**
 * From what a person typed to one thing: a fingerprint in any grouping and case, or an unambiguous start of one.
 * @module
 */
import { CountersignError, type ErrorCode, matchesFingerprint, parseFingerprint } from '@countersign/core';

/** The one of some requests that an id means. @throws `request-unknown`, `request-ambiguous` */
export function pickById<T extends { readonly id: string }>(
  all: readonly T[],
  typed: string,
  where: string,
): T {
  return pick(all, typed, ({ id }) => id, {
    unknown: 'request-unknown',
    what: 'request',
    where,
    hint: '`countersign confirm pending` lists what waits for an answer',
  });
}

/** The one of some devices that the start of a fingerprint means. @throws `device-unknown`, `request-ambiguous` */
export function pickDevice<T extends { readonly kid: string }>(
  all: readonly T[],
  typed: string,
  where: string,
  hint: string,
): T {
  return pick(all, typed, ({ kid }) => kid, { unknown: 'device-unknown', what: 'device', where, hint });
}

/** The one of some invitations that an id means. @throws `pin-wrong`, `request-ambiguous` */
export function pickInvitation<T extends { readonly id: string }>(all: readonly T[], typed: string): T {
  return pick(all, typed, ({ id }) => id, {
    unknown: 'pin-wrong',
    what: 'invitation',
    where: 'stands',
    hint: '`countersign device invitations` lists those that do',
  });
}

/** Whether all of an id was typed, and not a start that another id may have too. */
export function isWholeId(id: string, typed: string): boolean {
  const bare = (text: string) => text.replaceAll('-', '');
  return bare(parseFingerprint(typed)) === bare(id);
}

function pick<T>(
  all: readonly T[],
  typed: string,
  idOf: (one: T) => string,
  { unknown, what, where, hint }: { unknown: ErrorCode; what: string; where: string; hint: string },
): T {
  const wanted = parseFingerprint(typed);
  const found = all.filter((one) => matchesFingerprint(idOf(one), wanted));
  const [only, second] = found;
  if (only === undefined) throw new CountersignError(unknown, `no ${what} ${wanted} ${where}`, { hint });
  if (second !== undefined) {
    const ids = found.map(idOf).join(', ');
    throw new CountersignError('request-ambiguous', `${wanted} begins ${found.length} ${what}s: ${ids}`, {
      hint: 'give more of it',
    });
  }
  return only;
}
