/**
 * A host's link for pairing, bare or as an address of this page: a telephone's own camera opens the latter. What is
 * after the `#` reaches no server.
 * @module
 */
import { parsePairCode } from '@countersign/core';
import { isAddress, isPairLink, type PairLink, parsePairLink } from '@countersign/core/m-auth';

/** The link in what was scanned or pasted, if there is one. */
export function pairLinkIn(text: string): string | undefined {
  const bare = text.trim().slice(text.trim().indexOf('#') + 1);
  return isPairLink(bare) ? bare : undefined;
}

/** The link that this page was opened by, if it was. */
export function pairLinkOfPage(): string | undefined {
  return pairLinkIn(location.hash);
}

/** @throws `link-invalid`, `code-wrong` */
export function readPairLink(text: string, at: string): PairLink {
  const link = pairLinkIn(text);
  if (link === undefined && isAddress(at.trim())) {
    return { code: parsePairCode(text), addresses: [at.trim()] };
  }
  return parsePairLink(link ?? text);
}
